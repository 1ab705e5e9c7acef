/** Linear algebra outside of the graph: what decompositions are made of gives the matrix again, errors are one line with facts. */
import { describe, expect, test } from 'vitest'
import { linalg, tensor } from '../../src/index.ts'
import { LinalgError } from '../../src/util/errors.ts'
import { diagonal, expectNear, mirrored, random, symmetric, times, unit } from './matrices.ts'

const sizes = [1, 2, 3, 5, 33, 70]

describe('eigh', () => {
  test.each(sizes)('of %i rows', (n) => {
    const a = symmetric(n)
    const { values, vectors } = linalg.eigh(a)
    expectNear(times(mirrored(vectors), vectors), unit(n))
    expectNear(times(times(vectors, diagonal(values.data)), mirrored(vectors)), a)
    expect([...values.data]).toEqual([...values.data].sort((x, y) => x - y))
    expectNear(linalg.eigvalsh(a), values)
  })

  test.each([
    ['equal', [2, 2, 2, 2]],
    ['zero', [0, 0, 0, 0]],
    ['of a projection', [0, 0, 0, 1]],
    ['far apart', [1e-12, 1e-6, 1, 1e6]],
    ['of both signs', [-3, -3, 3, 3]],
  ])('of eigenvalues that are %s', (_name, values) => {
    const size = Math.max(1, ...values)
    expectNear(linalg.eigvalsh(symmetric(4, values)), { shape: [4], data: Float64Array.from(values) }, 1e-14 * 4 * size)
  })

  test('neither overflows nor vanishes', () => {
    for (const scale of [1e200, 1e-200]) {
      const a = { shape: [2, 2], data: Float64Array.of(2 * scale, scale, scale, 2 * scale) }
      const found = linalg.eigvalsh(a).data.map((value) => value / scale)
      expectNear({ shape: [2], data: found }, { shape: [2], data: Float64Array.of(1, 3) })
    }
  })

  test('reads the lower triangle only', () => {
    const { values } = linalg.eigh(
      tensor([
        [2, 99],
        [1, 2],
      ]),
    )
    expectNear(values, { shape: [2], data: Float64Array.of(1, 3) })
  })

  test('a batch, and no rows', () => {
    const { values, vectors } = linalg.eigh(random([2, 3, 4, 4]))
    expect([values.shape, vectors.shape]).toEqual([
      [2, 3, 4],
      [2, 3, 4, 4],
    ])
    expect(linalg.eigh(random([0, 0])).values.shape).toEqual([0])
  })
})

describe('svd', () => {
  const shapes = [
    [1, 1],
    [3, 3],
    [5, 2],
    [2, 5],
    [40, 33],
    [33, 40],
    [4, 0],
  ] as const
  test.each(shapes)('of [%i, %i]', (rows, columns) => {
    const a = random([rows, columns])
    const { u, s, vh } = linalg.svd(a)
    const k = Math.min(rows, columns)
    expectNear(times(mirrored(u), u), unit(k))
    expectNear(times(vh, mirrored(vh)), unit(k))
    expectNear(times(times(u, diagonal(s.data)), vh), a)
    expect([...s.data]).toEqual([...s.data].sort((x, y) => y - x))
  })

  test('of a matrix without full rank: vectors of 0 complete the others', () => {
    const a = times(random([8, 2]), random([2, 6], 3))
    const { u, s, vh } = linalg.svd(a)
    expectNear(times(mirrored(u), u), unit(6))
    expectNear(times(times(u, diagonal(s.data)), vh), a)
    expect(s.data.slice(2).every((value) => value < 1e-14)).toBe(true)
    expect([...linalg.matrixRank(a).data]).toEqual([2])
    expectNear(
      times(
        mirrored(
          linalg.svd(
            tensor([
              [0, 0],
              [0, 0],
            ]),
          ).u,
        ),
        unit(2),
      ),
      unit(2),
    )
  })

  test('small values are as exact as large ones', () => {
    const values = [1, 1e-4, 1e-8, 1e-11]
    const left = linalg.qr(random([6, 4], 7)).q
    const right = linalg.qr(random([4, 4], 8)).q
    const { u, s } = linalg.svd(times(times(left, diagonal(values)), mirrored(right)))
    for (const [i, value] of values.entries()) expect(Math.abs((s.data[i] ?? 0) - value)).toBeLessThan(1e-15)
    expectNear(times(mirrored(u), u), unit(4))
  })
})

describe('qr', () => {
  test.each([
    [3, 3],
    [70, 40],
    [40, 70],
    [1, 3],
    [3, 1],
  ] as const)('of [%i, %i]', (rows, columns) => {
    const a = random([rows, columns])
    for (const mode of ['reduced', 'complete'] as const) {
      const { q, r } = linalg.qr(a, { mode })
      const width = mode === 'complete' ? rows : Math.min(rows, columns)
      expectNear(times(mirrored(q), q), unit(width))
      expectNear(times(q, r), a)
      expect(r.data.every((value, i) => Math.floor(i / columns) <= i % columns || value === 0)).toBe(true)
    }
  })
})

