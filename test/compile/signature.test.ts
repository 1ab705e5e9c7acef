/** Which calls share a trace, and what is said of those that don't. */
import { describe, expect, test } from 'vitest'
import { compile, type TraceEvent } from '../../src/compile/compile.ts'
import { Linear } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { constant, type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { collectWarnings } from '../support/warnings.ts'

const warnings = collectWarnings()

class Scale {
  readonly #factor: number
  constructor(factor: number) {
    this.#factor = factor
  }
  get factor(): number {
    return this.#factor
  }
}

/** Results of the same function called with each of the arguments. */
async function results<T>(fn: (x: Tensor, value: T) => Tensor, values: readonly T[], x = 1): Promise<number[]> {
  const run = compile(fn) as unknown as (x: Tensor, value: T) => Promise<Tensor>
  const found: number[] = []
  for (const value of values) found.push((await run(tensor(x), value)).item())
  return found
}

describe('different arguments never share a trace', () => {
  test('functions', async () => {
    const found = await results((x, f: (x: Tensor) => Tensor) => f(x), [ops.neg, (x) => ops.mul(x, 10)])
    expect(found).toEqual([-1, 10])
  })
  test('Maps and Sets, by what they hold at the call', async () => {
    const map = new Map([['k', 2]])
    const run = compile((x: Tensor, m: Map<string, number>) => ops.mul(x, m.get('k') ?? 0))
    const call = async (): Promise<number> => (await run(tensor(1), map as never)).item()
    expect(await call()).toBe(2)
    map.set('k', 5)
    expect(await call()).toBe(5)
    expect(await results((x, s: Set<number>) => ops.mul(x, [...s][0] ?? 0), [new Set([3]), new Set([4])])).toEqual([
      3, 4,
    ])
  })
  test('instances of classes, by identity', async () => {
    const two = new Scale(2)
    const run = compile((x: Tensor, s: Scale) => ops.mul(x, s.factor))
    const call = async (s: Scale): Promise<number> => (await run(tensor(1), s as never)).item()
    expect([await call(two), await call(new Scale(5)), await call(two)]).toEqual([2, 5, 2])
    expect(run.traces).toEqual(['argument [0]: float32[]', 'argument [1]: a Scale'])
  })
  test('numbers that JSON confuses', async () => {
    const values = [Number.POSITIVE_INFINITY, null, Number.NaN, undefined, Number.NEGATIVE_INFINITY]
    const found = await results((x, k: number | null | undefined) => ops.mul(x, k === null ? 7 : (k ?? 8)), values)
    expect(found).toEqual([Number.POSITIVE_INFINITY, 7, Number.NaN, 8, Number.NEGATIVE_INFINITY])
    expect(await results((x, k: number) => ops.div(x, k), [0, -0])).toEqual([
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ])
  })
  test('big integers, symbols, numbers as texts, typed arrays', async () => {
    const [a, b] = [Symbol('s'), Symbol('s')]
    expect(await results((x, k: symbol) => ops.mul(x, k === a ? 2 : 3), [a, b, a])).toEqual([2, 3, 2])
    expect(await results((x, k: bigint | number) => ops.mul(x, typeof k === 'bigint' ? 2 : 3), [1n, 1])).toEqual([2, 3])
    expect(await results((x, k: string | number) => ops.mul(x, typeof k === 'string' ? 2 : 3), ['1', 1])).toEqual([
      2, 3,
    ])
    const typed = [Float32Array.of(2), Float32Array.of(3)]
    expect(await results((x, k: Float32Array) => ops.mul(x, k[0] ?? 0), typed)).toEqual([2, 3])
  })
  test('forms of records and arrays', async () => {
    const shapes: unknown[] = [
      {},
      [],
      { 'a.b': 1 },
      { a: { b: 1 } },
      { a: undefined },
      [[1], 2],
      [1, [2]],
      [undefined],
      new Array(1),
      [1, undefined],
    ]
    const run = compile((x: Tensor, _value: unknown) => x)
    for (const shape of shapes) await run(tensor(1), shape)
    expect(run.traces).toHaveLength(shapes.length)
  })
  test('a module, also one whose parameters would be too much for a text', async () => {
    const layer = new Linear(1, 1)
    const run = compile((m: Linear, x: Tensor) => m.forward(x))
    await run(layer as never, tensor([[1]]))
    await run(layer as never, tensor([[2]]))
    expect(run.traces).toHaveLength(1)
  })
  test('bytes as uint8 and then as bool', async () => {
    const bytes = Uint8Array.of(1, 0)
    const run = compile((x: Tensor) => ops.cast(x, 'float32'))
    await run(constant(bytes, [2], 'uint8'))
    expect(await (await run(constant(bytes, [2], 'bool'))).numbers()).toEqual([1, 0])
    const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(3)
    expect(await (await run(constant(shared, [2], 'uint8'))).numbers()).toEqual([3, 3])
  })
})

describe('tracing again', () => {
  test('is warned about from the eighth time on, with the cure', async () => {
    const run = compile((x: Tensor, rate: number) => ops.mul(x, rate))
    for (let i = 1; i <= 9; i++) await run(tensor(1), i / 10)
    expect(warnings).toEqual([
      'compile: traced 8 times; new this time: argument [1]: 0.8 (before: 0.7); a plain value becomes part of the graph: pass a number as tensor(x), and functions and objects that stay the same',
      'compile: traced 9 times; new this time: argument [1]: 0.9 (before: 0.8); a plain value becomes part of the graph: pass a number as tensor(x), and functions and objects that stay the same',
    ])
  })
  test('can be listened to instead', async () => {
    const events: TraceEvent[] = []
    const run = compile((x: Tensor) => ops.neg(x), { onTrace: (event) => events.push(event) })
    for (let i = 1; i <= 3; i++) await run(tensor(Array.from({ length: i }, () => 1)))
    expect(events.map(({ count, reason }) => [count, reason])).toEqual([
      [2, 'argument [0]: float32[2] (before: float32[1])'],
      [3, 'argument [0]: float32[3] (before: float32[2])'],
    ])
  })
})

describe('arguments that are no tensors', () => {
  test('a field that a batch lacks is named', async () => {
    const run = compile((batch: { image: Tensor; label?: Tensor }) => ops.add(batch.image, batch.label as Tensor))
    await expect(run({ image: tensor([1]) })).rejects.toThrow(
      'a tensor is needed, found undefined: argument [0] has no field "label" (it has image)',
    )
  })
  test('a plain array is named, with the cure', async () => {
    const run = compile((x: Tensor) => ops.mul(x, 2))
    await expect(run([1, 2] as never)).rejects.toMatchObject({
      message: expect.stringContaining('a tensor is needed, found an array'),
      hint: 'tensor(values) makes one',
    })
  })
  test('an argument that contains itself is refused', async () => {
    const loop: unknown[] = []
    loop.push(loop)
    await expect(compile((_x: unknown) => tensor(1))(loop)).rejects.toThrow('compile: argument [0][0] contains itself')
  })
})

test("JavaScript's operators on tensors are refused while tracing", async () => {
  const uses: ((x: Tensor) => unknown)[] = [
    (x) => ((x as unknown as number) > 0 ? x : ops.neg(x)),
    (x) => ops.add(x, Math.max(x as unknown as number, 0)),
    (x) => ops.add(x, (x as unknown as number) * 2),
    (x) => ops.add(x, Number(x)),
    (x) => ops.mul(x, Number(`1${[x as unknown as number].reduce((a, b) => a - b, 0)}`)),
  ]
  for (const use of uses) {
    await expect(compile(use)(tensor(5))).rejects.toMatchObject({
      message: 'float32[] was used as a JavaScript number, which it is not',
      hint: expect.stringContaining('ops.where(ops.greater(x, 0), a, b)'),
    })
  }
  expect(`${tensor([1, 2])}`).toBe('float32[2]')
})
