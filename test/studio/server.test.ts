/** The studio over HTTP, as its page uses it, and as others might try. */
import { spawn } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { type IncomingHttpHeaders, type RequestOptions, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, expect, test } from 'vitest'
import { encodePng } from '../../src/io/png.ts'
import type { RunSummary } from '../../src/studio/protocol.ts'
import { program } from '../cli/process.ts'

const root = await realpath(await mkdtemp(join(tmpdir(), 'tenfold-studio-test-')))
const runs = join(root, 'runs')
await mkdir(runs)
await writeFile(join(root, 'secret'), 'secret')

/** The program in a process of its own, as a user runs it. */
interface Running {
  readonly url: string
  readonly port: number
  readonly token: string
  /** Ctrl-C; resolves with the exit code. */
  readonly end: () => Promise<number | null>
}

let said = ''

function open(): Promise<Running> {
  const child = spawn(process.execPath, [program, 'studio', '--runs', runs, '--no-open', '--json'])
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const end = (): Promise<number | null> => {
    child.kill('SIGINT')
    return ended
  }
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(said)))
    createInterface(child.stdout).once('line', (line) => {
      const { url, port } = JSON.parse(line)
      resolve({ url, port, token: new URL(url).searchParams.get('token') ?? '', end })
    })
  })
}

let studio = await open()
afterAll(async () => {
  expect(await studio.end()).toBe(130)
  await rm(root, { recursive: true })
  expect(said).toBe('')
})

interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Sends exactly this path and these headers. */
function ask(path: string, options: RequestOptions = {}, body?: string | Buffer): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: studio.port, path, agent: false, ...options }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        text += piece
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const known = {
  get authorization(): string {
    return `Bearer ${studio.token}`
  },
}

async function get<T>(path: string): Promise<T> {
  const { status, text } = await ask(`/api/${path}`, { headers: known })
  expect({ path, status }).toEqual({ path, status: 200 })
  return JSON.parse(text) as T
}

function post(path: string, body: unknown): Promise<Reply> {
  const headers = { ...known, 'content-type': 'application/json' }
  return ask(`/api/${path}`, { method: 'POST', headers }, JSON.stringify(body))
}

const listed = async (id: string) => (await get<RunSummary[]>('runs')).find((run) => run.id === id)

/** Waits until a run is as it should be. */
async function until(id: string, isSo: (run: RunSummary) => boolean): Promise<RunSummary> {
  for (;;) {
    const run = await listed(id)
    if (run && isSo(run)) return run
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}

/** The process that has locked a run. */
async function holderOf(id: string): Promise<number> {
  const names = await readdir(join(runs, id))
  const lock = names.find((name) => name.startsWith('lock-')) ?? ''
  return JSON.parse(await readFile(join(runs, id, lock), 'utf8')).pid
}

test('the printed address gives the cookie, and the token leaves the address; without it nothing is answered', async () => {
  const { status, headers, text } = await ask(studio.url.slice(studio.url.indexOf('/?')))
  expect([status, text.includes('content="0;url=/"')]).toEqual([200, true])
  const cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  const { text: html } = await ask('/', { headers: { cookie } })
  const [script = ''] = /\/assets\/[\w-]+\.js/.exec(html) ?? []
  expect((await ask(script, { headers: { cookie } })).headers).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'content-security-policy': expect.stringContaining("default-src 'none'; script-src 'self'"),
  })
  for (const path of ['/', script, '/api/runs', '/api/events', '/?token=guess'])
    expect((await ask(path)).status).toBe(401)
  expect((await ask('/')).text).toBe('open the address that `tenfold studio` has printed: it has the token\n')
  const head = await ask('/api/runs', { method: 'HEAD', headers: { cookie } })
  expect([head.status, head.text]).toEqual([200, ''])
})

test('requests from other names and other sites are refused, with the token too', async () => {
  const status = async (path: string, headers: Record<string, string>, method = 'GET') =>
    (await ask(path, { method, headers: { ...known, ...headers } })).status
  expect(await status('/api/runs', { host: 'evil.example' })).toBe(421)
  expect(await status(`/?token=${studio.token}`, { host: 'evil.example' })).toBe(421)
  expect(await status('/api/runs', { origin: 'http://evil.example' })).toBe(403)
  expect(await status('/api/start', { origin: 'http://evil.example' }, 'POST')).toBe(403)
  expect(await status('/api/runs', {})).toBe(200)
})

