/** Linear algebra in the graph beside that of numbers, in sizes that no sample has. */
import { describe, expect, test } from 'vitest'
import { emitGraph } from '../../../src/compile/onnx.ts'
import { linalg, ops, type Tensor, tensor } from '../../../src/index.ts'
import { constant } from '../../../src/tensor/tensor.ts'
import { randomNumbers } from '../../support/gradients.ts'
import { gradientsOf, valuesOf } from '../../support/values.ts'

const n = 40
const next = randomNumbers(3)
const a = constant(
  Float32Array.from({ length: n * n }, () => 2 * next() - 1),
  [n, n],
  'float32',
)
const b = constant(
  Float32Array.from({ length: 3 * n }, () => 2 * next() - 1),
  [n, 3],
  'float32',
)

function expectNear(found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = 1e-4): void {
  expect(found.length).toBe(wanted.length)
  for (let i = 0; i < found.length; i++)
    expect(Math.abs((found[i] ?? Number.NaN) - (wanted[i] ?? 0))).toBeLessThan(
      tolerance * Math.max(1, Math.abs(wanted[i] ?? 0)),
    )
}

describe(`of ${n} rows, as outside of the graph`, () => {
  test('solve and inverse', async () => {
    expectNear(await ops.solve(a, b).numbers(), linalg.solve(a, b).data)
    expectNear(await ops.inverse(a).numbers(), linalg.inv(a).data)
  })

  test('slogdet and det', async () => {
    const [sign, logarithm] = ops.slogdet(a)
    const exact = linalg.slogdet(a)
    expect(await sign.numbers()).toEqual([...exact.sign.data])
    expectNear(await logarithm.numbers(), exact.logAbsDet.data)
    const small = constant(await ops.mul(a, 0.2).data(), [n, n], 'float32')
    expectNear(await ops.det(small).numbers(), linalg.det(small).data)
  })

  test('cholesky and solveTriangular', async () => {
    const definite = ops.add(ops.matmul(a, ops.transpose(a)), ops.eye(n))
    const numbers = constant(await definite.data(), [n, n], 'float32')
    const l = linalg.toTensor(linalg.cholesky(numbers))
    expectNear(await ops.cholesky(numbers).numbers(), l.array.data as Float32Array)
    const x = linalg.solveTriangular(l, b, { upper: false })
    expectNear(await ops.solveTriangular(l, b, { upper: false }).numbers(), x.data)
  })
})

test('as many nodes for large matrices as for small ones', () => {
  const count = (size: number): number => emitGraph([ops.inverse(ops.add(ops.zeros([size, size]), 1))]).nodes.length
  expect(count(300)).toBe(count(3))
})

describe('what has no answer', () => {
  test('is infinite or NaN, without an error', async () => {
    const flat = [
      [1, 2],
      [2, 4],
    ]
    expect((await valuesOf((x) => ops.inverse(x), flat)).every(Number.isFinite)).toBe(false)
    expect((await valuesOf((x) => ops.solve(x, tensor([1, 3])), flat)).every(Number.isFinite)).toBe(false)
    expect(
      await valuesOf(
        (x) => ops.cholesky(x),
        [
          [1, 2],
          [2, 1],
        ],
      ),
    ).toEqual([1, 0, 2, Number.NaN])
    expect((await ops.slogdet(tensor(flat))[0].numbers()).map(Math.abs)).toEqual([0])
    expect(await ops.slogdet(tensor(flat))[1].numbers()).toEqual([Number.NEGATIVE_INFINITY])
    expect((await ops.det(tensor(flat)).numbers()).map(Math.abs)).toEqual([0])
  })

  test('one singular matrix leaves the others of its batch alone', async () => {
    const found = await valuesOf(
      (x) => ops.inverse(x),
      [
        [
          [0, 0],
          [0, 0],
        ],
        [
          [2, 0],
          [0, 4],
        ],
      ],
    )
    expect(found.slice(4)).toEqual([0.5, 0, 0, 0.25])
  })
})

test('no matrices, and matrices without rows', async () => {
  expect(ops.inverse(ops.zeros([0, 2, 2])).shape).toEqual([0, 2, 2])
  expect(await ops.det(ops.zeros([2, 0, 0])).numbers()).toEqual([1, 1])
})

test('a product over an empty inner axis is 0, transposed or not', async () => {
  const empty = ops.zeros([2, 3, 0])
  const product = (x: Tensor): Tensor => ops.matmul(x, ops.transpose(empty))
  expect(await product(empty).numbers()).toEqual(new Array(18).fill(0))
})

test('norms whose gradient is that of one row or column', async () => {
  const [g = []] = await gradientsOf(
    (x) => ops.matrixNorm(x, Number.POSITIVE_INFINITY),
    [
      [1, -2],
      [3, -4],
    ],
  )
  expect(g).toEqual([0, 0, 1, -1])
})
