import { describe, expect, test } from 'vitest'
import { gradient } from '../../src/autodiff/gradient.ts'
import { compile } from '../../src/compile/compile.ts'
import { optimize } from '../../src/compile/program.ts'
import * as ops from '../../src/ops/index.ts'
import { SGD } from '../../src/optim/index.ts'
import { Tensor, tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'

const leaf = (...shape: number[]): Tensor => new Tensor('float32', shape, { kind: 'input', name: 'x' })

describe('passes', () => {
  const only = (name: 'simplify' | 'commonSubexpressions' | 'foldConstants') => ({
    simplify: false,
    commonSubexpressions: false,
    foldConstants: false,
    [name]: true,
  })

  test('simplify removes identities and double transposes', async () => {
    const x = leaf(2, 3)
    const { roots, counts } = await optimize(
      [ops.transpose(ops.transpose(ops.mul(ops.add(x, 0), 1)))],
      only('simplify'),
    )
    expect(roots.length).toBe(1)
    expect(roots[0]).toBe(x)
    expect(counts.simplified).toBeGreaterThan(2)
  })

  test('equal expressions are computed once', async () => {
    const x = leaf(2, 3)
    const { roots, counts } = await optimize(
      [ops.exp(ops.mul(x, 2)), ops.exp(ops.mul(x, 2))],
      only('commonSubexpressions'),
    )
    expect(roots[0]).toBe(roots[1])
    expect(counts.merged).toBe(2)
  })

  test('what depends on constants alone becomes a constant', async () => {
    const x = leaf(2)
    const { roots, counts } = await optimize([ops.add(x, ops.exp(tensor([0, 1])))], only('foldConstants'))
    const source = roots[0]?.source
    const added = source?.kind === 'node' ? source.node.inputs[1]?.source : undefined
    expect(added?.kind === 'constant' && Array.from(added.data as Float32Array)).toEqual([1, Math.fround(Math.E)])
    expect(counts.folded).toBe(1)
  })

  test('a function that changes variables cannot be frozen', async () => {
    const count = new Variable([])
    const step = compile((x: Tensor) => count.assign(ops.add(count, x)), { frozen: true })
    await expect(step(tensor(1))).rejects.toThrow('compile: frozen: the function changes Variable float32[]')
    expect(count.data[0]).toBe(0)
  })

  test('passes on and off give the same step', async () => {
    const values = async (passes: Record<string, boolean>) => {
      const weight = new Variable([4, 3], { data: Float32Array.from({ length: 12 }, (_, i) => Math.cos(i)) })
      const step = compile(
        (x: Tensor) => {
          const hidden = ops.layerNorm(ops.gelu(ops.linear(x, weight)), [4])
          const loss = ops.mean(ops.mul(hidden, ops.softmax(hidden)))
          const [g] = gradient(loss, [weight])
          weight.assign(ops.sub(weight, g))
          return loss
        },
        { passes },
      )
      await step(
        tensor([
          [1, 2, 3],
          [-1, 0, 2],
        ]),
      )
      return [...weight.data].map(Number)
    }
    const [on, off] = [
      await values({}),
      await values({ simplify: false, commonSubexpressions: false, foldConstants: false }),
    ]
    for (const [i, value] of on.entries()) expect(value).toBeCloseTo(off[i] ?? Number.NaN, 5)
  })
})

describe('compile', () => {
  test('traces again for a new shape, says why, and can refuse', async () => {
    const run = compile((x: Tensor) => ops.sum(x), { maxTraces: 2 })
    await run(tensor([1, 2]))
    await run(tensor([3, 4]))
    await run(tensor([1, 2, 3]))
    expect(run.traces).toEqual(['argument [0]: float32[2]', 'argument [0]: float32[3]'])
    await expect(run(tensor([1]))).rejects.toThrow(
      'compile: the function was traced 2 times, the limit; new this time: argument [0]: float32[1]',
    )
  })

  test('nested arguments and results keep their form', async () => {
    const run = compile((pair: { a: Tensor; b: Tensor[] }, factor: number) => ({
      total: ops.addAll(pair.b.map((t) => ops.mul(t, factor))),
      same: [pair.a],
    }))
    const { total, same } = await run({ a: tensor(1), b: [tensor(2), tensor(3)] }, 10)
    expect([total.item(), same[0]?.item()]).toEqual([50, 1])
  })

  test('undo puts back what a call assigned', async () => {
    const counter = new Variable([], { data: Float32Array.of(1) })
    const run = compile(() => counter.assign(ops.add(counter, 1)))
    await run()
    await run()
    expect(counter.data[0]).toBe(3)
    run.undo()
    expect(counter.data[0]).toBe(2)
  })

  test('a symbolic tensor has no numbers, and says what to do', async () => {
    await compile((x: Tensor) => {
      expect(() => x.item()).toThrowError(
        expect.objectContaining({
          message: 'tensor float32[] is symbolic: it has no numbers until a compiled function returns it',
        }),
      )
      return x
    })(tensor(1))
  })
})

describe('gradients', () => {
  test('of two losses that share a forward pass both reach the parameter', async () => {
    const weight = new Variable([], { data: Float32Array.of(0), trainable: true })
    const optimizer = new SGD([weight], { lr: 1 })
    const step = compile((x: Tensor) => {
      const y = ops.mul(weight, x)
      optimizer.minimize(ops.neg(y))
      optimizer.minimize(ops.mul(y, -10))
    })
    await step(tensor(1))
    expect(weight.data[0]).toBe(11)
  })

  test('a variable counts with every value it had in the trace; none flows through its update', async () => {
    const weight = new Variable([], { data: Float32Array.of(3) })
    const found = compile(() => {
      const early = ops.mul(weight, weight)
      weight.assign(ops.mul(weight, 5))
      const late = ops.mul(weight, 2)
      return gradient(ops.add(early, late), [weight])
    })
    const [g] = await found()
    expect(g.item()).toBe(2 * 3 + 2)
  })

  test('a gradient penalty has gradients: against differences', async () => {
    const weight = new Variable([3, 2], { data: Float32Array.of(0.3, -0.2, 0.5, 0.1, -0.4, 0.7) })
    const penalty = compile((x: Tensor) => {
      const score = ops.sum(ops.tanh(ops.linear(x, weight)))
      const [slope] = gradient(score, [x])
      const excess = ops.sub(ops.sqrt(ops.sum(ops.mul(slope, slope))), 1)
      const loss = ops.mul(excess, excess)
      return { loss, slope: gradient(loss, [weight])[0] }
    })
    const x = tensor([[0.5, -1]])
    const { slope } = await penalty(x)
    const found = await slope.numbers()
    for (const i of found.keys()) {
      const original = Number(weight.data[i])
      const at = async (value: number): Promise<number> => {
        weight.data[i] = value
        return (await penalty(x)).loss.item()
      }
      const difference = ((await at(original + 1e-2)) - (await at(original - 1e-2))) / 2e-2
      weight.data[i] = original
      expect(found[i]).toBeCloseTo(difference, 3)
    }
  })

  test('a Hessian-vector product equals differences of gradients', async () => {
    const slope = (x: Tensor): Tensor => gradient(ops.sum(ops.mul(ops.exp(x), ops.sin(ops.roll(x, 1)))), [x])[0]
    const product = compile((x: Tensor, v: Tensor) => gradient(ops.sum(ops.mul(slope(x), v)), [x])[0])
    const first = compile(slope)
    const [x, v] = [
      [0.1, -0.4, 0.8],
      [1, 2, -1],
    ]
    const found = await (await product(tensor(x), tensor(v))).numbers()
    const moved = async (h: number) => (await first(tensor(x.map((value, i) => value + h * (v[i] ?? 0))))).numbers()
    const [up, down] = [await moved(1e-2), await moved(-1e-2)]
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(((up[i] ?? 0) - (down[i] ?? 0)) / 2e-2, 2)
  })
})
