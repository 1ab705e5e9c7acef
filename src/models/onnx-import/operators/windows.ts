/** Convolutions and pooling: windows that move over [N, C, ...]. */
import * as ops from '../../../ops/index.ts'
import { elementCount } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { OnnxNode } from '../node.ts'
import { asTensor, known } from '../values.ts'
import type { Operators } from './types.ts'

/** A window along one axis. */
interface Window {
  readonly kernel: number
  readonly stride: number
  readonly dilation: number
  readonly before: number
  readonly after: number
}

/** The attribute says again what the weight's shape does. */
function checkKernel(node: OnnxNode, kernel: readonly number[]): void {
  const given = node.list('kernel_shape') ?? kernel
  if (given.join() !== kernel.join())
    node.fail(`kernel_shape is [${given.join(', ')}], the weight's [${kernel.join(', ')}]`)
}

function windowsOf(node: OnnxNode, x: Tensor, kernel: readonly number[]): Window[] {
  const strides = node.list('strides')
  const dilations = node.list('dilations')
  const pads = node.list('pads')
  const auto = node.text('auto_pad', 'NOTSET')
  return kernel.map((size, i) => {
    const [stride, dilation] = [strides?.[i] ?? 1, dilations?.[i] ?? 1]
    const window = { kernel: size, stride, dilation }
    if (auto === 'NOTSET') return { ...window, before: pads?.[i] ?? 0, after: pads?.[i + kernel.length] ?? 0 }
    if (auto === 'VALID') return { ...window, before: 0, after: 0 }
    const length = sizeOf(x.shape, i + 2)
    const total = Math.max(0, (Math.ceil(length / stride) - 1) * stride + dilation * (size - 1) + 1 - length)
    const less = Math.floor(total / 2)
    return auto === 'SAME_UPPER'
      ? { ...window, before: less, after: total - less }
      : { ...window, before: total - less, after: less }
  })
}

/** x with elements put around the axes behind the second one. */
function padded(x: Tensor, windows: readonly Window[], value: number): Tensor {
  const amounts = [...windows].reverse().flatMap(({ before, after }) => [before, after])
  return amounts.every((amount) => amount === 0) ? x : ops.pad(x, amounts, { value })
}

const convolutions = [ops.conv1d, ops.conv2d, ops.conv3d] as const
const transposed = [ops.convTranspose1d, ops.convTranspose2d, ops.convTranspose3d] as const
const [maxPools, avgPools] = [
  [ops.maxPool1d, ops.maxPool2d, ops.maxPool3d],
  [ops.avgPool1d, ops.avgPool2d, ops.avgPool3d],
] as const

function byAxes<T>(node: OnnxNode, x: Tensor, functions: readonly T[]): T {
  return functions[x.rank - 3] ?? node.fail(`one to three axes behind the channels are supported, found ${x.rank - 2}`)
}

function convolution(node: OnnxNode): Tensor {
  const [x, weight, bias] = [node.tensor(0), node.tensor(1), node.optional(2)]
  const kernel = weight.shape.slice(2)
  checkKernel(node, kernel)
  const windows = windowsOf(node, x, kernel)
  const even = windows.every(({ before, after }) => before === after)
  return byAxes(node, x, convolutions)(even ? x : padded(x, windows, 0), weight, bias, {
    stride: windows.map(({ stride }) => stride),
    dilation: windows.map(({ dilation }) => dilation),
    padding: windows.map(({ before }) => (even ? before : 0)),
    groups: node.number('group', 1),
  })
}

function transposedConvolution(node: OnnxNode): Tensor {
  const [x, weight, bias] = [node.tensor(0), node.tensor(1), node.optional(2)]
  const kernel = weight.shape.slice(2)
  const [strides, dilations] = [node.list('strides'), node.list('dilations')]
  const [pads, extra, target] = [node.list('pads'), node.list('output_padding'), node.list('output_shape')]
  const auto = node.text('auto_pad', 'NOTSET')
  checkKernel(node, kernel)
  const full = byAxes(node, x, transposed)(x, weight, bias, {
    stride: kernel.map((_, i) => strides?.[i] ?? 1),
    dilation: kernel.map((_, i) => dilations?.[i] ?? 1),
    outputPadding: 0,
    groups: node.number('group', 1),
  })
  // Padding takes from both sides of the full result; output_padding gives back, or adds the bias alone, behind it.
  return kernel.reduce<Tensor>((result, _, i) => {
    const length = sizeOf(full.shape, i + 2) + (extra?.[i] ?? 0)
    const wanted = target?.[i] ?? (auto.startsWith('SAME') ? sizeOf(x.shape, i + 2) * (strides?.[i] ?? 1) : undefined)
    let [before, after] = [pads?.[i] ?? 0, pads?.[i + kernel.length] ?? 0]
    if (wanted !== undefined) {
      const total = length - wanted
      const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)]
      ;[before, after] = auto === 'SAME_UPPER' ? [less, more] : [more, less]
    }
    return resized(result, i + 2, before, length - before - after, bias)
  }, full)
}