test('bodies are JSON of the right form, and not endless', async () => {
  const reply = async (body: string | Buffer, type = 'application/json') => {
    const { status, text } = await ask(
      '/api/start',
      { method: 'POST', headers: { ...known, 'content-type': type } },
      body,
    )
    return [status, JSON.parse(text).error]
  }
  expect(await reply('{}', 'text/plain')).toEqual([415, 'the body must be application/json'])
  expect(await reply('{')).toEqual([400, 'the body must be JSON'])
  expect(await reply('{"name":1,"settings":[]}')).toEqual([
    422,
    'setting "name": expected string, received number, found 1',
  ])
  expect(await reply('{"name":"mixer/mnist","settings":[],"more":1}')).toEqual([422, 'unknown setting "more"'])
  expect((await ask('/api/runs', { method: 'POST', headers: known })).status).toBe(405)
  expect((await ask('/api/elsewhere', { headers: known })).status).toBe(404)
})

test('mistakes are said as the command line says them', async () => {
  const said = async (settings: string[], name = 'mixer/mnist') =>
    JSON.parse((await post('check', { name, settings })).text).error
  expect(await said([])).toBe('')
  expect(await said(['optimizer.lt=1'])).toBe('unknown setting "optimizer.lt" (did you mean "optimizer.lr"?)')
  expect(await said(['train.epochs=ten'])).toBe('setting "train.epochs": expected number, received string, found "ten"')
  expect(await said([], 'mixer/mnits')).toBe('unknown recipe or job "mixer/mnits" (did you mean "mixer/mnist"?)')
  for (const folder of ['../out', '.studio', 'a/b', '-x', 'my run']) {
    const start = { name: 'mixer/mnist', settings: [], folder }
    const error = `the folder of a run must be one plain name, found "${folder}" (letters, digits, - _ and . only, such as quick-1)`
    // While one types, and when it is to begin.
    expect(JSON.parse((await post('check', start)).text)).toEqual({ error, command: '' })
    const { status, text } = await post('start', start)
    expect([status, JSON.parse(text)]).toEqual([422, { error }])
  }
})

test('a form shows the command that does the same, as a shell takes it', async () => {
  const start = { name: 'mixer/mnist', settings: ["data.folder=it's"], seed: 7, steps: 20, threads: 1, folder: 'mine' }
  expect(JSON.parse((await post('check', start)).text)).toEqual({
    error: '',
    command: `npx tenfold train mixer/mnist --set 'data.folder=it'\\''s' --seed 7 --threads 1 --steps 20 --out ${join(runs, 'mine')}`,
  })
})

test('the form of a recipe has the kind, default and description of each setting', async () => {
  const { fields } = await get<{ fields: { path: string }[] }>('entries/mixer%2Fmnist')
  const of = (path: string) => fields.find((field) => field.path === path)
  expect(of('optimizer.lr')).toEqual({
    path: 'optimizer.lr',
    description: 'learning rate after the warm-up',
    default: 0.003,
    kind: 'number',
    choices: [],
  })
  expect([
    of('optimizer.betas'),
    of('augment.flip'),
    of('train.epochs'),
    of('optimizer.name'),
    of('data.folder'),
  ]).toMatchObject([
    { kind: 'json', default: [0.9, 0.999] },
    { kind: 'switch' },
    { kind: 'whole' },
    { kind: 'choice', choices: expect.arrayContaining(['adamw']) },
    { kind: 'path', choices: expect.arrayContaining(['mnist', 'cifar10']) },
  ])
})

/** The settings of `small` runs, as the form sends them. */
const small = ['hidden_dim=16', 'num_blocks=1', 'tokens_mlp_dim=8', 'channels_mlp_dim=16'].map(
  (each) => `model.${each}`,
)

