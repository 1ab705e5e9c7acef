import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { arrayDataset, type BatchTensors } from '../../src/data/dataset.ts'
import { DataLoader } from '../../src/data/loader.ts'
import { Linear } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { AdamW } from '../../src/optim/index.ts'
import { manualSeed, randomState } from '../../src/tensor/random-state.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { chosenCheckpoint, listCheckpoints } from '../../src/train/checkpoint.ts'
import { type LoopOptions, type TrainingTask, train } from '../../src/train/loop.ts'
import { RunDirectory } from '../../src/train/run.ts'

/** A small network with dropout on made-up data: everything that must be resumed takes part. */
function makeTask(poison = false): TrainingTask<'x' | 'label'> {
  manualSeed(1)
  const layers = [new Linear(6, 16), new Linear(16, 3)] as const
  const optimizer = new AdamW(
    layers.flatMap((layer) => layer.parameters()),
    { lr: (step) => 0.01 / (1 + step / 10) },
  )
  const values = Float32Array.from({ length: 80 * 6 }, (_, i) => Math.sin(i * i))
  if (poison) values[45 * 6] = Number.NaN
  const data = arrayDataset({
    x: { dtype: 'float32', shape: [80, 6], data: values },
    label: { dtype: 'int32', shape: [80], data: Int32Array.from({ length: 80 }, (_, i) => i % 3) },
  })
  const logitsOf = (x: Tensor, training: boolean): Tensor =>
    layers[1].forward(ops.dropout(ops.relu(layers[0].forward(x)), 0.2, { training }))
  const step = compile(({ x, label }: BatchTensors<'x' | 'label'>) => {
    const loss = ops.crossEntropy(logitsOf(x, true), label)
    optimizer.minimize(loss, { clipNorm: 1 })
    return { loss }
  })
  const evaluateAll = compile((x: Tensor, label: Tensor) => ops.crossEntropy(logitsOf(x, false), label))
  const variables = new Map([
    ...layers.flatMap((layer, i) =>
      [...layer.variables()].map(([name, variable]) => [`model.${i}.${name}`, variable] as const),
    ),
    ...[...optimizer.variables()].map(([name, variable]) => [`optimizer.${name}`, variable] as const),
    ['random.calls', randomState().calls] as const,
  ])
  return {
    variables,
    loader: new DataLoader(data, { batchSize: 8, shuffle: true, seed: 3 }),
    step,
    evaluate: async () => {
      const all = await data.batch(
        Array.from({ length: 40 }, (_, i) => i),
        { epoch: 0, seed: 0 },
      )
      return { loss: (await evaluateAll(all.x, all.label)).item() }
    },
  }
}

const options: LoopOptions = {
  epochs: 4,
  checkpointEvery: 3,
  keepCheckpoints: 2,
  monitor: { metric: 'loss', goal: 'min' },
}

async function newRun(): Promise<RunDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'tenfold-run-'))
  return RunDirectory.create(join(path, 'run'), {
    format: 1,
    system: 'test',
    recipe: 'test',
    seed: 0,
    config: {},
    facts: {},
    limits: { steps: null },
    threads: null,
    tensorboard: false,
    versions: {},
    started: '',
  })
}

test('evaluates in between as often as asked for, and resumes to the same end', async () => {
  const evaluatedAt = async (run: RunDirectory): Promise<number[]> =>
    (await run.readMetrics()).filter(({ type }) => type === 'evaluation').map(({ step }) => step)
  const often = { ...options, epochs: 2, evaluateEvery: 4 }
  const straight = await newRun()
  const whole = await train(makeTask(), straight, often)
  expect(await evaluatedAt(straight)).toEqual([4, 8, 10, 12, 16, 20])

  const broken = await newRun()
  await train(makeTask(), broken, { ...often, steps: 13 })
  const rest = await train(makeTask(), broken, often)
  expect(rest.metrics).toEqual(whole.metrics)
})

