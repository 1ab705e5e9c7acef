import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { freeze, Linear, unfreeze } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import {
  Adam,
  AdamW,
  ExponentialMovingAverage,
  GradientAccumulator,
  linearLR,
  RMSprop,
  SGD,
} from '../../src/optim/index.ts'
import { type NDArray, toNumbers } from '../../src/tensor/dtype.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { untyped, vector } from './support.ts'

const array = (numbers: readonly number[]): NDArray => tensor([...numbers]).array
/** A loss whose gradient is 2 (w - target). */
const distance = (weight: Variable, target: Tensor): Tensor => ops.sum(ops.square(ops.sub(weight, target)))

describe('minimize', () => {
  test('records gradients and update, and tells the norm before clipping', async () => {
    const weight = vector([3, 4])
    const optimizer = new SGD([weight], { lr: 1 })
    const step = compile((target: Tensor) => ({ ...optimizer.minimize(distance(weight, target), { clipNorm: 1 }) }))
    const { gradientNorm } = await step(array([0, 0]))
    expect(gradientNorm.item()).toBeCloseTo(10, 5)
    expect(weight.data[0]).toBeCloseTo(3 - 0.6, 5)
    expect(weight.data[1]).toBeCloseTo(4 - 0.8, 5)
    await step.release()
  })

  test('clips elements after the norm', async () => {
    const weight = vector([3, 4])
    const optimizer = new SGD([weight], { lr: 1 })
    const step = compile((target: Tensor) => {
      optimizer.minimize(distance(weight, target), { clipNorm: 1, clipValue: 0.7 })
    })
    await step(array([0, 0]))
    expect(weight.data[0]).toBeCloseTo(2.4, 5)
    expect(weight.data[1]).toBeCloseTo(3.3, 5)
    await step.release()
  })

  test('a schedule changes the rate without a new trace', async () => {
    const weight = vector([0])
    const optimizer = new SGD([weight], { lr: linearLR(1, { startFactor: 0, endFactor: 1, totalIters: 4 }) })
    const step = compile((gradient: Tensor) => void optimizer.update([gradient]))
    const rates: number[] = []
    for (let i = 0; i < 5; i++) {
      rates.push(optimizer.lr)
      await step(array([-1]))
    }
    expect(rates).toEqual([0, 0.25, 0.5, 0.75, 1])
    expect(toNumbers(weight.data)).toEqual([2.5])
    expect(step.traces).toHaveLength(1)
    await step.release()
  })

  test('two updates in one function are two steps', async () => {
    const [once, twice] = [vector([1]), vector([1])]
    const make = (w: Variable): AdamW => new AdamW([w], { lr: (step) => 0.1 / (step + 1) })
    const [a, b] = [make(once), make(twice)]
    const single = compile((g: Tensor) => void a.update([g]))
    const double = compile((g: Tensor) => {
      b.update([g])
      b.update([ops.mul(g, 2)])
    })
    for (const factor of [1, 2, 3, 6]) await single(array([factor]))
    await double(array([1]))
    await double(array([3]))
    expect(twice.data[0]).toBeCloseTo(Number(once.data[0]), 6)
    expect(b.steps.data[0]).toBe(4n)
    await single.release()
    await double.release()
  })

  test('undo takes back weights, state and the count', async () => {
    const weight = vector([1, 2])
    const optimizer = new AdamW([weight], { lr: 0.1 })
    const step = compile((g: Tensor) => void optimizer.update([g]))
    await step(array([1, -1]))
    const [before, weights] = [optimizer.stateDict(), toNumbers(weight.data)]
    await step(array([Number.NaN, 1]))
    step.undo()
    expect(optimizer.stateDict()).toEqual(before)
    expect(toNumbers(weight.data)).toEqual(weights)
    await step.release()
  })
})