test('runs, groups of them, jobs and damaged ones are listed; links are not followed', async () => {
  await mkdir(join(runs, 'group', 'job'), { recursive: true })
  const made = { job: 'mixer/scale', seed: 3, threads: null, config: {}, report: { title: 'x'.repeat(100) } }
  await writeFile(join(runs, 'group', 'job', 'report.json'), JSON.stringify(made, null, 1))
  await writeFile(join(runs, 'group', 'job', 'report.html'), '<script>alert(1)</script>')
  await mkdir(join(runs, 'broken'))
  await writeFile(join(runs, 'broken', 'run.json'), '{')
  await symlink(root, join(runs, 'linked'))
  await symlink(join(root, 'secret'), join(runs, 'group', 'job', 'link.txt'))
  expect(await until('group/job', () => true)).toMatchObject({
    kind: 'job',
    recipe: 'mixer/scale',
    isStartable: true,
    state: 'finished',
    seed: 3,
  })
  expect(await until('broken', () => true)).toMatchObject({
    state: 'damaged',
    problem: `${join(runs, 'broken', 'run.json')} is not valid JSON`,
  })
  // A sweep, with its trainings.
  const training = join(runs, 'sweep', 'runs', 'optimizer.lr=0.1,seed=0')
  await mkdir(training, { recursive: true })
  await mkdir(join(runs, 'sweep', 'trainings', 'other'), { recursive: true })
  await writeFile(join(runs, 'sweep', 'report.json'), JSON.stringify({ ...made, job: 'mixer/mnist-sweep' }, null, 1))
  for (const folder of [training, join(runs, 'sweep', 'trainings', 'other')])
    await writeFile(join(folder, 'run.json'), '{')
  await until('sweep', ({ state }) => state === 'finished')
  expect(await listed('sweep')).toMatchObject({ kind: 'job', recipe: 'mixer/mnist-sweep', isStartable: false })
  await until('sweep/runs/optimizer.lr=0.1,seed=0', ({ isStartable }) => !isStartable)
  expect(await listed('sweep/trainings/other')).toBeUndefined()
  await rm(join(runs, 'sweep'), { recursive: true })
  while (await listed('sweep')) await new Promise((resolve) => setTimeout(resolve, 30))
  // Not of the studio's making.
  await mkdir(join(runs, '.studio'), { recursive: true })
  await writeFile(join(runs, '.studio', '50%.json'), '{}')
  await mkdir(join(runs, 'later'))
  await writeFile(join(runs, 'later', 'run.json'), '{')
  await until('later', () => true)
  await rm(join(runs, 'later'), { recursive: true })
  while (await listed('later')) await new Promise((resolve) => setTimeout(resolve, 30))
  expect((await get<RunSummary[]>('runs')).map(({ id }) => id).sort()).toEqual(['broken', 'group/job'])
})

test.each([
  'runs/group%2Fjob/files/..%2Fsecret',
  'runs/group%2Fjob/files/..%2F..%2F..%2Fsecret',
  'runs/group%2Fjob/files/%2e%2e%2f%2e%2e%2f%2e%2e%2fsecret',
  'runs/group%2Fjob/files/link.txt',
  'runs/group%2Fjob/files/%2Fetc%2Fpasswd',
  'runs/..%2F..%2F/files/secret',
  'runs/%2e%2e/files/secret',
  'runs/linked/files/secret',
  'runs/group%2Fjob/files/report.html%00.png',
  'runs/group%2Fjob/../../../secret',
  'runs/..%5C..%5C/files/secret',
])('no file outside of the runs comes by %s', async (path) => {
  const { status, text } = await ask(`/api/${path}`, { headers: known })
  expect([status, text.includes('secret')]).toEqual([404, false])
})

test.each([
  '/../secret',
  '/assets/../../secret',
  '/assets/..%2f..%2fsecret',
  '/index.html',
  '/%2e%2e/secret',
  '/assets/',
])('nor by %s', async (path) => {
  expect((await ask(path, { headers: known })).status).toBe(404)
})

test('pages of runs are shown so that nothing in them runs', async () => {
  const { status, headers } = await ask('/api/runs/group%2Fjob/files/report.html', { headers: known })
  expect(status).toBe(200)
  expect(headers['content-security-policy']).toMatch(/^sandbox; default-src 'none'; /)
  expect((await ask('/api/runs/group%2Fjob/files/%zz', { headers: known })).status).toBe(400)
})

/** The events of a server-sent stream, as they come. */
function listen(path: string): {
  readonly events: { name: string; data: Record<string, unknown> }[]
  readonly close: () => void
} {
  const events: { name: string; data: Record<string, unknown> }[] = []
  const sent = request({ host: '127.0.0.1', port: studio.port, path, headers: known, agent: false }, (response) => {
    let rest = ''
    response.setEncoding('utf8')
    response.on('data', (piece: string) => {
      const blocks = `${rest}${piece}`.split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? []
        if (name && data) events.push({ name, data: JSON.parse(data) })
      }
    })
    response.on('error', () => {})
  })
  sent.on('error', () => {})
  sent.end()
  return { events, close: () => sent.destroy() }
}

