/** Activations by the names used in the settings of other libraries. */
import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'

type Activation = (x: Tensor) => Tensor

const tanhGelu: Activation = (x) => ops.gelu(x, { approximate: 'tanh' })

/** Mean and deviation of the normal distribution whose distribution function is close to relu(x)^2 (Ma et al. 2022, arXiv 2209.10655). */
// biome-ignore lint/suspicious/noApproximativeNumericConstant: transformers' digits
const [laplaceMean, laplaceDeviation] = [0.707107, 0.282095]

/** The names of transformers (`ACT2FN`) and timm (`create_act`). A name that both have means the same in both. */
const activations = {
  gelu: (x) => ops.gelu(x),
  gelu_10: (x) => ops.clamp(ops.gelu(x), -10, 10),
  gelu_accurate: tanhGelu,
  gelu_fast: tanhGelu,
  gelu_new: tanhGelu,
  gelu_python: (x) => ops.gelu(x),
  gelu_python_tanh: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
  gelu_tanh: tanhGelu,
  quick_gelu: (x) => ops.quickGelu(x),
  relu: (x) => ops.relu(x),
  relu2: (x) => ops.square(ops.relu(x)),
  relu6: (x) => ops.relu6(x),
  leaky_relu: (x) => ops.leakyRelu(x),
  elu: (x) => ops.elu(x),
  celu: (x) => ops.celu(x),
  selu: (x) => ops.selu(x),
  silu: (x) => ops.silu(x),
  swish: (x) => ops.silu(x),
  mish: (x) => ops.mish(x),
  sigmoid: (x) => ops.sigmoid(x),
  tanh: (x) => ops.tanh(x),
  hard_sigmoid: (x) => ops.hardsigmoid(x),
  hardsigmoid: (x) => ops.hardsigmoid(x),
  hard_swish: (x) => ops.hardswish(x),
  hardswish: (x) => ops.hardswish(x),
  identity: (x) => x,
  laplace: (x) => ops.mul(ops.add(ops.erf(ops.div(ops.sub(x, laplaceMean), laplaceDeviation * Math.SQRT2)), 1), 0.5),
  linear: (x) => x,
  sqrtsoftplus: (x) => ops.sqrt(ops.softplus(x)),
} as const satisfies Readonly<Record<string, Activation>>

export type ActivationName = keyof typeof activations

export const activationNames = Object.keys(activations) as readonly ActivationName[]

/** Applies the activation of that name to x, of any shape. */
export function activate(name: ActivationName, x: Tensor): Tensor {
  return activations[name](x)
}
