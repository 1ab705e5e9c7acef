/** Runs in trouble: two processes, signals, closed outputs, damaged files; and runs that are made longer. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { encode } from 'fast-png'
import { beforeAll, describe, expect, test } from 'vitest'
import { eventsOf, program, small, tenfold } from './process.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-state-'))
const finished = join(folder, 'finished')

/** Starts a training, for something to happen to it once it runs. `flags`: how it tells of it. */
function start(args: readonly string[], flags: readonly string[] = ['--json']) {
  const child = spawn(process.execPath, [program, ...args, ...flags])
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  const ended = once(child, 'close').then(([code]) => ({ code: Number(code), out, err }))
  const printed = async (text: string): Promise<void> => {
    while (!out.includes(text)) await once(child.stdout, 'data')
  }
  return { child, ended, printed, firstStep: () => printed('"event":"step"') }
}

const long = (run: string) => ['train', 'mixer/mnist', '--steps', '4000', ...small, '--out', run]

/** A copy of the finished run. */
function copyOf(name: string): string {
  const path = join(folder, name)
  cpSync(finished, path, { recursive: true })
  return path
}

const checkpointsOf = (run: string): string[] => readdirSync(join(run, 'checkpoints')).sort()

beforeAll(async () => {
  const trained = await tenfold(
    'train',
    'mixer/mnist',
    '--steps',
    '6',
    ...small,
    '--set',
    'train.checkpoint_every=2',
    '--out',
    finished,
  )
  expect(trained).toMatchObject({ code: 0, err: '' })
}, 60_000)

