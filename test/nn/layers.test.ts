import { describe, expect, test } from 'vitest'
import '../../src/index.ts'
import { gradient } from '../../src/autodiff/gradient.ts'
import { compile } from '../../src/compile/compile.ts'
import * as nn from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { record } from '../../src/tensor/trace.ts'
import { expectEqual, expectSame, random } from '../support/tensors.ts'

/** Shapes of parameters and buffers by name: PyTorch's, as its documentation lists them. */
describe('variables are named and shaped as in PyTorch', () => {
  const gates = (count: number, width: number, suffix: string) => ({
    [`weight_ih_${suffix}`]: [count, width],
    [`weight_hh_${suffix}`]: [count, 3],
    [`bias_ih_${suffix}`]: [count],
    [`bias_hh_${suffix}`]: [count],
  })
  const running = { running_mean: [4], running_var: [4], num_batches_tracked: [] }
  test.each<[string, nn.Module, Record<string, readonly number[]>]>([
    ['Linear', new nn.Linear(3, 4), { weight: [4, 3], bias: [4] }],
    ['Linear without bias', new nn.Linear(3, 4, { bias: false }), { weight: [4, 3] }],
    ['Conv1d', new nn.Conv1d(4, 6, 3, { groups: 2 }), { weight: [6, 2, 3], bias: [6] }],
    ['Conv2d', new nn.Conv2d(2, 4, [3, 5]), { weight: [4, 2, 3, 5], bias: [4] }],
    ['Conv3d', new nn.Conv3d(2, 4, [3, 5, 1]), { weight: [4, 2, 3, 5, 1], bias: [4] }],
    ['ConvTranspose3d', new nn.ConvTranspose3d(4, 6, 3, { groups: 2 }), { weight: [4, 3, 3, 3, 3], bias: [6] }],
    [
      'Involution',
      new nn.Involution(32, 3, 1),
      {
        'conv1.conv.weight': [8, 32, 1, 1],
        'conv1.bn.weight': [8],
        'conv1.bn.bias': [8],
        'conv1.bn.running_mean': [8],
        'conv1.bn.running_var': [8],
        'conv1.bn.num_batches_tracked': [],
        'conv2.conv.weight': [18, 8, 1, 1],
        'conv2.conv.bias': [18],
      },
    ],
    ['ConvTranspose1d', new nn.ConvTranspose1d(4, 6, 3), { weight: [4, 6, 3], bias: [6] }],
    ['ConvTranspose2d', new nn.ConvTranspose2d(4, 6, 3, { groups: 2 }), { weight: [4, 3, 3, 3], bias: [6] }],
    ['LayerNorm', new nn.LayerNorm([2, 3]), { weight: [2, 3], bias: [2, 3] }],
    ['LayerNorm without bias', new nn.LayerNorm(3, { bias: false }), { weight: [3] }],
    ['LayerNorm, not affine', new nn.LayerNorm(3, { elementwiseAffine: false }), {}],
    ['RMSNorm', new nn.RMSNorm(3), { weight: [3] }],
    ['GroupNorm', new nn.GroupNorm(2, 4), { weight: [4], bias: [4] }],
    ['BatchNorm1d', new nn.BatchNorm1d(4), { weight: [4], bias: [4], ...running }],
    ['BatchNorm2d, not affine', new nn.BatchNorm2d(4, { affine: false }), running],
    ['BatchNorm2d, no statistics', new nn.BatchNorm2d(4, { trackRunningStats: false }), { weight: [4], bias: [4] }],
    ['InstanceNorm2d', new nn.InstanceNorm2d(4), {}],
    ['Embedding', new nn.Embedding(5, 2), { weight: [5, 2] }],
    ['PReLU', new nn.PReLU(3), { weight: [3] }],
    [
      'MultiheadAttention',
      new nn.MultiheadAttention(4, 2),
      { in_proj_weight: [12, 4], in_proj_bias: [12], 'out_proj.weight': [4, 4], 'out_proj.bias': [4] },
    ],
    [
      'MultiheadAttention, other widths, no biases',
      new nn.MultiheadAttention(4, 2, { kdim: 3, vdim: 5, bias: false }),
      { q_proj_weight: [4, 4], k_proj_weight: [4, 3], v_proj_weight: [4, 5], 'out_proj.weight': [4, 4] },
    ],
    [
      'LSTM, two layers, both directions',
      new nn.LSTM(2, 3, { numLayers: 2, bidirectional: true }),
      { ...gates(12, 2, 'l0'), ...gates(12, 2, 'l0_reverse'), ...gates(12, 6, 'l1'), ...gates(12, 6, 'l1_reverse') },
    ],
    ['GRU', new nn.GRU(2, 3), gates(9, 2, 'l0')],
    ['RNN without bias', new nn.RNN(2, 3, { bias: false }), { weight_ih_l0: [3, 2], weight_hh_l0: [3, 3] }],
    [
      'Sequential',
      new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU(), new nn.Linear(3, 1, { bias: false })),
      { '0.weight': [3, 2], '0.bias': [3], '2.weight': [1, 3] },
    ],
    [
      'MLP',
      new nn.MLP(2, 5, { outFeatures: 3 }),
      { 'fc1.weight': [5, 2], 'fc1.bias': [5], 'fc2.weight': [3, 5], 'fc2.bias': [3] },
    ],
  ])('%s', (_name, layer, expected) => {
    expect(Object.fromEntries([...layer.stateDict()].map(([name, { shape }]) => [name, shape]))).toEqual(expected)
  })
})