/** `count` places of an axis from `start` on; behind its end there is the bias. */
function resized(x: Tensor, axis: number, start: number, count: number, bias: Tensor | undefined): Tensor {
  const size = sizeOf(x.shape, axis)
  const part = ops.slice(x, [Math.max(0, start), Math.min(size, start + count)], axis)
  const [before, after] = [Math.max(0, -start), Math.max(0, start + count - size)]
  if (before === 0 && after === 0) return part
  const fill = (length: number): Tensor => {
    const shape = x.shape.map((own, i) => (i === axis ? length : i > axis ? own : (part.shape[i] ?? own)))
    if (!bias) return ops.zeros(shape)
    const channel = ops.reshape(
      bias,
      shape.map((_, i) => (i === 1 ? bias.size : 1)),
    )
    return ops.expand(channel, shape)
  }
  const parts = [...(before ? [fill(before)] : []), part, ...(after ? [fill(after)] : [])]
  return ops.concat(parts, axis)
}

/** Windows of a pooling: what a last, incomplete one reaches stands behind the padding. */
function poolingWindows(node: OnnxNode, x: Tensor): { readonly windows: Window[]; readonly behind: number[] } {
  const windows = windowsOf(node, x, node.list('kernel_shape') ?? node.fail('kernel_shape is missing'))
  const isCeil = node.flag('ceil_mode', false)
  const behind = windows.map(({ kernel, stride, dilation, before, after }, i) => {
    const size = sizeOf(x.shape, i + 2)
    const reach = dilation * (kernel - 1) + 1
    const free = size + before + after - reach
    if (!isCeil || free % stride === 0) return 0
    const last = Math.ceil(free / stride)
    return last * stride >= size + before ? 0 : last * stride + reach - (size + before + after)
  })
  return { windows, behind }
}

function withBehind(windows: readonly Window[], behind: readonly number[]): Window[] {
  return windows.map((window, i) => ({ ...window, after: window.after + (behind[i] ?? 0) }))
}

function maxPool(node: OnnxNode): Tensor {
  node.ignore('storage_order')
  if (node.wants(1)) node.fail('the indices of pooling are not supported')
  const given = node.tensor(0)
  const { windows, behind } = poolingWindows(node, given)
  const x = given.dtype === 'float32' ? given : ops.cast(given, 'float32')
  const full = padded(x, withBehind(windows, behind), Number.NEGATIVE_INFINITY)
  const result = byAxes(node, x, maxPools)(
    full,
    windows.map(({ kernel }) => kernel),
    { stride: windows.map(({ stride }) => stride), dilation: windows.map(({ dilation }) => dilation) },
  )
  return given.dtype === 'float32' ? result : ops.cast(result, given.dtype)
}

/** Sums over windows that may be dilated: a convolution of each channel with ones. */
function sums(node: OnnxNode, x: Tensor, windows: readonly Window[]): Tensor {
  const channels = sizeOf(x.shape, 1)
  const kernel = windows.map(({ kernel: size }) => size)
  return byAxes(node, x, convolutions)(x, ops.ones([channels, 1, ...kernel]), undefined, {
    stride: windows.map(({ stride }) => stride),
    dilation: windows.map(({ dilation }) => dilation),
    groups: channels,
  })
}

function averagePool(node: OnnxNode): Tensor {
  const x = node.tensor(0)
  const countsPadding = node.flag('count_include_pad', false)
  const { windows, behind } = poolingWindows(node, x)
  const full = padded(x, withBehind(windows, behind), 0)
  const plain = windows.every(({ dilation }) => dilation === 1)
  const kernel = windows.map(({ kernel: size }) => size)
  const total = plain
    ? ops.mul(
        byAxes(node, x, avgPools)(full, kernel, { stride: windows.map(({ stride }) => stride) }),
        elementCount(kernel),
      )
    : sums(node, full, windows)
  return ops.mul(total, inverseCounts(node, x, windows, behind, countsPadding))
}

/** 1 / the number of elements that count in each window: [1, 1, ...positions]. */
function inverseCounts(
  node: OnnxNode,
  x: Tensor,
  windows: readonly Window[],
  behind: readonly number[],
  countsPadding: boolean,
): Tensor {
  const counts = windows.map(({ kernel, stride, dilation, before, after }, i) => {
    const size = sizeOf(x.shape, i + 2)
    const [low, high] = countsPadding ? [0, size + before + after] : [before, before + size]
    const reach = dilation * (kernel - 1) + 1
    const positions = Math.floor((size + before + after + (behind[i] ?? 0) - reach) / stride) + 1
    return Array.from({ length: positions }, (_, position) => {
      const places = Array.from({ length: kernel }, (_ignored, k) => position * stride + k * dilation)
      return places.filter((place) => place >= low && place < high).length
    })
  })
  if (counts.some((list) => list.length === 0)) node.fail('a window must fit into the input')
  const data = counts.reduce<number[]>((all, list) => all.flatMap((a) => list.map((b) => a * b)), [1])
  const shape = [1, 1, ...counts.map((list) => list.length)]
  return asTensor(
    known(
      'float32',
      shape,
      data.map((count) => 1 / count),
    ),
  )
}

const spatial = (x: Tensor): number[] => x.shape.map((_, i) => i).slice(2)

export const windows: Operators = {
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: (node) => {
    const x = node.tensor(0)
    return ops.mean(x, spatial(x), { keepDims: true })
  },
  GlobalMaxPool: (node) => {
    const x = node.tensor(0)
    return ops.max(x, spatial(x), { keepDims: true })
  },
}
