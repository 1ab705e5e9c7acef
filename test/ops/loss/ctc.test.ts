/** ctcLoss beside PyTorch 2.15's numbers, and what it refuses; more in `npm run check:ops`. */
import { describe, expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import { emitGraph } from '../../../src/compile/onnx.ts'
import * as ops from '../../../src/ops/index.ts'
import { constant, type Tensor, tensor } from '../../../src/tensor/tensor.ts'
import { IndexError } from '../../../src/util/errors.ts'
import { expectRelative, gradientsOf } from '../../support/values.ts'

const shape = [6, 3, 4] as const
const logits = constant(
  Float32Array.from({ length: 72 }, (_, i) => Math.sin(1.7 * i)),
  shape,
  'float32',
)
const padded = tensor(
  [
    [1, 2, 2],
    [3, 1, 0],
    [2, 0, 0],
  ],
  'int64',
)
const joined = tensor([1, 2, 2, 3, 1, 2], 'int64')
const losses = [5.7276883, 2.7707637, 2.9644724]
const none = { reduction: 'none' } as const

const ctc = (x: Tensor, targets: Tensor, options: ops.CtcLossOptions = none): Tensor =>
  ops.ctcLoss(ops.logSoftmax(x, 2), targets, [6, 5, 4], [3, 2, 1], options)

describe('values and gradients', () => {
  test.each([
    ['padded', padded],
    ['one behind the other', joined],
  ] as const)('targets %s', async (_name, targets) => {
    expectRelative(await ctc(logits, targets).numbers(), losses, 1e-6)
    expectRelative(await ctc(logits, targets, {}).numbers(), [2.0863612], 1e-6)
    expectRelative(await ctc(logits, targets, { reduction: 'sum' }).numbers(), [11.4629244], 1e-6)
  })

  test('lengths that only the graph knows', async () => {
    const run = compile((x: Tensor, inputs: Tensor, targets: Tensor) => [
      ops.ctcLoss(ops.logSoftmax(x, 2), padded, inputs, targets, none),
      ops.ctcLoss(ops.logSoftmax(x, 2), joined, inputs, targets, none),
    ])
    const results = await run(logits, tensor([6, 5, 4], 'int32'), tensor([3, 2, 1], 'int64'))
    for (const result of results) expectRelative([...(result.array.data as Float32Array)], losses, 1e-6)
    await expect(run(logits, tensor([7, 5, 4], 'int32'), tensor([3, 2, 1], 'int64'))).rejects.toThrow(IndexError)
    await run.release()
  })

  test('the gradient by logits', async () => {
    const { data } = logits.array
    const rows = Array.from({ length: 6 }, (_, t) =>
      Array.from({ length: 3 }, (_, i) => Array.from(data.subarray(12 * t + 4 * i, 12 * t + 4 * i + 4), Number)),
    )
    const [g = []] = await gradientsOf((x) => ctc(x, padded), rows)
    const second = [
      0.0407, -0.05539, -0.249263, 0.263952, 0.027197, 0.093662, 0.085957, -0.206816, -0.370972, 0.07289, -0.186949,
      0.485031,
    ]
    for (const [i, value] of second.entries()) expect(g[12 + i]).toBeCloseTo(value, 5)
    // Behind the end of an example nothing counts: steps 4 and 5 of the third.
    expect([...g.slice(56, 60), ...g.slice(68, 72)].every((value) => value === 0)).toBe(true)
  })
})

describe('targets that do not fit', () => {
  const flat = (options: ops.CtcLossOptions): Tensor => {
    const x = ops.zeros([3, 2, 3])
    return ops.ctcLoss(
      ops.logSoftmax(x, 2),
      tensor(
        [
          [1, 1],
          [1, 2],
        ],
        'int64',
      ),
      [2, 3],
      [2, 2],
      options,
    )
  }

  test('cost infinity, or nothing', async () => {
    const finite = -Math.log(5 / 27)
    const found = await flat(none).numbers()
    expect(found[0]).toBe(Number.POSITIVE_INFINITY)
    expectRelative([found[1] ?? 0], [finite], 1e-6)
    expectRelative(await flat({ zeroInfinity: true }).numbers(), [finite / 4], 1e-6)
  })

  test('no steps have one path, that of no labels', async () => {
    const call = (lengths: number[]): Tensor =>
      ops.ctcLoss(ops.zeros([2, 2, 3]), tensor([[1], [1]], 'int64'), [0, 0], lengths, none)
    expect(await call([0, 1]).numbers()).toEqual([0, Number.POSITIVE_INFINITY])
  })
})

test('as many nodes for many steps as for few', () => {
  const count = (steps: number): number => {
    const loss = ops.ctcLoss(ops.zeros([steps, 1, 3]), tensor([[1, 2]], 'int64'), [steps], [2])
    return emitGraph([loss]).nodes.length
  }
  expect(count(500)).toBe(count(5))
})

test('a label that is no class is refused', () => {
  expect(() =>
    ctc(
      logits,
      tensor(
        [
          [1, 2, 2],
          [3, 4, 0],
          [2, 0, 0],
        ],
        'int64',
      ),
    ),
  ).toThrow(
    expect.objectContaining({
      message: expect.stringContaining('ctcLoss: label must lie in 0 to 3, found 4 at [1, 1]'),
    }),
  )
})