describe('convolutions', () => {
  const x = random([2, 3, 6, 5])
  test.each(['reflect', 'replicate', 'circular'] as const)('border: %s', async (paddingMode) => {
    const conv = new nn.Conv2d(3, 4, [3, 2], { padding: [1, 2], stride: 2, paddingMode })
    const padded = ops.pad(x, [2, 2, 1, 1], { mode: paddingMode })
    await expectEqual(conv.forward(x), ops.conv2d(padded, conv.weight, conv.bias, { stride: 2 }))
  })

  test('border that keeps the size, with an even kernel', async () => {
    const conv = new nn.Conv2d(3, 4, 4, { padding: 'same', dilation: [1, 1], paddingMode: 'replicate' })
    const padded = ops.pad(x, [1, 2, 1, 2], { mode: 'replicate' })
    await expectEqual(conv.forward(x), ops.conv2d(padded, conv.weight, conv.bias))
  })

  test('transposed', async () => {
    const conv = new nn.ConvTranspose2d(3, 2, 3, { stride: 2, padding: 1, outputPadding: 1 })
    const options = { stride: 2, padding: 1, outputPadding: 1 }
    await expectEqual(conv.forward(x), ops.convTranspose2d(x, conv.weight, conv.bias, options))
    expect(conv.forward(x).shape).toEqual([2, 2, 12, 10])
  })

  test.each([
    [
      'Conv2d: channels must be multiples of groups = 2, found 3 in, 4 out',
      () => new nn.Conv2d(3, 4, 1, { groups: 2 }),
    ],
    ['Conv2d: kernelSize must have one number for each of 2 axes, found [3]', () => new nn.Conv2d(1, 1, [3])],
  ])('%s', (message, make) => {
    expect(make).toThrow(expect.objectContaining({ message }))
  })
})

describe('batch norm', () => {
  test('tracks the mean and the unbiased variance; evaluation uses them', async () => {
    const norm = new nn.BatchNorm1d(1, { momentum: 0.5 })
    const run = compile((x: Tensor) => norm.forward(x))
    const x = tensor([[1], [3]]).array
    const [low, high] = (await run(x)).array.data
    expect([Number(low), Number(high)]).toEqual([expect.closeTo(-1, 4), expect.closeTo(1, 4)])
    expect([norm.running_mean?.data[0], norm.running_var?.data[0]]).toEqual([1, 1.5])
    expect(norm.num_batches_tracked?.data[0]).toBe(1n)
    norm.eval()
    expect(Number((await run(x)).array.data[1])).toBeCloseTo(2 / Math.sqrt(1.5 + 1e-5), 5)
    expect(norm.num_batches_tracked?.data[0]).toBe(1n)
    await run.release()
  })

  test('momentum null: the plain mean over all batches', async () => {
    const norm = new nn.BatchNorm1d(1, { momentum: null })
    const run = compile((x: Tensor) => norm.forward(x))
    for (const values of [
      [1, 3],
      [5, 9],
      [0, 0],
    ])
      await run(tensor(values.map((value) => [value])).array)
    expect(norm.running_mean?.data[0]).toBeCloseTo(3, 5)
    expect(norm.running_var?.data[0]).toBeCloseTo(10 / 3, 5)
    await run.release()
  })

  test('without statistics evaluation normalises by the batch', async () => {
    const norm = new nn.BatchNorm2d(2, { trackRunningStats: false }).eval()
    const x = random([3, 2, 2, 2])
    await expectEqual(norm.forward(x), ops.batchNormTrain(x, ops.zeros([2]), ops.ones([2])).output)
  })

  test('tells what it takes', () => {
    expect(() => new nn.BatchNorm1d(3).forward(random([2, 4]))).toThrow(
      'BatchNorm1d: the input must have 2 or 3 axes and 3 channels on axis 1, found float32[2, 4]',
    )
  })
})