describe('equations', () => {
  test.each(sizes.concat(100))('of %i rows', (n) => {
    const [a, b] = [random([n, n]), random([n, 3], 2)]
    expectNear(times(a, linalg.solve(a, b)), b, 1e-10)
    expectNear(times(a, linalg.inv(a)), unit(n), 1e-10)
    const { sign, logAbsDet } = linalg.slogdet(a)
    expect(sign.data[0]).toBe(Math.sign(linalg.det(a).data[0] ?? 0))
    const logarithms = linalg.svd(a).s.data.reduce((sum, value) => sum + Math.log(value), 0)
    expect(Math.abs((logAbsDet.data[0] ?? 0) - logarithms)).toBeLessThan(1e-9)
  })

  test.each([3, 100])('triangular, of %i rows', (n) => {
    const a = symmetric(
      n,
      Array.from({ length: n }, (_, i) => 1 + i),
    )
    const l = linalg.cholesky(a)
    expectNear(times(l, mirrored(l)), a, 1e-11)
    const b = random([n, 2])
    const once = linalg.solveTriangular(l, b, { upper: false })
    expectNear(times(l, once), b, 1e-11)
    expectNear(times(a, linalg.solveTriangular(mirrored(l), once, { upper: true })), b, 1e-10)
  })

  test('determinants know their sign', () => {
    expect([
      ...linalg.det(
        tensor([
          [0, 1],
          [1, 0],
        ]),
      ).data,
    ]).toEqual([-1])
    expect([
      ...linalg.det(
        tensor([
          [1, 2],
          [2, 4],
        ]),
      ).data,
    ]).toEqual([0])
    expect([
      ...linalg
        .det(
          tensor([
            [
              [2, 0],
              [0, 3],
            ],
            [
              [0, 2],
              [3, 0],
            ],
          ]),
        )
        .data.map(Math.round),
    ]).toEqual([6, -6])
  })

  test('vectors, and batches that broadcast', () => {
    expect(
      linalg.solve(
        tensor([
          [2, 0],
          [0, 4],
        ]),
        tensor([2, 4]),
      ),
    ).toEqual({ shape: [2], data: Float64Array.of(1, 1) })
    const [a, b] = [random([2, 1, 3, 3]), random([4, 3, 2], 6)]
    const x = linalg.solve(a, b)
    expect(x.shape).toEqual([2, 4, 3, 2])
    const first = { shape: [3, 3], data: a.data.subarray(9) }
    const last = { shape: [3, 2], data: x.data.subarray(7 * 6) }
    expectNear(times(first, last), { shape: [3, 2], data: b.data.subarray(18) })
  })

  test('least squares, of full rank and not', () => {
    const [a, b] = [random([9, 4]), random([9], 2)]
    const x = linalg.lstsq(a, b)
    const rest = times(a, { shape: [4, 1], data: x.data }).data.map((value, i) => value - (b.data[i] ?? 0))
    expectNear(times(mirrored(a), { shape: [9, 1], data: rest }), { shape: [4, 1], data: new Float64Array(4) })
    const flat = tensor([
      [1, 1],
      [1, 1],
      [1, 1],
    ])
    expectNear(linalg.lstsq(flat, tensor([2, 2, 2])), { shape: [2], data: Float64Array.of(1, 1) }, 1e-7)
    expectNear(linalg.pinv(flat), { shape: [2, 3], data: new Float64Array(6).fill(1 / 6) }, 1e-7)
  })
})

describe('errors', () => {
  const wide = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ])
  test.each([
    [
      'linalg.cholesky: a must be positive definite, found pivot -3 in row 1',
      () =>
        linalg.cholesky(
          tensor([
            [1, 2],
            [2, 1],
          ]),
        ),
    ],
    [
      'linalg.cholesky: a must be positive definite, found pivot 0 in row 0 of matrix [1]',
      () => linalg.cholesky(tensor([[[1]], [[0]]])),
    ],
    [
      'linalg.inv: a must be regular, found no pivot in column 1',
      () =>
        linalg.inv(
          tensor([
            [1, 2],
            [2, 4],
          ]),
        ),
    ],
    [
      'linalg.solveTriangular: a must be regular, found no pivot in column 0',
      () =>
        linalg.solveTriangular(
          tensor([
            [0, 2],
            [2, 4],
          ]),
          tensor([1, 2]),
          { upper: false },
        ),
    ],
    [
      'linalg.matrixSqrth: a must have no eigenvalue below 0, found -1',
      () =>
        linalg.matrixSqrth(
          tensor([
            [1, 0],
            [0, -1],
          ]),
        ),
    ],
    [
      'linalg.eigh: a must be finite, found NaN at element 3',
      () =>
        linalg.eigh(
          tensor([
            [1, 0],
            [0, Number.NaN],
          ]),
        ),
    ],
  ])('%s', (message, call) => {
    expect(call).toThrow(LinalgError)
    expect(call).toThrow(expect.objectContaining({ message }))
  })

  test.each([
    ['linalg.inv: a must be square matrices [..., n, n], found [2, 3]', () => linalg.inv(wide)],
    ['linalg.svd: a must be [..., rows, columns], found [2]', () => linalg.svd(tensor([1, 2]))],
    [
      'linalg.lstsq: b must have a row for each row of a, found a [2, 3], b [3]',
      () => linalg.lstsq(wide, tensor([1, 2, 3])),
    ],
    [
      'linalg.matrixNorm: the order must be one of fro, nuc, 1, -1, 2, -2, Infinity, -Infinity, found 3',
      () => linalg.matrixNorm(wide, { order: 3 }),
    ],
    [
      'linalg.qr: a must hold float32 or float64 numbers of its shape, found int32[1, 1]',
      () => linalg.qr(tensor([[1]], 'int32')),
    ],
    ['linalg.qr: mode must be reduced or complete, found "r"', () => linalg.qr(wide, { mode: 'r' as 'reduced' })],
    ['linalg.pinv: rtol must be at least 0, found -1', () => linalg.pinv(wide, { rtol: -1 })],
  ])('%s', (message, call) => {
    expect(call).toThrow(expect.objectContaining({ message }))
  })
})