test('one process at a time; a killed one holds nothing; a closed terminal ends in order', {
  timeout: 90_000,
}, async () => {
  const run = join(folder, 'held')
  const first = start(long(run))
  await first.firstStep()
  const since = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`
  expect(await tenfold('resume', run)).toMatchObject({
    code: 2,
    err: expect.stringMatching(
      `^error: ${run} is in use by process ${first.child.pid} since ${since} \\(wait until it has ended, or stop it\\)\n$`,
    ),
  })
  first.child.kill('SIGKILL')
  await first.ended

  const second = start(['resume', run])
  await second.firstStep()
  second.child.kill('SIGHUP')
  second.child.kill('SIGHUP')
  const { code, out, err } = await second.ended
  expect([code, err]).toEqual([129, ''])
  const { step, ...last } = eventsOf(out).at(-1) ?? {}
  expect(last).toEqual({ event: 'interrupted', run })
  expect(checkpointsOf(run).at(-1)).toBe(`step-${String(step).padStart(8, '0')}.safetensors`)
  expect(readdirSync(run).filter((name) => name.startsWith('lock'))).toEqual([])
})

describe('an output that nobody reads any more', () => {
  const through = async (command: string) => {
    const child = spawn('bash', ['-c', `set -o pipefail; ${command}`])
    const err: Buffer[] = []
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.stdout.resume()
    const [code] = await once(child, 'close')
    return { code, err: Buffer.concat(err).toString() }
  }
  const node = `'${process.execPath}' '${program}'`

  test.each(['list --json', '--help'])('%s', async (args) => {
    expect(await through(`${node} ${args} | head -1`)).toEqual({ code: 0, err: '' })
  })

  test('training saves and stops', { timeout: 60_000 }, async () => {
    const run = join(folder, 'piped')
    const { code, err } = await through(`${node} ${long(run).join(' ')} --json | head -4`)
    expect(code).toBe(141)
    const [first, second] = err.trim().split('\n')
    expect(first).toBe('the output is no longer read: stopping after this step')
    const step = /^interrupted at step (\d+); everything is saved. Continue with: npx tenfold resume /.exec(
      second ?? '',
    )?.[1]
    expect(checkpointsOf(run)).toEqual([`step-${step?.padStart(8, '0')}.safetensors`])
  })

  test('before training has begun, nothing is left', { timeout: 60_000 }, async () => {
    const [run, study] = [join(folder, 'unread'), join(folder, 'unread-job')]
    const job = `run mixer/scale --set 'tasks=["mnist"]' --out ${study}`
    for (const [args, path] of [[long(run).join(' '), run] as const, [job, study] as const]) {
      // The reader is gone before the first line is written.
      expect(await through(`(sleep 0.5; exec ${node} ${args}) | true`)).toEqual({ code: 141, err: '' })
      expect(existsSync(path)).toBe(false)
    }
    const copy = copyOf('unread-resume')
    const before = readdirSync(copy).sort()
    expect(await through(`${node} resume ${copy} --steps 4000 | true`)).toMatchObject({ code: 141 })
    expect(readdirSync(copy).sort()).toEqual(before)
  })

  test.runIf(process.platform === 'linux')('a full disk is one line', async () => {
    const run = join(folder, 'full')
    expect(await through(`${node} ${long(run).join(' ')} > /dev/full`)).toMatchObject({
      err: 'error: the standard output cannot be written: write: the disk is full (ENOSPC)\n',
    })
    expect(existsSync(run)).toBe(false)
    expect(await through(`${node} list > /dev/full`)).toEqual({
      code: 1,
      err: 'error: the standard output cannot be written: write: the disk is full (ENOSPC)\n',
    })
  })
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s before training has begun leaves nothing', { timeout: 60_000 }, async (signal, code) => {
  const run = join(folder, signal)
  const { child, ended } = start(long(run))
  while (!existsSync(run)) await setTimeout(1)
  child.kill(signal)
  expect(await ended).toMatchObject({ code })
  // Where it had begun already by then, it is a run.
  const names = existsSync(run) ? readdirSync(run) : ['run.json']
  expect(names).toContain('run.json')
  expect(names.filter((name) => name.includes('lock'))).toEqual([])
})

test('a training that is interrupted before its report says what writes it', { timeout: 90_000 }, async () => {
  const run = join(folder, 'unreported')
  const trained = start(['train', 'mixer/mnist', '--steps', '1', ...small, '--out', run])
  await trained.printed('"event":"checkpoint"')
  trained.child.kill('SIGINT')
  const { code, out, err } = await trained.ended
  expect([code, err, eventsOf(out).at(-1)]).toEqual([130, '', { event: 'interrupted', step: 1, run }])
  expect(readdirSync(run).sort()).toEqual(['checkpoints', 'data.json', 'metrics.jsonl', 'run.json'])

  // Asked to stop before it is known that there is nothing left to train, or after that.
  const resumed = start(['resume', run], [])
  await resumed.printed('run directory')
  resumed.child.kill('SIGTERM')
  const outcome = await resumed.ended
  expect([outcome.code, outcome.err, outcome.out.trim().split('\n').at(-1)]).toEqual([
    143,
    '',
    `interrupted before the report; the training is complete and saved. Write the report with: npx tenfold resume ${run}`,
  ])
  expect(existsSync(join(run, 'report.html'))).toBe(false)
  expect(await tenfold('resume', run)).toMatchObject({ code: 0, err: '' })
  expect(existsSync(join(run, 'report.html'))).toBe(true)
})

test('damaged checkpoints are said, and never taken for none', { timeout: 60_000 }, async () => {
  const run = copyOf('damaged')
  const [best = '', second = '', newest = ''] = checkpointsOf(run).map((name) => join(run, 'checkpoints', name))
  truncateSync(newest, 500)
  const reason = 'safetensors: the header must have at most 492 bytes, the file says'
  const evaluated = await tenfold('eval', run, '--json')
  expect(eventsOf(evaluated.out)).toEqual([
    {
      event: 'warning',
      message: expect.stringMatching(`^${newest}: ${reason} \\d+; the checkpoint of step 4 is used$`),
    },
    { event: 'done', metrics: expect.anything(), step: 4 },
  ])
  for (const path of [second, best]) truncateSync(path, 500)
  const before = readdirSync(run, { recursive: true }).sort()
  for (const command of ['resume', 'eval', 'info']) {
    expect(await tenfold(command, run)).toMatchObject({
      code: 2,
      err: expect.stringMatching(
        `^error: ${run}/checkpoints: every checkpoint is damaged \\(${newest}: ${reason} \\d+\\) \\(copy one back from elsewhere; to train from the start, begin a new run\\)\n$`,
      ),
    })
  }
  expect(readdirSync(run, { recursive: true }).sort()).toEqual(before)
})

test('lost checkpoints are never taken for a run that has not begun', { timeout: 60_000 }, async () => {
  const run = copyOf('lost')
  for (const name of checkpointsOf(run)) rmSync(join(run, 'checkpoints', name))
  const before = readdirSync(run, { recursive: true }).sort()
  for (const args of [
    ['resume', run],
    ['resume', run, '--epochs', '2'],
    ['eval', run],
    ['info', run],
  ]) {
    expect(await tenfold(...args)).toMatchObject({
      code: 2,
      err: `error: ${run}/checkpoints: the checkpoints of the run are gone (copy one back from elsewhere; to train from the start, begin a new run)\n`,
    })
  }
  expect(readdirSync(run, { recursive: true }).sort()).toEqual(before)
})

test('a run that was killed before its first checkpoint begins anew, and says so', { timeout: 60_000 }, async () => {
  const run = join(folder, 'killed')
  const first = start(long(run))
  await first.firstStep()
  first.child.kill('SIGKILL')
  await first.ended
  const second = start(['resume', run])
  await second.firstStep()
  second.child.kill('SIGTERM')
  const { code, out } = await second.ended
  expect(code).toBe(143)
  expect(eventsOf(out)[0]).toEqual({
    event: 'warning',
    message: `${run} was stopped before its first checkpoint: it starts over`,
  })
})

test('a longer run goes on as if it had begun so', { timeout: 90_000 }, async () => {
  const run = copyOf('longer')
  const straight = join(folder, 'straight')
  const args = ['train', 'mixer/mnist', '--steps', '9', ...small, '--out', straight, '--json']
  const expected = eventsOf((await tenfold(...args)).out).at(-1)
  const events = eventsOf((await tenfold('resume', run, '--steps', '9', '--json')).out)
  expect(events[0]).toEqual({
    event: 'extended',
    step: 6,
    end: 9,
    epochs: 4,
    planned: 1872,
    learningRate: expect.any(Number),
  })
  expect(events.filter(({ event }) => event === 'step').map(({ step }) => step)).toEqual([7, 8, 9])
  expect(events.at(-1)).toMatchObject({ metrics: expected?.metrics })

  const more = await tenfold('resume', run, '--steps', '2000')
  expect(more.err).toBe(`error: ${run}: --steps 2000 is more than the 1872 steps of its epochs (give more --epochs)\n`)
  const less = await tenfold('resume', run, '--steps', '8')
  expect(less).toMatchObject({
    code: 2,
    err: `error: ${run}: --steps 8 must be more than it has trained, 9 steps (both count from the beginning of the run)\n`,
  })
  const described = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'))
  expect(described).toMatchObject({ limits: { steps: 9 }, extensions: [{ step: 6, epochs: 4, steps: 9 }] })
})

test('more epochs plan the learning rate anew', { timeout: 60_000 }, async () => {
  const run = copyOf('epochs')
  const { child, ended, firstStep } = start(['resume', run, '--epochs', '9'])
  await firstStep()
  child.kill('SIGTERM')
  const { code, out } = await ended
  expect(code).toBe(143)
  expect(eventsOf(out)[0]).toMatchObject({ event: 'extended', step: 6, end: 4212, epochs: 9, planned: 4212 })
  expect(JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'))).toMatchObject({
    config: { train: { epochs: 9 } },
    limits: { steps: null },
  })
})

test('the checkpoint that is used can be chosen', { timeout: 60_000 }, async () => {
  const stepOf = async (...args: readonly string[]) => eventsOf((await tenfold(...args, '--json')).out).at(-1)?.step
  expect(await stepOf('eval', finished, '--checkpoint', '4')).toBe(4)
  expect(await stepOf('eval', finished, '--checkpoint', 'best')).toBe(6)
  expect(await stepOf('info', finished, '--checkpoint', 'best')).toBe(6)
  expect(await stepOf('info', finished, '--checkpoint', '4')).toBe(4)
  expect(await stepOf('inspect', finished, '--checkpoint', '4', '--out', join(folder, 'page.html'))).toBe(4)
  expect(
    await stepOf('export', finished, '--checkpoint', '4', '--format', 'onnx', '--out', join(folder, 'm.onnx')),
  ).toBe(4)
  expect(await tenfold('eval', finished, '--checkpoint', '2')).toMatchObject({
    code: 2,
    err: `error: ${finished} has no checkpoint of step 2 (it has those of step 4, 6, 6 (best))\n`,
  })
  expect(await tenfold('eval', finished, '--checkpoint', 'first')).toMatchObject({
    code: 2,
    err: "error: option '--checkpoint <which>' argument 'first' is invalid. must be best, last or the step of a checkpoint.\n",
  })
})

test('predictions of what can be read, in order, and the error in its place', { timeout: 60_000 }, async () => {
  const [good, bad] = [join(folder, 'good.png'), join(folder, 'bad.png')]
  writeFileSync(good, encode({ width: 28, height: 28, channels: 1, data: new Uint8Array(784) }))
  writeFileSync(bad, 'no picture')
  const { code, out, err } = await tenfold('predict', finished, good, bad, good, '--json')
  expect([code, err]).toEqual([2, 'error: 1 of 3 inputs could not be used\n'])
  expect(eventsOf(out)).toEqual([
    { event: 'answer', use: 'predict', input: good, choices: expect.anything() },
    {
      event: 'error',
      use: 'predict',
      input: bad,
      message: `${bad}: must be a readable picture, found: no picture, or one of a format that is not read`,
    },
    { event: 'answer', use: 'predict', input: good, choices: expect.anything() },
    { event: 'done', metrics: {}, step: 6, failed: 1 },
  ])
  const text = await tenfold('predict', finished, bad)
  expect(text).toMatchObject({
    code: 2,
    out: `${bad}: error: must be a readable picture, found: no picture, or one of a format that is not read\n`,
    err: 'error: 1 of 1 inputs could not be used\n',
  })
})

test('more threads than cores are too many', { timeout: 60_000 }, async () => {
  const cores = availableParallelism()
  const args = ['train', 'mixer/mnist', '--steps', '1', ...small, '--threads', '99', '--out', join(folder, 'threads')]
  expect(await tenfold(...args)).toMatchObject({
    code: 0,
    err: `warning: 99 threads are more than this machine has cores: ${cores} are used\n`,
  })
})

describe('what is no run', () => {
  test('is one line, for every command', { timeout: 60_000 }, async () => {
    const none = join(folder, 'none')
    const commands = ['resume', 'eval', 'predict', 'inspect', 'fewshot', 'export']
    const outcomes = commands.map((command) => {
      const rest = { predict: ['x.png'], export: ['--format', 'onnx', '--out', join(folder, 'x.onnx')] }[command]
      return tenfold(command, none, ...(rest ?? []))
    })
    const err = `error: ${none}: no such directory (tenfold train writes run directories, below runs/)\n`
    expect(await Promise.all(outcomes)).toEqual(commands.map(() => ({ code: 2, out: '', err })))
  })

  test('settings that this version does not know', async () => {
    const run = copyOf('other-version')
    const path = join(run, 'run.json')
    const content = JSON.parse(readFileSync(path, 'utf8'))
    const config = { ...content.config, model: { ...content.config.model, wings: 2 } }
    writeFileSync(path, JSON.stringify({ ...content, config, versions: { ...content.versions, tenfold: '9.8.7' } }))
    expect(await tenfold('eval', run)).toMatchObject({
      code: 2,
      err: expect.stringMatching(
        `^error: ${path}: unknown setting "model.wings" \\(the run was made with tenfold 9.8.7, this is \\d+.\\d+.\\d+\\)\n$`,
      ),
    })
  })

  test('nothing is begun where no run can be, and nothing left where none came about', async () => {
    writeFileSync(join(folder, 'file'), 'text')
    for (const [out, message] of [
      ['file', "option '--out <dir>' argument 'FOLDER/file' is invalid. it is a file."],
      ['file/run', 'FOLDER/file/run: cannot be written (ENOTDIR) (a part of the path is a file, not a folder)'],
    ] as const) {
      const { code, err } = await tenfold('train', 'mixer/mnist', '--out', join(folder, out))
      expect([code, err.replaceAll(folder, 'FOLDER')]).toEqual([2, `error: ${message}\n`])
    }
    const pictures = await tenfold('train', 'mixer/images', '--out', join(folder, 'no-pictures'))
    expect(pictures.code).toBe(2)
    expect(existsSync(join(folder, 'no-pictures'))).toBe(false)
  })
})