describe('other norms', () => {
  const x = random([2, 4, 3, 3])
  test('compute their op', async () => {
    const layer = new nn.LayerNorm(3)
    await expectEqual(layer.forward(x), ops.layerNorm(x, [3]))
    await expectEqual(new nn.RMSNorm(3, { eps: 0.1 }).forward(x), ops.rmsNorm(x, [3], { eps: 0.1 }))
    await expectEqual(new nn.GroupNorm(2, 4, { affine: false }).forward(x), ops.groupNorm(x, 2))
    await expectEqual(new nn.InstanceNorm2d(4, { affine: true }).forward(x), ops.instanceNorm(x))
  })

  test.each([5, 3000])('a modulation steers GroupNorm: GN(x) (1 + scale) + shift, %d places', async (places) => {
    const inputs = [random([3, 4, places, 2]), random([3, 4], 2), random([3, 4], 3)] as const
    const byChannel = (t: Tensor): Tensor => ops.reshape(t, [3, 4, 1, 1])
    for (const affine of [true, false]) {
      const norm = new nn.GroupNorm(2, 4, { affine })
      norm.weight?.set(Float32Array.of(0.5, 2, 1, -1))
      norm.bias?.set(Float32Array.of(1, 0, -2, 0.5))
      const step = (forward: (x: Tensor, scale: Tensor, shift: Tensor) => Tensor) =>
        compile((x: Tensor, scale: Tensor, shift: Tensor) => {
          const y = forward(x, scale, shift)
          return [y, ...gradient(ops.mean(ops.mul(y, ops.sin(y))), [x, scale, shift, ...norm.parameters()])]
        })
      const [found, written] = [
        step((x, scale, shift) => norm.forward(x, { scale, shift })),
        step((x, scale, shift) => ops.add(ops.mul(norm.forward(x), ops.add(byChannel(scale), 1)), byChannel(shift))),
      ]
      expectSame(await found(...inputs), await written(...inputs))
    }
  })

  test('a modulation has a number for each example and channel', () => {
    const norm = new nn.GroupNorm(2, 4)
    const steer = (scale: unknown, shift: unknown) => (): Tensor =>
      norm.forward(random([3, 4, 5]), { scale, shift } as nn.Modulation)
    expect(steer(random([3, 4]), random([3, 4, 1]))).toThrow('GroupNorm: shift must be [3, 4], found [3, 4, 1]')
    expect(steer(random([4]), random([4]))).toThrow('GroupNorm: scale must be [3, 4], found [4]')
    expect(steer(random([3, 4]), undefined)).toThrow('GroupNorm: a tensor is needed, found undefined')
  })

  test('GroupNorm needs whole groups', () => {
    expect(() => new nn.GroupNorm(3, 4)).toThrow(
      'GroupNorm: channels must be a multiple of groups, found 4 channels, 3 groups',
    )
  })
})

