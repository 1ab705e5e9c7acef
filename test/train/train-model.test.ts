import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { arrayDataset, type BatchTensors } from '../../src/data/dataset.ts'
import { DataLoader } from '../../src/data/loader.ts'
import { Dropout, Linear, ReLU, Sequential } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { AdamW } from '../../src/optim/index.ts'
import { manualSeed } from '../../src/tensor/random-state.ts'
import type { Variable } from '../../src/tensor/variable.ts'
import { accuracy, topKAccuracy } from '../../src/train/metrics.ts'
import { predictAll } from '../../src/train/predict-all.ts'
import { trainModel } from '../../src/train/train-model.ts'
import type { TrainOptions, TrainResult } from '../../src/train/train-model-options.ts'
import { TenfoldError } from '../../src/util/errors.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenfold-train-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

type Names = 'x' | 'label'

/** A program as a user has one: a model with dropout, an optimizer with a schedule, data, an evaluation. */
function program(changes: Partial<TrainOptions<Names>> = {}, poison = false) {
  manualSeed(3)
  const model = new Sequential(new Linear(6, 16), new ReLU(), new Dropout(0.2), new Linear(16, 3))
  const optimizer = new AdamW(model.parameters(), { lr: (step) => 0.02 / (1 + step / 10) })
  const values = Float32Array.from({ length: 80 * 6 }, (_, i) => Math.sin(i * i))
  if (poison) values[45 * 6] = Number.NaN
  const data = arrayDataset({
    x: { dtype: 'float32', shape: [80, 6], data: values },
    label: { dtype: 'int32', shape: [80], data: Int32Array.from({ length: 80 }, (_, i) => i % 3) },
  })
  const predict = compile(({ x, label }: BatchTensors<Names>) => {
    const logits = model.forward(x)
    return { logits, loss: ops.crossEntropy(logits, label, { reduction: 'none' }), said: ops.argmax(logits, -1) }
  })
  const options: TrainOptions<Names> = {
    state: { model, optimizer },
    loader: new DataLoader(data, { batchSize: 8, shuffle: true, seed: 3 }),
    step: ({ x, label }) => {
      const loss = ops.crossEntropy(model.forward(x), label)
      optimizer.minimize(loss)
      return { loss }
    },
    evaluate: async () => {
      const { logits, loss, said } = await predictAll(predict, data, { model, batchSize: 32 })
      const labels = data.labels ?? []
      return {
        loss: Array.from(loss.data, Number).reduce((sum, value) => sum + value / data.length, 0),
        accuracy: accuracy(Array.from(said.data, Number), labels),
        top2: topKAccuracy(logits, labels, 2),
      }
    },
    epochs: 3,
    checkpointEvery: 4,
    progress: false,
    ...changes,
  }
  return { model, optimizer, options }
}

const bits = ({ state }: TrainOptions<Names>): string[] =>
  Object.values(state).flatMap((part) =>
    [...(part as { variables(): Map<string, Variable> }).variables().values()].map(({ data }) =>
      Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex'),
    ),
  )

const metricsOf = ({ metrics, reason, step }: TrainResult) => ({ metrics, reason, step })

test('a program that is stopped in the middle and started again ends with the same bits as one that was not', async () => {
  const straight = program()
  const whole = await trainModel(straight.options)
  expect(whole).toMatchObject({ reason: 'finished', step: 30 })

  const path = join(folder, 'stopped')
  const stop = new AbortController()
  const first = program({
    folder: path,
    signal: stop.signal,
    observer: { onStep: ({ step }) => step === 13 && stop.abort() },
  })
  expect(await trainModel(first.options)).toMatchObject({ reason: 'interrupted', step: 13 })
  const second = program({ folder: path, report: true, tensorboard: true, settings: {} })
  const rest = await trainModel(second.options)
  expect(metricsOf(rest)).toEqual(metricsOf(whole))
  expect(bits(second.options)).toEqual(bits(straight.options))

  expect(await readFile(rest.report ?? '', 'utf8')).toContain('<h1>stopped</h1>')
  expect((await readdir(join(path, 'tensorboard'))).length).toBe(1)
  expect(existsSync(join(path, 'checkpoints', 'best.safetensors'))).toBe(true)
  expect((await readdir(path)).filter((name) => name.startsWith('lock'))).toEqual([])
})

test('an epoch more continues; the best weights can be taken back', async () => {
  const path = join(folder, 'longer')
  const monitor = { metric: 'accuracy', goal: 'max' } as const
  await trainModel(program({ folder: path, epochs: 1, monitor }).options)
  const longer = program({ folder: path, monitor })
  const result = await trainModel(longer.options)
  expect(result.step).toBe(30)
  const best = await result.restore('best')
  const { accuracy: found } = (await longer.options.evaluate?.()) ?? {}
  expect(found).toBe(result.best)
  expect(best % 10).toBe(0)
  await expect(result.restore(7)).rejects.toThrow(`${path} has no checkpoint of step 7`)
})

test('ends early without a better evaluation, also without a folder', async () => {
  let calls = 0
  const evaluate = async () => ({ loss: [3, 2, 4, 5, 1][calls++] ?? 0 })
  const result = await trainModel(program({ evaluate, evaluateEvery: 2, patience: 2 }).options)
  expect(result).toMatchObject({ reason: 'early stop', step: 8, best: 2 })
  expect(await result.restore('best')).toBe(4)
})

