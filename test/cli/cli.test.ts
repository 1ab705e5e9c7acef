/** The command line as a user runs it: the built program in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { RunDirectory } from '../../src/train/run.ts'
import { program, small, tenfold } from './process.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-cli-'))

describe('mistakes end in one line and exit code 2', () => {
  test.each([
    [['train', 'mixer/mnits'], 'error: unknown recipe or job "mixer/mnits" (did you mean "mixer/mnist"?)\n'],
    [
      ['train', 'mixer/mnist', '--set', 'optimizer.lt=1'],
      'error: unknown setting "optimizer.lt" (did you mean "optimizer.lr"?)\n',
    ],
    [
      ['train', 'mixer/mnist', '--steps', 'ten'],
      "error: option '--steps <n>' argument 'ten' is invalid. must be a whole number of at least 1.\n",
    ],
    [
      ['train', 'mixer/images'],
      'error: data.folder must name pictures, found "" (--set data.folder=DIR, with one sub-folder per class, or one of mnist, fashion-mnist, cifar10, openmoji)\n',
    ],
    [
      ['train', 'mixer/mnist', '--profile', '/nowhere/profile.txt'],
      "error: option '--profile <file>' argument '/nowhere/profile.txt' is invalid. there is no folder /nowhere.\n",
    ],
    [['trian'], "error: unknown command 'trian' (Did you mean train?)\n"],
    [
      ['resume', '/nowhere'],
      'error: /nowhere: no such directory (tenfold train writes run directories, below runs/)\n',
    ],
    [['info', '/nowhere'], 'error: /nowhere: no such file or directory\n'],
  ])('%j', async (args, message) => {
    expect(await tenfold(...args)).toMatchObject({ code: 2, err: message })
  })
})

test('train, evaluate, predict, export and describe a run', async () => {
  const run = join(folder, 'run')
  const trained = await tenfold(
    'train',
    'mixer/mnist',
    '--steps',
    '20',
    ...small,
    '--out',
    run,
    '--tensorboard',
    '--profile',
    join(folder, 'profile.json'),
    '--json',
  )
  expect(trained.err).toBe('')
  expect(readdirSync(join(run, 'tensorboard'))).toHaveLength(1)
  expect(JSON.parse(readFileSync(join(folder, 'profile.json'), 'utf8'))).toMatchObject({ calls: 10 })
  const events = trained.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(events.filter(({ event }) => event === 'step')).toHaveLength(20)
  expect(events.at(-1)).toMatchObject({
    event: 'done',
    metrics: { accuracy: expect.any(Number), loss: expect.any(Number) },
  })
  expect(readFileSync(join(run, 'report.html'), 'utf8')).toContain('Confusion matrix')

  const evaluated = await tenfold('eval', run, '--json')
  expect(JSON.parse(evaluated.out).metrics).toEqual(events.at(-1).metrics)
  const alone = await tenfold('eval', run, '--json', '--threads', '1')
  expect(JSON.parse(alone.out).metrics.loss).toBeCloseTo(events.at(-1).metrics.loss, 3)
  expect(await tenfold('predict', run, '--threads', '0')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^error: .*threads.*\n$/),
  })

  const model = join(folder, 'model.onnx')
  expect((await tenfold('export', run, '--format', 'onnx', '--out', model)).code).toBe(0)
  expect(await tenfold('export', run, '--format', 'onnx', '--out', join(folder, 'model.safetensors'))).toMatchObject({
    code: 2,
    err: `error: --out must name a .onnx file, found "${join(folder, 'model.safetensors')}" (--out model.onnx, or another --format)\n`,
  })
  const described = await tenfold('info', model)
  expect(described.out).toContain('input image')
  expect(described.out).toContain('uint8[batch, 1, 28, 28]')

  const again = await tenfold('train', 'mixer/mnist', '--out', run)
  expect(again).toMatchObject({
    code: 2,
    err: `error: ${run} already holds a run (continue it with: tenfold resume ${run}, or choose another --out)\n`,
  })
})

function killAfterSteps(child: ChildProcess, steps: number, signal: NodeJS.Signals): Promise<number> {
  return new Promise((resolve) => {
    let seen = 0
    child.stdout?.on('data', (chunk: Buffer) => {
      seen += chunk.toString().split('"event":"step"').length - 1
      if (seen >= steps) child.kill(signal)
    })
    child.on('exit', () => resolve(seen))
  })
}

test('a killed run resumes to the same end as one that was never stopped', async () => {
  const args = ['--steps', '60', ...small, '--set', 'train.checkpoint_every=7', '--json']
  const straight = await tenfold('train', 'mixer/mnist', ...args, '--out', join(folder, 'straight'))
  const broken = join(folder, 'broken')
  const child = spawn(process.execPath, [program, 'train', 'mixer/mnist', ...args, '--out', broken])
  await killAfterSteps(child, 25, 'SIGKILL')
  const resumed = await tenfold('resume', broken, '--json', '--threads', '2')
  const last = (out: string) => JSON.parse(out.trim().split('\n').at(-1) ?? '{}').metrics
  expect(last(resumed.out)).toEqual(last(straight.out))
})

test('the run of a program of its own is not resumed: one line says whose it is', async () => {
  const run = join(folder, 'own')
  await RunDirectory.create(run, {
    ...{ format: 1, system: 'program', recipe: 'own', seed: 0, config: {}, facts: {}, limits: { steps: null } },
    ...{ threads: null, versions: {}, started: new Date().toISOString() },
  })
  for (const flags of [[], ['--epochs', '9'], ['--find-nan']])
    expect(await tenfold('resume', run, ...flags)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^error: .*own is a run of a program of its own, which alone knows its model .*\n$/),
    })
})
