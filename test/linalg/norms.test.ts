import { describe, expect, test } from 'vitest'
import { linalg, tensor } from '../../src/index.ts'
import { expectNear, symmetric, times } from './matrices.ts'

describe('norms', () => {
  const a = tensor([
    [1, -2],
    [3, 4],
  ])
  test.each([
    ['fro', Math.sqrt(30)],
    ['nuc', Math.sqrt(50)],
    [1, 6],
    [-1, 4],
    [Number.POSITIVE_INFINITY, 7],
    [Number.NEGATIVE_INFINITY, 3],
    [2, 5.116672736016927],
    [-2, 1.9543950758485487],
  ] as const)('%s', (order, value) => {
    expect(linalg.matrixNorm(a, { order }).data[0]).toBeCloseTo(value, 6)
  })

  test('trace, condition, roots', () => {
    expect([...linalg.trace(a).data]).toEqual([5])
    expect(linalg.cond(a).data[0]).toBeCloseTo(2.618033988749895, 6)
    expect([
      ...linalg.cond(
        tensor([
          [1, 0],
          [0, 0],
        ]),
      ).data,
    ]).toEqual([Number.POSITIVE_INFINITY])
    const root = linalg.matrixSqrth(symmetric(5, [0, 1, 2, 3, 4]))
    expectNear(times(root, root), symmetric(5, [0, 1, 2, 3, 4]))
  })

  test('a result as a tensor', () => {
    expect(
      linalg.toTensor(
        linalg.inv(
          tensor([
            [2, 0],
            [0, 4],
          ]),
        ),
      ).array,
    ).toEqual({
      dtype: 'float32',
      shape: [2, 2],
      data: Float32Array.of(0.5, 0, 0, 0.25),
    })
  })
})
