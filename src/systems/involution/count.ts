/** Parameters, multiply-adds and the FLOPs that the authors report (mmcv's convention), exact integers for one input. */
import { topologicalNodes } from '../../autodiff/graph.ts'
import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  Involution,
  Linear,
  MaxPool2d,
  type Module,
  observeForward,
} from '../../nn/index.ts'
import type { Shape } from '../../tensor/shape.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { record } from '../../tensor/trace.ts'
import { GlobalAveragePooling } from './model.ts'

/** What is counted, by the names of the reference. */
export interface Counts {
  readonly params: number
  readonly conv_macs: number
  readonly conv_bias_adds: number
  /** Of the weighted sums: K * K * C for each position. The kernels are made by convolutions. */
  readonly involution_macs: number
  readonly fc_macs: number
  readonly bn_elements: number
  readonly relu_elements: number
  readonly pool_input_elements: number
  /** Multiply-adds of convolutions, involutions and linear layers. */
  readonly macs: number
  /** As published: without the linear layer, with 2 for each normalised and 1 for each rectified or pooled element. */
  readonly mmcls_flops: number
}

const isPool = (owner: unknown): boolean =>
  owner instanceof MaxPool2d || owner instanceof AvgPool2d || owner instanceof GlobalAveragePooling

/** What one call of a module adds. `size`: elements of its result. */
function ownCounts(module: Module, { size }: Tensor): Partial<Counts> {
  if (module instanceof Conv2d)
    return { conv_macs: size * (module.weight.size / module.outChannels), conv_bias_adds: module.bias ? size : 0 }
  if (module instanceof Linear) return { fc_macs: size * (module.weight.shape[1] ?? 0) }
  if (module instanceof BatchNorm2d) return { bn_elements: size }
  if (module instanceof Involution)
    return {
      involution_macs: size * module.kernelSize ** 2,
      // Kernels are made of means of stride x stride pixels.
      pool_input_elements: module.stride === 1 ? 0 : size * module.stride ** 2,
    }
  return {}
}

/**
 * Counts of a module for an input of that shape. Nothing is computed. The module is in evaluation mode then: in training, a batch norm
 * refuses the single value per channel of a small picture's last stage.
 */
export function countsOf(model: Module & { forward(x: Tensor): Tensor | readonly Tensor[] }, shape: Shape): Counts {
  const total = {
    conv_macs: 0,
    conv_bias_adds: 0,
    involution_macs: 0,
    fc_macs: 0,
    bn_elements: 0,
    relu_elements: 0,
    pool_input_elements: 0,
  }
  const add = (counts: Partial<typeof total>): void => {
    for (const key of Object.keys(counts) as (keyof typeof total)[]) total[key] += counts[key] ?? 0
  }
  const observe = (module: Module, result: unknown): void => {
    if (result instanceof Tensor) add(ownCounts(module, result))
  }
  model.eval()
  const input = new Tensor('float32', shape, { kind: 'input', name: 'x' })
  const { result } = record(() => observeForward(observe, () => model.forward(input)))
  const pools = new Set<object>()
  for (const { op, inputs, outputs, origin } of topologicalNodes([result].flat() as Tensor[])) {
    if (op.name === 'relu') add({ relu_elements: outputs[0]?.size ?? 0 })
    const owner = origin.scope.at(-1)
    if (!owner || !isPool(owner) || pools.has(owner)) continue
    pools.add(owner)
    add({ pool_input_elements: inputs[0]?.size ?? 0 })
  }
  const params = [...model.variables().values()].reduce((sum, { trainable, size }) => sum + (trainable ? size : 0), 0)
  const { conv_macs, conv_bias_adds, involution_macs, fc_macs, bn_elements, relu_elements, pool_input_elements } = total
  return {
    params,
    ...total,
    macs: conv_macs + involution_macs + fc_macs,
    mmcls_flops: conv_macs + conv_bias_adds + 2 * bn_elements + relu_elements + pool_input_elements + involution_macs,
  }
}
