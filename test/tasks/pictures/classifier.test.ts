import { expect, test } from 'vitest'
import { evaluate as evaluateTensors } from '../../../src/compile/program.ts'
import { arrayDataset, DataLoader } from '../../../src/data/index.ts'
import { Linear, Module } from '../../../src/nn/index.ts'
import * as ops from '../../../src/ops/index.ts'
import { classifierEvaluator, classifierScalars, evaluationBatchSize } from '../../../src/tasks/pictures/classifier.ts'
import { type ClassifierOptimizerSettings, classifierOptimizerSettings } from '../../../src/tasks/pictures/settings.ts'
import { trainingTask } from '../../../src/tasks/training.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'

/** Logits linear in the pixels. */
class LinearClassifier extends Module {
  readonly fc = new Linear(4, 3)
  forward(images: Tensor): Tensor {
    return this.fc.forward(ops.reshape(images, [images.shape[0] ?? 0, 4]))
  }
}

const pixels = Uint8Array.of(0, 255, 10, 90, 200, 30, 60, 7, 128, 128, 0, 255, 90, 4, 250, 33)
const labels = [0, 2, 1, 2]
const data = arrayDataset({
  image: { dtype: 'uint8', shape: [4, 1, 2, 2], data: pixels },
  label: { dtype: 'int32', shape: [4], data: Int32Array.from(labels) },
})

interface TaskChoices {
  readonly optimizer?: Partial<ClassifierOptimizerSettings>
  readonly mixup?: number
  readonly averaged?: LinearClassifier
}

function taskOf(model: LinearClassifier, { optimizer = {}, mixup = 0, averaged }: TaskChoices) {
  const evaluate = classifierEvaluator(averaged ?? model)
  const plain = { weight_decay: 0, clip_norm: 0, label_smoothing: 0 }
  return trainingTask({
    model,
    ...(averaged && { averaged }),
    loader: new DataLoader(data, { batchSize: 4, shuffle: true, seed: 0, dropLast: true }),
    optimizer: classifierOptimizerSettings({ lr: 0.5 }).parse({ ...plain, ...optimizer }),
    epochs: 1,
    scalars: (batch) => classifierScalars(model, batch, { label_smoothing: 0, mixup }),
    evaluate: async () => (await evaluate(data)).metrics,
  })
}

/** The order in which the loader hands out the four examples, and the batch. */
async function onlyBatch(task: ReturnType<typeof taskOf>) {
  for await (const batch of task.loader) return batch
  throw new Error('no batch')
}

test('mixup: pictures and labels mixed with the neighbour by one share for the batch', async () => {
  manualSeed(2)
  const model = new LinearClassifier()
  manualSeed(5)
  const [drawn] = await evaluateTensors([ops.randomBeta([], 0.4, 0.4)])
  const a = toNumbers(drawn?.data ?? new Float32Array())[0] ?? Number.NaN
  const share = Math.max(a, 1 - a)
  const [weight, bias] = [toNumbers(model.fc.weight.data), toNumbers(model.fc.bias?.data ?? new Float32Array())]

  manualSeed(5)
  const task = taskOf(model, { mixup: 0.4 })
  const batch = await onlyBatch(task)
  const { loss } = await task.step(batch)
  const image = toNumbers(batch.image?.data ?? pixels)
  const label = toNumbers(batch.label?.data ?? pixels)
  const before = (i: number): number => (i + 3) % 4
  const losses = label.map((own, i) => {
    const at = (n: number, p: number): number => (image[4 * n + p] ?? 0) / 127.5 - 1
    const mixed = [0, 1, 2, 3].map((p) => share * at(i, p) + (1 - share) * at(before(i), p))
    const logits = [0, 1, 2].map((k) => mixed.reduce((sum, x, p) => sum + x * (weight[4 * k + p] ?? 0), bias[k] ?? 0))
    const total = Math.log(logits.reduce((sum, z) => sum + Math.exp(z), 0))
    const loss = (k: number): number => total - (logits[k] ?? 0)
    return share * loss(own) + (1 - share) * loss(label[before(i)] ?? 0)
  })
  expect(share).toBeGreaterThanOrEqual(0.5)
  expect(loss?.item()).toBeCloseTo(losses.reduce((sum, value) => sum + value, 0) / 4, 5)
  await task.step.release()
})

test('weight decay pulls on matrices only', async () => {
  manualSeed(2)
  const [decayed, plain] = [new LinearClassifier(), new LinearClassifier()]
  plain.loadStateDict(decayed.stateDict())
  const weight = toNumbers(decayed.fc.weight.data)
  for (const [model, weight_decay] of [
    [decayed, 0.1],
    [plain, 0],
  ] as const) {
    const task = taskOf(model, { optimizer: { weight_decay } })
    await task.step(await onlyBatch(task))
    await task.step.release()
  }
  expect(toNumbers(decayed.fc.bias?.data ?? pixels)).toEqual(toNumbers(plain.fc.bias?.data ?? pixels))
  const without = toNumbers(plain.fc.weight.data)
  // AdamW: w - lr wd w, decoupled from the gradient.
  for (const [i, value] of toNumbers(decayed.fc.weight.data).entries())
    expect(value).toBeCloseTo((without[i] ?? 0) - 0.5 * 0.1 * (weight[i] ?? 0), 5)
})

test('the averaged model follows the trained one, with the warm-up of its decay', async () => {
  manualSeed(2)
  const [model, averaged] = [new LinearClassifier(), new LinearClassifier()]
  averaged.loadStateDict(model.stateDict())
  const before = toNumbers(model.fc.weight.data)
  const task = taskOf(model, { optimizer: { ema_decay: 0.99 }, averaged })
  await task.step(await onlyBatch(task))
  const after = toNumbers(model.fc.weight.data)
  for (const [i, value] of toNumbers(averaged.fc.weight.data).entries())
    expect(value).toBeCloseTo(0.1 * (before[i] ?? 0) + 0.9 * (after[i] ?? 0), 5)
  expect([...task.variables.keys()].filter((name) => !name.startsWith('optimizer.'))).toEqual([
    'model.fc.weight',
    'model.fc.bias',
    'trained.fc.weight',
    'trained.fc.bias',
    'average.updates',
    'random.calls',
  ])
  await task.step.release()
})

test('large pictures are evaluated a few at a time', () => {
  const pictures = (side: number, length: number) => ({
    ...data,
    length,
    fields: { ...data.fields, image: { dtype: 'uint8', shape: [3, side, side] } as const },
  })
  expect(evaluationBatchSize(pictures(28, 10_000))).toBe(500)
  expect(evaluationBatchSize(pictures(28, 30))).toBe(30)
  expect(evaluationBatchSize(pictures(224, 10_000))).toBe(13)
  expect(evaluationBatchSize(pictures(2000, 10_000))).toBe(1)
})
