/** The operator of d-li14/involution: the core with given kernels, and the layer that makes them. */
import { vectorJacobianProduct } from '../../../autodiff/gradient.ts'
import { compile } from '../../../compile/compile.ts'
import { Involution } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { FormatError } from '../../../util/errors.ts'
import {
  type CaseTargetRule,
  fixedSetting,
  inputArrays,
  inputsRead,
  numberSetting,
  numbersSetting,
  type ReferenceCase,
  type Settings,
  tensorsBelow,
  withoutEffect,
} from '../../../verify/target.ts'
import { withStates } from './running.ts'

type Inputs = Readonly<Record<string, Tensor>>

function needed(inputs: Inputs, name: string): Tensor {
  const tensor = inputs[name]
  if (!tensor) throw new FormatError(`the case has no input "${name}"`)
  return tensor
}

/** The result of a compiled function with the inputs of a case, freed afterwards. */
async function computed(
  reference: ReferenceCase,
  body: (inputs: Inputs) => Record<string, Tensor>,
): Promise<Map<string, NDArray>> {
  const run = compile((given: Record<string, Tensor>) => body(inputsRead(reference, given)))
  try {
    const found = await run(inputArrays(reference))
    return new Map(Object.entries(found).map(([name, tensor]) => [name, tensor.array]))
  } finally {
    await run.release()
  }
}

type Pair = readonly [number, number]

/**
 * The official kernels have as many positions as the case gives, floor(H / stride) of them, wherever the last window ends: beyond the
 * border there are zeros, and what no window reaches is not read. So many rows and columns are laid out, and none padded besides.
 */
function laidOut(x: Tensor, weight: Tensor, { stride, padding, dilation }: Readonly<Record<string, Pair>>): Tensor {
  const [strides, before, spread] = [stride ?? [1, 1], padding ?? [0, 0], dilation ?? [1, 1]]
  const extents = ([0, 1] as const).map((axis) => {
    const [kernel, positions] = [sizeOf(weight.shape, axis + 2), sizeOf(weight.shape, axis + 4)]
    return (positions - 1) * strides[axis] + spread[axis] * (kernel - 1) + 1
  })
  const missing = ([0, 1] as const).map((axis) =>
    Math.max(0, (extents[axis] ?? 0) - before[axis] - sizeOf(x.shape, axis + 2)),
  )
  const padded = ops.pad(x, [before[1], missing[1] ?? 0, before[0], missing[0] ?? 0])
  return ops.slice(ops.slice(padded, [0, extents[0] ?? 0], 2), [0, extents[1] ?? 0], 3)
}

/** A setting of one number an axis. */
function pairSetting(config: Settings, name: string, fallback: number): Pair {
  const [first = fallback, second = first] = numbersSetting(config, name, [fallback])
  return [first, second]
}

async function runCore(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const { config } = reference
  const options = {
    stride: pairSetting(config, 'stride', 1),
    padding: pairSetting(config, 'padding', 0),
    dilation: pairSetting(config, 'dilation', 1),
  }
  withoutEffect(config, 'bias') // whether there is one: it is an input
  return computed(reference, (inputs) => {
    const [x, weight, cotangent] = ['input', 'weight', 'cotangent'].map((name) => needed(inputs, name)) as [
      Tensor,
      Tensor,
      Tensor,
    ]
    fixedSetting(config, 'channels', x.shape[1])
    fixedSetting(config, 'groups', weight.shape[1])
    fixedSetting(config, 'kernel_size', weight.shape.slice(2, 4))
    const { bias } = inputs
    const { stride, dilation } = options
    const out = ops.involution(laidOut(x, weight, options), weight, { stride, dilation, ...(bias && { bias }) })
    const wanted = { input: x, weight, ...(bias && { bias }) }
    const gradients = vectorJacobianProduct([out], [cotangent], Object.values(wanted))
    const named = Object.keys(wanted).map((name, i) => [`grad_input/${name}`, gradients[i] as Tensor])
    return { 'output/out': out, ...Object.fromEntries(named) }
  })
}

async function runLayer(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const { config, mode } = reference
  const channels = numberSetting(config, 'channels')
  const groupChannels = numberSetting(config, 'group_channels', 16)
  const layer = new Involution(channels, numberSetting(config, 'kernel_size'), numberSetting(config, 'stride'), {
    reductionRatio: numberSetting(config, 'reduction_ratio', 4),
    groupChannels,
  })
  fixedSetting(config, 'groups', channels / groupChannels)
  layer.train(mode === 'train')
  layer.loadStateDict(tensorsBelow(reference, 'param/'))
  const parameters = layer.namedParameters()
  const found = await computed(reference, (inputs) => {
    const x = needed(inputs, 'x')
    const kernels = layer.kernels(x)
    const out = layer.forward(x, kernels)
    const outputs = inputs.cotangent_kernel ? { out, kernel: ops.flatten(kernels, 1, 3) } : { out }
    const cotangents = Object.keys(outputs).map((name) => inputs[`cotangent_${name}`] ?? needed(inputs, 'cotangent'))
    const gradients = vectorJacobianProduct(Object.values(outputs), cotangents, [x, ...parameters.values()])
    const names = ['grad_input/x', ...[...parameters.keys()].map((name) => `grad/${name}`)]
    return {
      ...Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [`output/${name}`, tensor])),
      ...Object.fromEntries(names.map((name, i) => [name, gradients[i] as Tensor])),
    }
  })
  return withStates(reference, layer, found)
}

export const operatorTargets: readonly CaseTargetRule[] = [
  { target: /^_involution_cuda/, run: runCore },
  { target: /^involution /, run: runLayer },
]