test('no evaluation: steps and checkpoints alone', async () => {
  const path = join(folder, 'alone')
  const { evaluate: _, ...options } = program({ folder: path, steps: 5 }).options
  const result = await trainModel(options)
  expect(metricsOf(result)).toEqual({ metrics: {}, reason: 'finished', step: 5 })
  expect(result.best).toBe(null)
  expect(await readdir(join(path, 'checkpoints'))).toEqual(['step-00000004.safetensors', 'step-00000005.safetensors'])
})

test('a loss that is not finite names the op, and the state before is saved', async () => {
  const path = join(folder, 'poisoned')
  const { options, model } = program({ folder: path, checkpointEvery: 100 }, true)
  const error = await trainModel(options).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(TenfoldError)
  expect(String(error)).toMatch(
    /the loss became NaN or infinite at step 10: .* gives NaN or infinity in 1 of 48 elements/,
  )
  for (const { data } of model.parameters()) expect([...data].every(Number.isFinite)).toBe(true)
})

test('mistakes are one line', async () => {
  const { model, options } = program({ folder: join(folder, 'settings'), steps: 1, settings: { lr: 0.1 } })
  const failure = (changes: Partial<TrainOptions<Names>>): Promise<string> =>
    trainModel({ ...options, ...changes }).then(
      () => 'it worked',
      (error: TenfoldError) => error.message,
    )
  expect(await failure({ state: { model } })).toBe(
    'trainModel: the step changes what no checkpoint would hold: steps, Variable float32[16, 6], Variable float32[16, 6] and 6 more',
  )
  const { epochs: _, steps: __, ...endless } = options
  await expect(trainModel(endless)).rejects.toThrow('trainModel: how long to train must be said')
  expect(await failure({ folder: join(folder, 'typo'), monitor: { metric: 'acuracy', goal: 'max' } })).toBe(
    'trainModel: monitor.metric is "acuracy", and evaluate gives loss, accuracy, top2',
  )
  expect(await failure({ settings: { lr: 0.2 } })).toBe(
    `${join(folder, 'settings')} holds a run with lr 0.1, and is to continue with 0.2`,
  )
  expect(await failure({ monitor: { metric: 'top2', goal: 'max' } })).toBe(
    `${join(folder, 'settings')} holds a run whose best step is that of monitor {"metric":"loss","goal":"min"}, now {"metric":"top2","goal":"max"}`,
  )
  expect(await failure({ monitor: { metric: 'loss', goal: 'least' as 'min' } })).toBe(
    'trainModel: monitor.goal must be max or min, found "least"',
  )
  expect(await failure({ patience: -1 })).toBe('trainModel: patience must be a whole number of at least 1, found -1')
  expect(await failure({ epoch: 3 } as object)).toBe('trainModel: there is no option "epoch"')
  expect(await failure({ folder: join(folder, 'no-loss'), step: () => ({}) as never })).toBe(
    'trainModel: the step must return scalars by name, loss among them, found an object',
  )
  const { folder: ___, evaluate: ____, ...bare } = options
  await expect(trainModel({ ...bare, tensorboard: true })).rejects.toThrow('trainModel: tensorboard needs a folder')
  await expect(trainModel({ ...bare, patience: 2 })).rejects.toThrow(
    'trainModel: patience needs evaluations, and there is no evaluate',
  )
})

test('an evaluation that leaves the model in its own mode does not change how training goes on', async () => {
  const kept = program()
  await trainModel(kept.options)
  const left = program()
  const { evaluate } = left.options
  const modes: boolean[] = []
  await trainModel({
    ...left.options,
    evaluate: async () => {
      modes.push(left.model.training)
      left.model.eval()
      return (await evaluate?.()) ?? {}
    },
  })
  expect(modes).toEqual([true, true, true])
  expect(bits(left.options)).toEqual(bits(kept.options))
})

test('wrong numbers of steps, results that are no scalars and evaluations that are no numbers are refused', async () => {
  const refused = (changes: Partial<TrainOptions<Names>>) => expect(trainModel(program(changes).options)).rejects
  await refused({ epochs: -1 }).toThrow('trainModel: epochs must be a whole number of at least 0, found -1')
  await refused({ epochs: 1.5 }).toThrow('trainModel: epochs must be a whole number of at least 0, found 1.5')
  await refused({ checkpointEvery: 0 }).toThrow('trainModel: checkpointEvery must be a whole number of at least 1')
  await refused({ step: ({ x }) => ({ loss: ops.mean(x), x }) }).toThrow("trainModel: the step's x must be a scalar")
  const one = { epochs: 1, steps: 1 }
  await refused({ ...one, evaluate: async () => undefined as never }).toThrow(
    'trainModel: what evaluate gives must be an object, found undefined',
  )
  await refused({ ...one, evaluate: async () => ({ loss: 1, name: 'a' }) as never }).toThrow(
    'trainModel: evaluate must give numbers by name, found name "a"',
  )
})

test('a signal that is aborted before the start: no step is made', async () => {
  expect(await trainModel(program({ signal: AbortSignal.abort() }).options)).toMatchObject({
    reason: 'interrupted',
    step: 0,
  })
})

test('predictAll needs an example', async () => {
  const none = arrayDataset({ x: { dtype: 'float32', shape: [0, 2], data: new Float32Array(0) } })
  await expect(predictAll(async () => ({}), none)).rejects.toThrow(
    'predictAll: the data set must have an example, found none',
  )
})