describe('dropout', () => {
  test('DropPath drops whole examples, and rescales or not', async () => {
    const x = ops.ones([400, 2, 3])
    const examples = async (layer: nn.DropPath): Promise<Set<number>> => {
      const [y] = await Promise.all([layer.forward(x).numbers()])
      for (let i = 0; i < 400; i++) expect(new Set(y.slice(6 * i, 6 * i + 6)).size).toBe(1)
      return new Set(y)
    }
    expect(await examples(new nn.DropPath(0.5))).toEqual(new Set([0, 2]))
    expect(await examples(new nn.DropPath(0.5, { rescale: false }))).toEqual(new Set([0, 1]))
    expect(await examples(new nn.DropPath(1))).toEqual(new Set([0]))
    expect(await examples(new nn.DropPath(0.5).eval())).toEqual(new Set([1]))
  })

  test('Dropout2d drops whole channels in training', async () => {
    const x = ops.ones([20, 20, 3])
    const channels = async (layer: nn.Dropout2d): Promise<Set<number>> => {
      const y = await layer.forward(x).numbers()
      for (let i = 0; i < 400; i++) expect(new Set(y.slice(3 * i, 3 * i + 3)).size).toBe(1)
      return new Set(y)
    }
    expect(await channels(new nn.Dropout2d())).toEqual(new Set([0, 2]))
    expect(await channels(new nn.Dropout2d(0.5).eval())).toEqual(new Set([1]))
  })

  test('probabilities are checked', () => {
    expect(() => new nn.Dropout(1.5)).toThrow('Dropout: p must be from 0 to 1, found 1.5')
    expect(() => new nn.DropPath(-1)).toThrow('DropPath: p must be from 0 to 1, found -1')
  })
})

test('Embedding: the padding row begins at 0', async () => {
  const layer = new nn.Embedding(3, 2, { paddingIndex: -1 })
  const rows = await layer.forward(tensor([[2, 0]], 'int64')).numbers()
  expect(rows.slice(0, 2)).toEqual([0, 0])
  expect(rows.slice(2)).toEqual(Array.from(layer.weight.data.slice(0, 2), Number))
})

test('pooling and resizing compute their op', async () => {
  const x = random([2, 3, 6, 5])
  const line = random([2, 3, 7])
  const options = { stride: 2, padding: 1, ceilMode: true }
  await expectEqual(new nn.MaxPool1d(3, options).forward(line), ops.maxPool1d(line, 3, options))
  await expectEqual(new nn.MaxPool2d([2, 3], options).forward(x), ops.maxPool2d(x, [2, 3], options))
  await expectEqual(new nn.AvgPool1d(3).forward(line), ops.avgPool1d(line, 3))
  await expectEqual(new nn.AvgPool2d(2, options).forward(x), ops.avgPool2d(x, 2, options))
  await expectEqual(new nn.AdaptiveAvgPool2d([1, null]).forward(x), ops.mean(x, 2, { keepDims: true }))
  await expectEqual(new nn.AdaptiveMaxPool2d(1).forward(x), ops.max(x, [2, 3], { keepDims: true }))
  const upsample = new nn.Upsample(1.5, { mode: 'bilinear', recomputeScaleFactor: true })
  await expectEqual(upsample.forward(x), ops.interpolate(x, [9, 7], { mode: 'bilinear' }))
  const stretch = new nn.Upsample([1.5, 2], { mode: 'bilinear' })
  await expectEqual(stretch.forward(x), ops.interpolate(x, undefined, { mode: 'bilinear', scaleFactor: [1.5, 2] }))
  const volume = random([1, 2, 4, 6, 5])
  await expectEqual(new nn.MaxPool3d(2, options).forward(volume), ops.maxPool3d(volume, 2, options))
  await expectEqual(new nn.AvgPool3d([1, 2, 3]).forward(volume), ops.avgPool3d(volume, [1, 2, 3]))
  await expectEqual(new nn.AdaptiveAvgPool1d(3).forward(line), ops.adaptiveAvgPool1d(line, 3))
  await expectEqual(new nn.AdaptiveMaxPool1d(3).forward(line), ops.adaptiveMaxPool1d(line, 3))
  await expectEqual(new nn.AdaptiveAvgPool3d([1, null, 2]).forward(volume), ops.adaptiveAvgPool3d(volume, [1, 6, 2]))
  await expectEqual(new nn.AdaptiveMaxPool3d(1).forward(volume), ops.max(volume, [2, 3, 4], { keepDims: true }))
})