describe('groups', () => {
  test('have settings of their own', async () => {
    const [a, b] = [vector([1]), vector([1])]
    const groups = [
      { parameters: [a], weightDecay: 0.5 },
      { parameters: [b], lr: (step: number) => step },
    ]
    const optimizer = new SGD(groups, { lr: 0.1 })
    const step = compile((g: Tensor) => void optimizer.update([g, g]))
    await step(array([1]))
    await step(array([1]))
    expect(a.data[0]).toBeCloseTo(0.85 - 0.1 - 0.1 * 0.5 * 0.85, 6)
    expect(toNumbers(b.data)).toEqual([0])
    await step.release()
  })

  const weight = vector([1], 'fc.weight')
  test.each([
    ['SGD: there are no parameters to optimise', () => new SGD([], { lr: 1 })],
    ['SGD: parameter fc.weight is listed twice', () => new SGD([weight, weight], { lr: 1 })],
    ['SGD: lr must be at least 0, found -1', () => new SGD([weight], { lr: -1 })],
    ['AdamW: eps must be at least 0, found NaN', () => new AdamW([weight], { lr: 1, eps: Number.NaN })],
    ['AdamW: betas must be in [0, 1), found 0.9, 1', () => new AdamW([weight], { lr: 1, betas: [0.9, 1] })],
    ['RMSprop: alpha must be in [0, 1), found 1', () => new RMSprop([weight], { lr: 1, alpha: 1 })],
    [
      'SGD: nesterov needs a momentum and no dampening, found momentum 0, dampening 0',
      () => new SGD([weight], { lr: 1, nesterov: true }),
    ],
    [
      'SGD: parameters must be float32, n is int32',
      () => new SGD([new Variable([1], { dtype: 'int32', name: 'n' })], { lr: 1 }),
    ],
    ['SGD: momentum must be at least 0, found "x"', () => new SGD([weight], { lr: 1, momentum: untyped('x') })],
    ['SGD: nesterov must be true or false, found 1', () => new SGD([weight], { lr: 1, nesterov: untyped(1) })],
    [
      'AdamW: betas must be a list of 2 numbers, found [0.9]',
      () => new AdamW([weight], { lr: 1, betas: untyped([0.9]) }),
    ],
    ['AdamW: betas must be a list of 2 numbers, found 0.9', () => new AdamW([weight], { lr: 1, betas: untyped(0.9) })],
    ['AdamW: betas must be a list of 2 numbers, found "x"', () => new AdamW([weight], { lr: 1, betas: untyped('x') })],
    ['SGD: there is no option "momentun"', () => new SGD([weight], untyped({ lr: 1, momentun: 0.9 }))],
    ['SGD: lr must be a number or a schedule, found none', () => new SGD([weight], untyped({}))],
    ['SGD: lr must be a number or a schedule, found none', () => new SGD([weight], untyped(null))],
    ['SGD: lr must be a number or a schedule, found "0.1"', () => new SGD([weight], { lr: untyped('0.1') })],
    ['SGD: options must be an object, found 0.1', () => new SGD([weight], untyped(0.1))],
    ['SGD: parameters must be a list, found undefined', () => new (untyped<new () => SGD>(SGD))()],
    [
      'SGD: parameters must be a list, found Linear(weight float32[1, 1], bias float32[1])',
      () => new SGD(untyped(new Linear(1, 1)), { lr: 1 }),
    ],
    [
      'SGD: parameters must be a list, found a Map',
      () => new SGD(untyped(new Linear(1, 1).namedParameters()), { lr: 1 }),
    ],
    ['SGD: parameter 0 must be a variable, found float32[1]', () => new SGD(untyped([tensor([1])]), { lr: 1 })],
    ['SGD: parameter 0 must be a variable, found undefined', () => new SGD(untyped([undefined]), { lr: 1 })],
    ['SGD: group 0: there is no option "params"', () => new SGD(untyped([{ params: [weight] }]), { lr: 1 })],
    ['SGD: group 0: parameters must be a list, found undefined', () => new SGD(untyped([{ lr: 1 }]), { lr: 1 })],
    [
      'SGD: group 1 must be { parameters: [...] }, found null',
      () => new SGD(untyped([{ parameters: [weight] }, null]), { lr: 1 }),
    ],
    ['SGD: gradients must be a list, found undefined', () => new SGD([weight], { lr: 1 }).update(untyped(undefined))],
    [
      'ExponentialMovingAverage: parameters must be a list, found undefined',
      () => new (untyped<new () => object>(ExponentialMovingAverage))(),
    ],
    [
      'ExponentialMovingAverage: decay must be in [0, 1], found undefined',
      () => new ExponentialMovingAverage([weight], untyped({})),
    ],
    [
      'ExponentialMovingAverage: there is no option "beta"',
      () => new ExponentialMovingAverage([weight], untyped({ beta: 1 })),
    ],
    ['SGD: update works only inside a compiled function', () => new SGD([weight], { lr: 1 }).update([tensor([1])])],
    ['SGD: there must be as many gradients as parameters, 1, found 0', () => new SGD([weight], { lr: 1 }).update([])],
  ])('%s', (message, make) => {
    expect(make).toThrow(expect.objectContaining({ message }))
  })

  test('no loss', () => {
    expect(() => new SGD([weight], { lr: 1 }).minimize(untyped(undefined))).toThrow(
      'SGD: the loss must be a tensor, found undefined',
    )
  })

  test('an error that says what to pass', () => {
    const hinted = (hint: string): unknown => expect.objectContaining({ hint })
    expect(() => new SGD([weight], untyped({ lr: 1, momentun: 0.9 }))).toThrow(hinted('did you mean "momentum"?'))
    expect(() => new SGD(untyped([{ params: [weight] }]), { lr: 1 })).toThrow(
      hinted('known: parameters, lr, momentum, dampening, weightDecay, nesterov, maximize'),
    )
    expect(() => new SGD(untyped(new Linear(1, 1)), { lr: 1 })).toThrow(
      hinted('pass model.parameters(), or a list of variables'),
    )
  })
})