const snapshot = (task: Pick<TrainingTask, 'variables'>): [string, string][] =>
  [...task.variables].map(([name, { data }]) => [
    name,
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex'),
  ])

describe('training', () => {
  test('40 steps straight equal 20 steps, a stop, and 20 more, bit by bit', async () => {
    const [straightRun, brokenRun] = [await newRun(), await newRun()]
    const straight = makeTask()
    const result = await train(straight, straightRun, options)
    expect(result).toMatchObject({ reason: 'finished', step: 40 })
    const expected = snapshot(straight)

    const controller = new AbortController()
    const first = await train(
      makeTask(),
      brokenRun,
      { ...options, signal: controller.signal },
      {
        onStep: ({ step }) => step === 17 && controller.abort(),
      },
    )
    expect(first).toMatchObject({ reason: 'interrupted', step: 17 })
    const second = makeTask()
    await train(second, brokenRun, options)
    expect(snapshot(second)).toEqual(expected)
    const steps = (lines: Awaited<ReturnType<RunDirectory['readMetrics']>>) =>
      lines.filter(({ type }) => type === 'step')
    expect(steps(await brokenRun.readMetrics())).toEqual(steps(await straightRun.readMetrics()))
  })

  test('keeps the newest checkpoints and the best one', async () => {
    const run = await newRun()
    await train(makeTask(), run, { ...options, epochs: 2 })
    expect((await readdir(run.checkpoints)).sort()).toEqual([
      'best.safetensors',
      'step-00000018.safetensors',
      'step-00000020.safetensors',
    ])
  })

  test('the start is kept if asked for, so that a run killed at once goes on from its own weights', async () => {
    const run = await newRun()
    const saved: string[] = []
    await train(
      makeTask(),
      run,
      { ...options, epochs: 1, saveStart: true },
      { onCheckpoint: (path) => saved.push(path) },
    )
    expect(saved[0]).toMatch(/step-00000000\.safetensors$/)
    const before = saved.length
    await train(
      makeTask(),
      run,
      { ...options, epochs: 1, saveStart: true },
      { onCheckpoint: (path) => saved.push(path) },
    )
    expect(saved).toHaveLength(before)
  })

  test('a damaged newest checkpoint is said, passed over, and put aside', async () => {
    const run = await newRun()
    await train(makeTask(), run, { ...options, epochs: 2 })
    const [, newest = ''] = await listCheckpoints(run.checkpoints)
    await writeFile(newest, (await readFile(newest)).subarray(0, 100))
    const task = makeTask()
    const steps: number[] = []
    const warnings: string[] = []
    await train(
      task,
      run,
      { ...options, epochs: 2 },
      { onStep: ({ step }) => steps.push(step), onWarning: (message) => warnings.push(message) },
    )
    expect(steps).toEqual([19, 20])
    expect(warnings).toEqual([
      expect.stringMatching(`^${newest}: safetensors: the header must have at most 92 bytes, the file says \\d+$`),
      'continuing from step 18, whose checkpoint is intact',
    ])
    expect((await readdir(run.checkpoints)).sort()).toEqual([
      'best.safetensors',
      'step-00000018.safetensors',
      'step-00000020.damaged',
      'step-00000020.safetensors',
    ])
  })

  test('when only the best checkpoint is whole, training goes on from it', async () => {
    const run = await newRun()
    await train(makeTask(), run, { ...options, epochs: 2 })
    const best = join(run.checkpoints, 'best.safetensors')
    const bytes = await readFile(best)
    for (const path of await listCheckpoints(run.checkpoints)) await writeFile(path, 'damaged')
    await rm(best)
    await writeFile(best, bytes)
    expect(await train(makeTask(), run, { ...options, epochs: 3 })).toMatchObject({ reason: 'finished', step: 30 })
  })

  test('a run whose checkpoints are all damaged does not begin anew', async () => {
    const run = await newRun()
    await train(makeTask(), run, { ...options, epochs: 2 })
    const metrics = await run.readMetrics()
    for (const name of await readdir(run.checkpoints)) await writeFile(join(run.checkpoints, name), 'damaged')
    await expect(train(makeTask(), run, { ...options, epochs: 2 })).rejects.toThrow(
      `${run.checkpoints}: every checkpoint is damaged`,
    )
    expect(await run.readMetrics()).toEqual(metrics)
    expect(await readdir(run.checkpoints)).toHaveLength(3)
  })

  test('a run begins anew until its first checkpoint, and never after', async () => {
    const run = await newRun()
    // Logged, and killed before the checkpoint was written.
    await run.append([{ type: 'step', step: 1, epoch: 0, loss: 1 }])
    const begun = async () => (await RunDirectory.open(run.path)).description.begun
    expect(await begun()).toBe(false)
    expect(await train(makeTask(), run, { ...options, steps: 2 })).toMatchObject({ reason: 'finished', step: 2 })
    expect((await run.readMetrics()).map(({ step }) => step)).toEqual([1, 2, 2])
    expect(await begun()).toBe(true)
    await rm(run.checkpoints, { recursive: true })
    const metrics = await run.readMetrics()
    await expect(train(makeTask(), await RunDirectory.open(run.path), options)).rejects.toThrow(
      `${run.checkpoints}: the checkpoints of the run are gone`,
    )
    expect(await run.readMetrics()).toEqual(metrics)
  })

  test('a run of a version that did not note its first checkpoint has begun if anything is logged', async () => {
    const run = await newRun()
    await train(makeTask(), run, { ...options, steps: 2 })
    const file = join(run.path, 'run.json')
    const { begun, ...older } = JSON.parse(await readFile(file, 'utf8'))
    expect(begun).toBe(true)
    await writeFile(file, JSON.stringify(older))
    const opened = await RunDirectory.open(run.path)
    expect(await opened.hasBegun()).toBe(true)
    await train(makeTask(), opened, { ...options, steps: 2 })
    expect((await RunDirectory.open(run.path)).description.begun).toBe(true)
  })

  test('steps that are missing in the log are said', async () => {
    const run = await newRun()
    const resume = async (steps: number): Promise<string[]> => {
      const warnings: string[] = []
      await train(makeTask(), run, { ...options, steps }, { onWarning: (message) => warnings.push(message) })
      return warnings
    }
    expect(await resume(4)).toEqual([])
    expect(await resume(6)).toEqual([])
    const lacks = (missing: number, of: number) =>
      `${run.metrics}: lacks ${missing} of the first ${of} steps; training continues, but its curves have a gap`
    const text = await readFile(run.metrics, 'utf8')
    await writeFile(run.metrics, text.slice(0, text.indexOf('"step":3')))
    expect(await resume(7)).toEqual([lacks(4, 6)])
    await rm(run.metrics)
    expect(await resume(8)).toEqual([lacks(7, 7)])
  })

  test('between equals, the lower loss is the best', async () => {
    const run = await newRun()
    const losses = [3, 2, 2.5, 1]
    const accuracies = [0.5, 0.5, 0.5, 0.4]
    let count = 0
    const evaluate = async () => ({ accuracy: accuracies[count] ?? 0, loss: losses[count++] ?? 0 })
    const best: boolean[] = []
    const monitor = { metric: 'accuracy', goal: 'max' } as const
    // In sessions of two epochs each: what was the best is remembered.
    for (const epochs of [2, 4]) {
      await train(
        { ...makeTask(), evaluate },
        run,
        { ...options, epochs, monitor },
        { onEvaluation: (_step, _epoch, _metrics, isBest) => best.push(isBest) },
      )
    }
    expect(best).toEqual([true, true, false, false])
    expect((await chosenCheckpoint('RUN', run.checkpoints, 'best')).state).toMatchObject({ best: 0.5, bestStep: 20 })
  })

  test('the metric that decides must be one that evaluation gives', async () => {
    const monitor = { metric: 'acuracy', goal: 'max' } as const
    const evaluate = async () => ({ accuracy: 1, loss: 1 })
    await expect(
      train({ ...makeTask(), evaluate }, await newRun(), { ...options, epochs: 1, monitor }),
    ).rejects.toThrow('train: monitor.metric is "acuracy", and evaluate gives accuracy, loss')
  })

  test('a process that was killed before it named the best checkpoint leaves no wrong one', async () => {
    const run = await newRun()
    await train(makeTask(), run, { ...options, epochs: 2 })
    const best = join(run.checkpoints, 'best.safetensors')
    const expected = await readFile(best)
    await rm(best)
    await train(makeTask(), run, { ...options, epochs: 2 })
    expect((await readFile(best)).equals(expected)).toBe(true)
  })

  test('a loss that is not finite stops before it does damage, and the op is found', async () => {
    const run = await newRun()
    const task = makeTask(true)
    const result = await train(task, run, options)
    expect(result.reason).toBe('not finite')
    for (const { data } of task.variables.values())
      for (const value of Array.from(data as Float32Array, Number)) expect(value).not.toBeNaN()
    for await (const batch of task.loader) {
      expect(await task.step.findNotFinite(batch)).toMatch(/^matmul|^linear|^addmm|^permute|^reshape/)
      break
    }
    await rm(run.path, { recursive: true })
  })

  test('a test loss that is not finite ends it, and is never the best one', async () => {
    const run = await newRun()
    const losses = [2, Number.NaN]
    const result = await train({ ...makeTask(), evaluate: async () => ({ loss: losses.shift() ?? 0 }) }, run, options)
    expect(result).toMatchObject({ reason: 'not finite', step: 20, savedStep: 20, best: 2 })
    expect((await run.chosenCheckpoint('best', () => undefined)).state.step).toBe(10)
  })

  test('a metric that is not finite is no improvement, be it the first one', async () => {
    const run = await newRun()
    const values = [Number.NaN, 1, Number.NaN, Number.POSITIVE_INFINITY]
    const evaluate = async () => ({ loss: 1, accuracy: values.shift() ?? 0 })
    const monitor = { metric: 'accuracy', goal: 'max' } as const
    const result = await train({ ...makeTask(), evaluate }, run, { ...options, monitor })
    expect(result).toMatchObject({ reason: 'finished', best: 1 })
    expect((await run.chosenCheckpoint('best', () => undefined)).state.step).toBe(20)
  })

  test('a state that is not finite itself takes the place of no checkpoint', async () => {
    const run = await newRun()
    const task = makeTask()
    const evaluate = async () => {
      const [weight] = task.variables.values()
      weight?.set(new Float32Array(weight.size).fill(Number.POSITIVE_INFINITY))
      return { loss: Number.NaN }
    }
    const result = await train({ ...task, evaluate }, run, options)
    expect(result).toMatchObject({ reason: 'not finite', step: 10, savedStep: 9, best: null })
    expect((await run.newestCheckpoint(() => undefined))?.state.step).toBe(9)
  })

  test('stops early when nothing gets better', async () => {
    const run = await newRun()
    const trainAgain = (run: RunDirectory) =>
      train({ ...makeTask(), evaluate: async () => ({ loss: 1 }) }, run, { ...options, epochs: 100, patience: 3 })
    expect(await trainAgain(run)).toMatchObject({ reason: 'early stop', step: 40, best: 1 })
    // Opened again it is at its end; a run that is made longer is given its patience anew.
    expect(await trainAgain(run)).toMatchObject({ reason: 'early stop', step: 40 })
    const longer = run.changed({ extensions: [{ step: 40, epochs: 100, steps: null }] })
    expect(await trainAgain(longer)).toMatchObject({ reason: 'early stop', step: 70 })
  })
})