describe('Involution', () => {
  test('makes kernels of the pooled input, and applies them', async () => {
    const layer = new nn.Involution(8, 3, 2, { groupChannels: 4, reductionRatio: 2 })
    layer.eval()
    const x = random([2, 8, 6, 4])
    const kernels = ops.reshape(layer.conv2.forward(layer.conv1.forward(ops.avgPool2d(x, 2))), [2, 2, 3, 3, 3, 2])
    await expectEqual(layer.forward(x), ops.involution(x, kernels, { stride: 2, padding: 1 }))
  })

  test('a reduction that does not divide the channels is rounded down', () => {
    const layer = new nn.Involution(10, 3, 1, { groupChannels: 5, reductionRatio: 3 })
    layer.eval()
    expect(layer.stateDict().get('conv1.conv.weight')?.shape).toEqual([3, 10, 1, 1])
    expect(layer.forward(random([1, 10, 4, 4])).shape).toEqual([1, 10, 4, 4])
    expect(() => new nn.Involution(4, 3, 1, { groupChannels: 2, reductionRatio: 5 })).toThrow(
      'Involution: reductionRatio must be at most the 4 channels, found 5',
    )
  })

  test('counts as the paper does', () => {
    const layer = new nn.Involution(64, 7, 1)
    const count = layer.parameters().reduce((sum, { size }) => sum + size, 0)
    expect(count).toBe((64 * 64) / 4 + (2 * 64) / 4 + (64 / 4) * 49 * 4 + 49 * 4)
  })

  test('odd sizes with stride 2 are refused, with the reason', () => {
    const layer = new nn.Involution(16, 3, 2)
    let found: unknown
    try {
      layer.forward(random([1, 16, 7, 6]))
    } catch (error) {
      found = error
    }
    expect(found).toMatchObject({
      message: 'Involution: with stride 2 height and width must be multiples of it, found 7 x 6',
      hint: 'kernels are made from means of 2 x 2 pixels: there is none for a rest (the original code takes kernels of other positions, or fails); ops.pad or ops.interpolate the input',
    })
  })

  test.each([
    ['Involution: channels must be a multiple of groupChannels = 16, found 24', () => new nn.Involution(24, 3, 1)],
    ['Involution: kernelSize must be odd, so that a kernel has a middle, found 4', () => new nn.Involution(16, 4, 1)],
    [
      'Involution: the input must be [N, 16, H, W], found float32[1, 8, 4, 4]',
      () => new nn.Involution(16, 3, 1).forward(random([1, 8, 4, 4])),
    ],
  ])('%s', (message, call) => {
    expect(call).toThrow(message)
  })
})

test('activations compute the op of their name', async () => {
  const x = random([2, 3, 2])
  const pairs: readonly (readonly [nn.Layer, Tensor])[] = [
    [new nn.ReLU(), ops.relu(x)],
    [new nn.ReLU6(), ops.relu6(x)],
    [new nn.LeakyReLU(0.3), ops.leakyRelu(x, { negativeSlope: 0.3 })],
    [new nn.PReLU(), ops.leakyRelu(x, { negativeSlope: 0.25 })],
    [new nn.ELU(2), ops.elu(x, { alpha: 2 })],
    [new nn.SELU(), ops.selu(x)],
    [new nn.GELU(), ops.gelu(x)],
    [new nn.GELU({ approximate: 'tanh' }), ops.gelu(x, { approximate: 'tanh' })],
    [new nn.QuickGELU(), ops.quickGelu(x)],
    [new nn.SiLU(), ops.silu(x)],
    [new nn.Mish(), ops.mish(x)],
    [new nn.Hardswish(), ops.hardswish(x)],
    [new nn.Sigmoid(), ops.sigmoid(x)],
    [new nn.Tanh(), ops.tanh(x)],
    [new nn.Softplus({ beta: 2 }), ops.softplus(x, { beta: 2 })],
    [new nn.Softmax(1), ops.softmax(x, 1)],
    [new nn.Identity(), x],
    [new nn.Flatten(), ops.reshape(x, [2, 6])],
    [new nn.Sequential(new nn.Tanh(), new nn.Flatten(0)), ops.reshape(ops.tanh(x), [12])],
  ]
  const run = compile((value: Tensor) => {
    const { result } = record(() => pairs.map(([layer]) => layer.forward(value)))
    return result
  })
  const found = await run(x.array)
  for (const [i, tensor] of found.entries()) await expectEqual(tensor, pairs[i]?.[1] ?? x)
  await run.release()
})