describe('state', () => {
  test('is named after the parameters, or by position where names are missing or shared', () => {
    const parameters = [vector([1], 'fc.weight'), vector([1]), vector([1], 'fc.bias'), vector([1], 'fc.bias')]
    const optimizer = new AdamW(parameters, { lr: 1 })
    const names = [...optimizer.variables().keys()].filter((name) => !name.startsWith('exp_avg_sq'))
    expect(names).toEqual(['steps', 'exp_avg.fc.weight', 'exp_avg.1', 'exp_avg.2', 'exp_avg.3'])
  })

  test('resuming from it goes on bit-identically', async () => {
    const run = async (steps: number, restart?: number): Promise<number[]> => {
      const make = (numbers: readonly number[]) => {
        const weight = vector(numbers, 'w')
        const optimizer = new AdamW([weight], { lr: (step) => 0.1 / (step + 1), amsgrad: true })
        const step = compile((target: Tensor) => void optimizer.minimize(distance(weight, target)))
        return { weight, optimizer, step }
      }
      let task = make([1, -2, 3])
      for (let i = 0; i < steps; i++) {
        if (i === restart) {
          const state = task.optimizer.stateDict()
          await task.step.release()
          task = make(toNumbers(task.weight.data))
          task.optimizer.loadStateDict(state)
        }
        await task.step(array([i, 1, -i]))
      }
      await task.step.release()
      return toNumbers(task.weight.data)
    }
    expect(await run(7, 3)).toEqual(await run(7))
  })
})

test('accumulated micro-batches equal the whole batch', async () => {
  const data = [1, 5, -2, 4, 0.5, 3]
  const [whole, parts] = [vector([0.3]), vector([0.3])]
  const loss = (weight: Variable, targets: Tensor): Tensor => ops.mean(ops.square(ops.sub(weight, targets)))
  const direct = new AdamW([whole], { lr: 0.1 })
  const accumulator = new GradientAccumulator(new AdamW([parts], { lr: 0.1 }), 3)
  const step = compile((targets: Tensor) => ({ ...direct.minimize(loss(whole, targets), { clipNorm: 1 }) }))
  const add = compile((targets: Tensor) => accumulator.add(loss(parts, targets)))
  const update = compile(() => ({ ...accumulator.update({ clipNorm: 1 }) }))
  for (let round = 0; round < 3; round++) {
    const expected = await step(array(data))
    for (let i = 0; i < 3; i++) await add(array(data.slice(2 * i, 2 * i + 2)))
    const found = await update()
    expect(found.gradientNorm.item()).toBeCloseTo(expected.gradientNorm.item(), 5)
    expect(parts.data[0]).toBeCloseTo(Number(whole.data[0]), 6)
  }
  expect([...accumulator.variables().keys()]).toEqual(['gradient_sum.0'])
  for (const compiled of [step, add, update]) await compiled.release()
})

test('a parameter that is frozen later is no longer changed, nor counted by a clipped norm, until it is unfrozen', async () => {
  const [first, second] = [new Linear(1, 1, { bias: false }), new Linear(1, 1, { bias: false })]
  for (const { weight } of [first, second]) weight.set([1])
  const optimizer = new SGD([first.weight, second.weight], { lr: 0.5 })
  const step = compile((x: Tensor) => {
    const loss = ops.add(ops.sum(first.forward(x)), ops.mul(ops.sum(second.forward(x)), 10))
    return optimizer.minimize(loss, { clipNorm: 1 }).gradientNorm
  })
  freeze(second)
  expect((await step(tensor([[1]]))).item()).toBe(1)
  expect([first.weight, second.weight].map(({ data }) => data[0])).toEqual(
    [0.5, 1].map((value) => expect.closeTo(value, 5)),
  )
  unfreeze(second)
  freeze(first)
  expect((await step(tensor([[1]]))).item()).toBe(10)
  expect([first.weight, second.weight].map(({ data }) => data[0])).toEqual(
    [0.5, 0.5].map((value) => expect.closeTo(value, 5)),
  )
})

test('what is unfrozen during training begins with steps of lr in an optimizer of its own', async () => {
  const [body, head] = [new Linear(1, 1, { bias: false }), new Linear(1, 1, { bias: false })]
  for (const { weight } of [body, head]) weight.set([1])
  const makeStep = (...optimizers: readonly Adam[]) =>
    compile((x: Tensor) => {
      const loss = ops.sum(head.forward(body.forward(x)))
      for (const optimizer of optimizers) optimizer.minimize(loss)
    })
  freeze(body)
  const ofHead = new Adam([head.weight], { lr: 1e-4 })
  const first = makeStep(ofHead)
  for (let i = 0; i < 50; i++) await first(tensor([[1]]))
  unfreeze(body)
  const second = makeStep(ofHead, new Adam([body.weight], { lr: 0.01 }))
  for (let i = 1; i <= 3; i++) {
    await second(tensor([[1]]))
    expect(body.weight.data[0]).toBeCloseTo(1 - 0.01 * i, 5)
  }
  expect(head.weight.data[0]).toBeCloseTo(1 - 53e-4, 4)
})