async function eventually<T>(find: () => T | undefined): Promise<T> {
  for (;;) {
    const found = find()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('a training is started, watched, left alone by a studio that ends, found by the next, stopped, resumed, and may die', async () => {
  const start = {
    name: 'mixer/mnist',
    settings: [...small, 'train.epochs=100'],
    steps: 5000,
    seed: 1,
    threads: 1,
    folder: 'live',
  }
  expect(await post('start', start)).toMatchObject({ status: 200, text: '{"id":"live"}' })
  expect(JSON.parse((await post('start', start)).text).error).toBe(`${join(runs, 'live')} is running already`)
  await until('live', ({ state, step }) => state === 'running' && step > 0)
  const { events, close } = listen('/api/events?watch=live')
  const lines = await eventually(() =>
    events.find(({ name, data }) => name === 'lines' && data.kind === 'step' && (data.steps as number[]).length > 0),
  )
  expect(lines.data).toMatchObject({ id: 'live', values: { loss: expect.any(Array) } })
  close()

  expect(await studio.end()).toBe(130)
  studio = await open()
  expect(await listed('live')).toMatchObject({
    state: 'running',
    recipe: 'mixer/mnist',
    seed: 1,
    changed: expect.arrayContaining(small),
  })
  expect((await post('runs/live/stop', {})).status).toBe(200)
  const { step } = await until('live', ({ state }) => state === 'stopped')
  expect(JSON.parse((await post('runs/live/stop', {})).text).error).toBe(`${join(runs, 'live')} is not running`)

  expect((await post('runs/live/resume', { steps: step + 5000 })).status).toBe(200)
  await until('live', (run) => run.state === 'running' && run.step > step)
  process.kill(await holderOf('live'), 'SIGKILL')
  await until('live', ({ state }) => state === 'stopped')

  expect((await post('runs/live/resume', { steps: 1 })).status).toBe(200)
  const failed = await until('live', ({ state }) => state === 'failed')
  expect(failed.problem).toMatch(/--steps 1 must be more than it has trained, \d+ steps/)
}, 180_000)

test('a training that cannot begin says why', async () => {
  await post('start', { name: 'mixer/images', settings: [], folder: 'none' })
  const { problem } = await until('none', ({ state }) => state === 'failed')
  expect(problem).toMatch(/^data\.folder must name pictures, found ""/)
  expect(await get('runs/none')).toMatchObject({ log: expect.stringContaining('$ tenfold train mixer/images') })
})

test('a trained model is used with a file that was uploaded; uses that it has not are refused', async () => {
  const headers = { ...known, 'content-type': 'application/octet-stream' }
  const png = Buffer.from(encodePng(new Uint8Array(28 * 28), 28, 28, 1))
  const sent = await ask('/api/uploads?name=..%2F..%2Fone.png', { method: 'POST', headers }, png)
  const { upload } = JSON.parse(sent.text)
  const use = { use: 'predict', inputs: [upload], options: { top: '2' } }
  const { status, text } = await post('runs/live/use', use)
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect([status, events.map(({ event }) => event)]).toEqual([200, ['answer', 'done', 'end']])
  expect(events[0]).toMatchObject({
    input: expect.stringMatching(/[\\/]_\.\._one\.png$/),
    choices: [{ label: expect.any(String) }, { label: expect.any(String) }],
  })
  const error = async (body: unknown) => JSON.parse((await post('runs/live/use', body)).text).error
  expect(await error({ ...use, use: 'export' })).toBe('a run of mixer/mnist has no use "export"')
  expect(await error({ ...use, inputs: ['upload:9'] })).toBe('there is no file "upload:9" (any more): drop it again')
  expect(await error({ ...use, options: { '-x': '1' } })).toMatch(/^setting "options\.-x": Invalid key/)
})

test('new lines of metrics are told as they are written, and a file that is replaced is told too', async () => {
  await mkdir(join(runs, 'fake'))
  const { config } = JSON.parse(await readFile(join(runs, 'live', 'run.json'), 'utf8'))
  const description = {
    format: 1,
    system: 'mixer',
    recipe: 'mnist',
    seed: 0,
    config,
    facts: {},
    limits: { steps: null },
  }
  const others = { threads: null, versions: {}, started: '2026-01-01T00:00:00.000Z' }
  await writeFile(join(runs, 'fake', 'run.json'), JSON.stringify({ ...description, ...others }))
  const line = (step: number) => `${JSON.stringify({ type: 'step', step, epoch: 0, loss: step })}\n`
  await writeFile(join(runs, 'fake', 'metrics.jsonl'), line(1))
  await until('fake', ({ step }) => step === 1)
  const { events, close } = listen('/api/events?watch=fake')
  await eventually(() => events.find(({ name }) => name === 'lines'))
  await appendFile(join(runs, 'fake', 'metrics.jsonl'), line(2) + line(3))
  const told = await eventually(() => events.find(({ data }) => data.from === 1 && (data.steps as number[]).length > 0))
  expect(told.data).toEqual({ id: 'fake', kind: 'step', from: 1, steps: [2, 3], values: { loss: [2, 3] } })
  await rm(join(runs, 'fake', 'metrics.jsonl'))
  await writeFile(join(runs, 'fake', 'metrics.jsonl'), line(1))
  await eventually(() => events.find(({ name }) => name === 'reset'))
  close()
})
