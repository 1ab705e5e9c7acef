/** What every runtime computes alike where kernels differ: extrema of windows, order, NaN and infinities. */
import { gradient } from '../../src/autodiff/gradient.ts'
import { compile } from '../../src/compile/compile.ts'
import { ResNet } from '../../src/models/index.ts'
import * as ops from '../../src/ops/index.ts'
import * as optim from '../../src/optim/index.ts'
import type { NDArray } from '../../src/tensor/dtype.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { close, equal } from './assert.ts'
import type { Check } from './check.ts'

const [nan, infinity] = [Number.NaN, Number.POSITIVE_INFINITY]

/** Waves in whole steps: windows have equal numbers. */
function waves(...shape: readonly number[]): NDArray {
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => (7 * i) % 13)
  return { dtype: 'float32', shape, data }
}

/** The results of a function of one tensor, all numbers in one list. Of a constant the runtime's optimizer would compute them. */
async function found(x: NDArray | Tensor, run: (x: Tensor) => Tensor | readonly Tensor[]): Promise<number[]> {
  const results = await compile((input: Tensor) => [run(input)].flat())(x)
  const lists = await Promise.all(results.map(async (each) => [...(await each.data())].map(Number)))
  return lists.flat()
}

/** Numbers as texts, so that NaN and infinities are compared. */
const told = (numbers: readonly number[]): string[] => numbers.map(String)

const pools: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  'one axis': (x) => ops.maxPool1d(ops.reshape(x, [2, 3, 20]), 3, { stride: 2, padding: 1 }),
  'two axes': (x) => ops.maxPool2d(x, 3, { stride: 2, padding: 1, ceilMode: true }),
  'two axes, with gaps': (x) => ops.maxPool2d(x, 2, { stride: 1, dilation: 2 }),
  'three axes': (x) => ops.maxPool3d(ops.reshape(x, [1, 2, 3, 4, 5]), 2, { stride: 1 }),
}

export const kernelChecks: readonly Check[] = [
  ...Object.entries(pools).map(
    ([name, pool]): Check => ({
      name: `max pooling over ${name}, of equal numbers the first gets the gradient`,
      run: () =>
        found(waves(2, 3, 4, 5), (x) => {
          const y = pool(x)
          const [g] = gradient(ops.sum(ops.mul(y, y)), [x])
          return [pool(ops.add(x, 1)), y, g as Tensor]
        }),
    }),
  ),
  {
    name: 'max pooling passes over NaN, unless all of a window is NaN',
    run: async () => {
      const x = tensor([[[1, nan, nan, nan, -infinity, -infinity, 4, 4]]])
      equal(told(await found(x, (t) => ops.maxPool1d(t, 2))), ['1', 'NaN', '-Infinity', '4'])
      const slopes = await found(x, (t) => gradient(ops.sum(ops.maxPool1d(t, 2)), [t])[0] as Tensor)
      equal([slopes[0], slopes[6], slopes[7]], [1, 1, 0])
      return []
    },
  },
  {
    name: 'a ResNet with its standard stem learns',
    run: async () => {
      const model = new ResNet({ block: 'basic', layers: [1, 1], width: 8, numClasses: 2 })
      const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 })
      const step = compile((x: Tensor, y: Tensor) => {
        const loss = ops.crossEntropy(model.forward(x), y)
        optimizer.minimize(loss)
        return loss
      })
      const losses: number[] = []
      for (let i = 0; i < 2; i++) losses.push((await step(waves(2, 3, 32, 32), tensor([1, 0], 'int32'))).item())
      return losses
    },
  },
  {
    name: 'sorting: equal numbers in their order, NaN as the greatest',
    run: async () => {
      const x = tensor([
        [nan, 0, -0, infinity, 3.4e38, -infinity, -3.4e38, 1e-30, -1e-30, 3, 3, nan, 2],
        [0, -0, 0, -0, 5, 5, 1, 1, 1, 2e-30, -2e-30, -infinity, infinity],
      ])
      equal(await found(x, (t) => ops.argsort(t)), [
        ...[5, 6, 8, 1, 2, 7, 12, 9, 10, 4, 3, 0, 11],
        ...[11, 10, 0, 1, 2, 3, 9, 6, 7, 8, 4, 5, 12],
      ])
      equal(await found(x, (t) => ops.argsort(t, -1, { descending: true })), [
        ...[0, 11, 3, 4, 9, 10, 12, 7, 1, 2, 8, 6, 5],
        ...[12, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 10, 11],
      ])
      equal((await found(x, (t) => ops.topk(t, 1, 0, { largest: false })[1])).slice(0, 4), [1, 0, 0, 1])
      equal(told(await found(x, (t) => ops.topk(t, 3)[0])), ['NaN', 'NaN', 'Infinity', 'Infinity', '5', '5'])
      equal(told(await found(x, (t) => ops.sort(t)[0])).slice(9, 13), [
        '3.3999999521443642e+38',
        'Infinity',
        'NaN',
        'NaN',
      ])
      return []
    },
  },
  {
    name: 'sorting long rows, medians, and whole numbers',
    run: () =>
      found(waves(3, 1000), (x) => [
        ...ops.sort(x),
        ...ops.topk(x, 2, 0, { largest: false }),
        ops.median(x),
        ops.argsort(ops.cast(x, 'int32')),
      ]),
  },
  {
    name: 'what needs float64 computes with it, or says that it is lacking',
    run: async () => {
      const x = tensor([3])
      const told = await found(x, ops.lgamma).catch((error: Error) => error.message.split('\n', 1)[0])
      if (told !== 'lgamma computes in float64, which WebGPU lacks') close(told as number[], [Math.log(2)])
      return []
    },
  },
  {
    name: 'draws without replacement',
    run: () => found(tensor([[0.2, 0.3, 0.5]]), (weights) => ops.multinomial(weights, 2)),
  },
  {
    name: 'NaN stays NaN, and what has no logarithm or power gets it',
    run: async () => {
      const x = tensor([nan, -2, 0, 1, infinity])
      equal(told(await found(x, (t) => ops.relu(t))), ['NaN', '0', '0', '1', 'Infinity'])
      equal(told(await found(x, (t) => ops.log(t))), ['NaN', 'NaN', '-Infinity', '0', 'Infinity'])
      equal(told(await found(x, (t) => ops.log1p(ops.sub(t, 1)))), ['NaN', 'NaN', '-Infinity', '0', 'Infinity'])
      equal(told(await found(x, (t) => ops.pow(t, 2.5))), ['NaN', 'NaN', '0', '1', 'Infinity'])
      return []
    },
  },
]
