/** Sizes and options of layers, one wrong at a time: a layer, or a UsageError that names it. */
import { describe, expect, test } from 'vitest'
import * as nn from '../../src/nn/index.ts'
import { UsageError } from '../../src/util/errors.ts'

type Make = (...args: unknown[]) => nn.Module

/** Good arguments of the layers that have any; options all given. */
const layers: readonly (readonly [Make, readonly unknown[]])[] = [
  [make(nn.Conv1d), [2, 4, 3, { stride: 1, padding: 1, dilation: 1, groups: 2, paddingMode: 'reflect' }]],
  [make(nn.Conv2d), [2, 4, [3, 3], { stride: [1, 1], padding: 1, dilation: 1, groups: 2, paddingMode: 'reflect' }]],
  [make(nn.Conv3d), [2, 4, [1, 3, 3], { stride: 1, padding: 1, dilation: 1, groups: 2 }]],
  [make(nn.ConvTranspose3d), [2, 4, 3, { stride: 2, padding: 1, outputPadding: 1, dilation: 1, groups: 2 }]],
  [make(nn.Involution), [16, 3, 2, { reductionRatio: 2, groupChannels: 4 }]],
  [make(nn.ConvTranspose1d), [2, 4, 3, { stride: 2, padding: 1, outputPadding: 1, dilation: 1, groups: 2 }]],
  [make(nn.ConvTranspose2d), [2, 4, 3, { stride: 2, padding: 1, outputPadding: 1, dilation: 1, groups: 2 }]],
  [make(nn.Dropout), [0.5]],
  [make(nn.Dropout2d), [0.5]],
  [make(nn.DropPath), [0.5]],
  [make(nn.Embedding), [4, 3, { paddingIndex: 1 }]],
  [make(nn.Linear), [3, 4, { axis: -1 }]],
  [make(nn.MLP), [3, 4, { outFeatures: 2, drop: 0.5 }]],
  [make(nn.MultiheadAttention), [4, 2, { dropout: 0.1, kdim: 3, vdim: 5 }]],
  [make(nn.LayerNorm), [[3], { eps: 0.1 }]],
  [make(nn.RMSNorm), [[3], { eps: 0.1 }]],
  [make(nn.GroupNorm), [2, 4, { eps: 0.1 }]],
  [make(nn.BatchNorm1d), [3, { eps: 0.1, momentum: 0.1 }]],
  [make(nn.BatchNorm2d), [3, { eps: 0.1, momentum: 0.1 }]],
  [make(nn.InstanceNorm2d), [3, { eps: 0.1 }]],
  [make(nn.LSTM), [3, 4, { numLayers: 2, dropout: 0.1 }]],
  [make(nn.GRU), [3, 4, { numLayers: 2, dropout: 0.1 }]],
  [make(nn.RNN), [3, 4, { numLayers: 2, dropout: 0.1, nonlinearity: 'relu' }]],
  [make(nn.MaxPool1d), [2, { stride: 1, padding: 1, dilation: 1 }]],
  [make(nn.MaxPool2d), [2, { stride: 1, padding: 1, dilation: 1 }]],
  [make(nn.AvgPool1d), [2, { stride: 1, padding: 1 }]],
  [make(nn.AvgPool2d), [2, { stride: 1, padding: 1 }]],
  [make(nn.MaxPool3d), [2, { stride: 1, padding: 1, dilation: 1 }]],
  [make(nn.AvgPool3d), [2, { stride: 1, padding: 1 }]],
  [make(nn.AdaptiveAvgPool1d), [2]],
  [make(nn.AdaptiveMaxPool1d), [2]],
  [make(nn.AdaptiveAvgPool3d), [[2, 3, 1]]],
  [make(nn.AdaptiveMaxPool3d), [[2, 3, 1]]],
  [make(nn.AdaptiveAvgPool2d), [[2, 3]]],
  [make(nn.AdaptiveMaxPool2d), [[2, 3]]],
  [make(nn.PReLU), [3]],
  [make(nn.Upsample), [2, { alignCorners: false }]],
  [make(nn.GELU), [{ approximate: 'tanh' }]],
]

function make(layer: abstract new (...args: never[]) => nn.Module): Make {
  const concrete = layer as new (...args: unknown[]) => nn.Module
  return Object.defineProperty((...args: unknown[]) => new concrete(...args), 'name', { value: layer.name })
}

/** Values that no size, probability or name of an option is. */
function wrong(value: unknown): unknown[] {
  if (typeof value === 'number') return [Number.NaN, Number.POSITIVE_INFINITY, -7.5, '2']
  if (typeof value === 'string') return ['unknown', 1]
  if (Array.isArray(value)) {
    return [...value.flatMap((entry, i) => wrong(entry).map((other) => value.with(i, other))), [], 'x']
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, entry]) => wrong(entry).map((other) => ({ ...value, [key]: other })))
}

/** Infinite, eps makes a norm 0 everywhere: useless, but no contradiction. */
function isMeant(args: readonly unknown[]): boolean {
  return args.some((arg) => typeof arg === 'object' && arg !== null && 'eps' in arg && arg.eps === Infinity)
}

