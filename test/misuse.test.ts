/** Mistakes that nothing would tell of, or only something further on: one error that names the function, and nothing changed. */
import { expect, test } from 'vitest'
import { checkpoint } from '../src/autodiff/checkpoint.ts'
import { gradient, vectorJacobianProduct } from '../src/autodiff/gradient.ts'
import { compile } from '../src/compile/compile.ts'
import { writeSafetensors } from '../src/io/safetensors.ts'
import { Linear } from '../src/nn/index.ts'
import * as ops from '../src/ops/index.ts'
import * as optim from '../src/optim/index.ts'
import { configure } from '../src/runtime/configure.ts'
import { type Tensor, tensor } from '../src/tensor/tensor.ts'

/** From JavaScript, where the type system cannot be asked. */
const untyped = <T>(value: unknown): T => value as T
const x = tensor([1, 2])
const repeated = untyped<(fn: unknown, a: Tensor) => Tensor>(checkpoint)
const customGradient = untyped<(forward: unknown, backward: unknown) => (a: Tensor) => Tensor>(ops.customGradient)

test.each<[string, () => unknown]>([
  ['checkpoint: fn must return a tensor or a list of them, found a Promise', () => repeated(async () => x, x)],
  ['checkpoint: fn must return a tensor or a list of them, found undefined', () => repeated(() => {}, x)],
  ['checkpoint: fn must be a function, found 1', () => repeated(1, x)],
  [
    'customGradient: forward must return a tensor or a list of them, found a Promise',
    () =>
      customGradient(
        async () => x,
        () => [],
      )(x),
  ],
  ['customGradient: forward must be a function, found 1', () => customGradient(1, 2)],
  [
    'customGradient: backward must return a list of gradients, tensors, found 1',
    () => gradient(ops.sum(customGradient(ops.exp, () => [1])(x)), [x]),
  ],
  [
    'customGradient: backward must return a list of gradients, tensors, found undefined',
    () => gradient(ops.sum(customGradient(ops.exp, () => undefined)(x)), [x]),
  ],
  [
    'vectorJacobianProduct: targets must be a list of tensors or variables, found float32[2]',
    () => vectorJacobianProduct([x], [x], untyped<Tensor[]>(x)),
  ],
  [
    'SGD: the loss must be a tensor, found 3',
    () => new optim.SGD(new Linear(1, 1).parameters(), { lr: 1 }).minimize(untyped(3)),
  ],
  [
    'SGD: there is no option "maxNorm"',
    () => {
      const { weight } = new Linear(1, 1)
      return new optim.SGD([weight], { lr: 1 }).minimize(ops.sum(weight), untyped({ maxNorm: 1 }))
    },
  ],
  [
    'SGD: the loss depends on none of the 2 parameters',
    () => new optim.SGD(new Linear(1, 1).parameters(), { lr: 1 }).minimize(ops.sum(x)),
  ],
  ['compile: there is no option "maxTrace"', () => compile((a: Tensor) => a, untyped({ maxTrace: 1 }))],
  ['configure: there is no option "thread"', () => configure(untyped({ thread: 2 }))],
  [
    'customGradient: the gradient of input 0 must have its shape, [2], found [1]',
    () => gradient(ops.sum(customGradient(ops.exp, () => [ops.ones([1])])(x)), [x]),
  ],
  ['std: there is no option "unbiased"', () => ops.std(x, 0, untyped({ unbiased: false }))],
  [
    'embedding: there is no option "paddingIdx"',
    () => ops.embedding(tensor([0], 'int64'), ops.ones([2, 1]), untyped({ paddingIdx: 0 })),
  ],
  [
    'GradientAccumulator: optimizer must be an optimizer, found Linear',
    () => new optim.GradientAccumulator(untyped(new Linear(1, 1)), 2),
  ],
  ['multiStepLR: options must be an object, found undefined', () => optim.multiStepLR(1, untyped(undefined))],
  ['exponentialLR: options must be an object, found 0.9', () => optim.exponentialLR(1, untyped(0.9))],
  ['exponentialLR: gamma must be a finite number, found undefined', () => optim.exponentialLR(1, untyped({}))],
  [
    'linearScheduleWithWarmup: numTrainingSteps must be a finite number, found undefined',
    () => optim.linearScheduleWithWarmup(1, untyped({ numWarmupSteps: 5 })),
  ],
  [
    'safetensors: the metadata must be texts by name, found an object',
    () => writeSafetensors(new Map(), untyped({ a: 3 })),
  ],
  ['safetensors: tensors must be given by name, as a Map, found an object', () => writeSafetensors(untyped({}))],
])('%s', (message, call) => {
  expect(call).toThrow(message)
})

test.each<[string, unknown]>([
  ['compile: result is a generator, in which tensors are not found', untyped(function* () {})],
  ['compile: result is a Map, in which tensors are not found', () => new Map([['x', x]])],
])('%s', async (message, fn) => {
  await expect(compile(untyped<() => Tensor>(fn))()).rejects.toThrow(message)
})

test('a state dict of which something is no array changes nothing', () => {
  const layer = new Linear(2, 1)
  const before = layer.stateDict()
  const weight = { dtype: 'float32' as const, shape: [1, 2], data: new Float32Array([77, 77]) }
  for (const [bias, message] of [
    [undefined, 'Linear: bias of the state dict: must be an array, { dtype, shape, data }, found undefined'],
    [x, 'Linear: bias of the state dict: must be an array, { dtype, shape, data }, found float32[2]'],
    [{ ...weight, shape: [1] }, 'Linear: bias of the state dict: shape [1] needs 1 elements, found 2'],
    [
      { ...weight, data: Int32Array.of(1, 2) },
      'Linear: bias of the state dict: float32 is stored as Float32Array, found Int32Array',
    ],
  ] as const) {
    const state = new Map<string, typeof weight>([
      ['weight', weight],
      ['bias', untyped(bias)],
    ])
    expect(() => layer.loadStateDict(state)).toThrow(message)
    expect(layer.stateDict()).toEqual(before)
  }
})