describe('a wrong argument', () => {
  test.each(layers.map(([layer, args]) => [layer.name, layer, args] as const))('%s', (name, layer, args) => {
    expect(layer(...args)).toBeInstanceOf(nn.Module)
    const results = args
      .flatMap((arg, i) => wrong(arg).map((other) => args.with(i, other)))
      .filter((given) => !isMeant(given))
      .map((given) => {
        try {
          layer(...given)
          return `${JSON.stringify(given)} was taken`
        } catch (error) {
          const owner = name === 'MLP' ? /^(Linear|Dropout): / : new RegExp(`^${name}: `)
          return error instanceof UsageError && owner.test(error.message) ? '' : `${JSON.stringify(given)}: ${error}`
        }
      })
    expect(results.filter((result) => result !== '')).toEqual([])
  })

  const isOptions = (arg: unknown): arg is object => typeof arg === 'object' && arg !== null && !Array.isArray(arg)
  const withOptions = layers.filter(([, args]) => args.some(isOptions))
  test.each(withOptions.map(([layer, args]) => [layer.name, layer, args] as const))(
    '%s: an option of another name',
    (name, layer, args) => {
      const misspelt = args.map((arg) => (isOptions(arg) ? { ...arg, optoin: 1 } : arg))
      expect(() => layer(...misspelt)).toThrow(`${name}: there is no option "optoin"`)
    },
  )

  test.each<[string, () => nn.Module]>([
    ['Conv2d: kernelSize must be a whole number of at least 1, found 0', () => new nn.Conv2d(3, 4, 0)],
    ['Conv2d: stride must be a whole number of at least 1, found 0', () => new nn.Conv2d(3, 4, 3, { stride: 0 })],
    ['Conv1d: kernelSize must have one number for each of 1 axes, found [3, 3]', () => new nn.Conv1d(3, 4, [3, 3])],
    ['Dropout: p must be from 0 to 1, found 2', () => new nn.Dropout(2)],
    ['Dropout2d: p must be from 0 to 1, found -1', () => new nn.Dropout2d(-1)],
    ['Embedding: numEmbeddings must be a whole number of at least 0, found -1', () => new nn.Embedding(-1, 4)],
    ['Embedding: paddingIndex must be from -4 to 3, found 4', () => new nn.Embedding(4, 3, { paddingIndex: 4 })],
    ['Linear: inFeatures must be a whole number of at least 0, found 2.5', () => new nn.Linear(2.5, 3)],
    [
      'MultiheadAttention: numHeads must be a whole number of at least 1, found 0',
      () => new nn.MultiheadAttention(4, 0),
    ],
    [
      'MultiheadAttention: embedDim must be a multiple of numHeads, found 4 and 3',
      () => new nn.MultiheadAttention(4, 3),
    ],
    ['LayerNorm: normalizedShape must have at least one axis, found []', () => new nn.LayerNorm([])],
    ['MaxPool2d: kernelSize must be a whole number of at least 1, found 0', () => new nn.MaxPool2d(0)],
    ['LSTM: numLayers must be a whole number of at least 1, found 0', () => new nn.LSTM(3, 4, { numLayers: 0 })],
    ['Upsample: scaleFactor must be above 0, found 0', () => new nn.Upsample(0)],
  ])('%s', (message, call) => {
    expect(call).toThrow(new UsageError(message))
  })
})

/** From JavaScript: the type system was not asked there. */
const untyped = <T>(value: unknown): T => value as T

describe('from JavaScript', () => {
  const withOptions = layers.filter(([, args]) => isOptions(args.at(-1)))
  test.each(withOptions.map(([layer, args]) => [layer.name, layer, args] as const))(
    '%s: null is no options',
    (name, layer, args) => {
      const call = layer as (...given: unknown[]) => nn.Module
      expect(call(...args.slice(0, -1), null)).toBeInstanceOf(nn.Module)
      expect(() => call(...args.slice(0, -1), 'x')).toThrow(
        new UsageError(`${name}: options must be an object, found "x"`),
      )
    },
  )

  test.each<[string, () => unknown]>([
    ['Sequential: layer 0 must be a module, found 2', () => new nn.Sequential(untyped(2))],
    ['GELU: options must be an object, found "tanh"', () => new nn.GELU(untyped('tanh'))],
    ['Softplus: options must be an object, found 2', () => new nn.Softplus(untyped(2))],
    [
      'AdaptiveAvgPool2d: outputSize must be a whole number of at least 1, found null',
      () => new nn.AdaptiveAvgPool2d(untyped(null)),
    ],
    [
      'AdaptiveAvgPool2d: outputSize must be a whole number of at least 1, found an object',
      () => new nn.AdaptiveAvgPool2d(untyped({})),
    ],
    [
      'MultiheadAttention: numHeads must be a whole number of at least 1, found an object',
      () => new nn.MultiheadAttention(4, untyped({ heads: 2 })),
    ],
    ['BatchNorm1d: a tensor is needed, found undefined', () => new nn.BatchNorm1d(3).forward(untyped(undefined))],
    ['BatchNorm2d: a tensor is needed, found undefined', () => new nn.BatchNorm2d(3).forward(untyped(undefined))],
    ['InstanceNorm2d: a tensor is needed, found undefined', () => new nn.InstanceNorm2d(3).forward(untyped(undefined))],
    ['MLP: a tensor is needed, found undefined', () => new nn.MLP(3, 4).forward(untyped(undefined))],
    ['Upsample: a tensor is needed, found undefined', () => new nn.Upsample(2).forward(untyped(undefined))],
  ])('%s', (message, call) => {
    expect(call).toThrow(expect.objectContaining({ message }))
  })
})

function isOptions(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
