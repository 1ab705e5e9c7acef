/** How the networks know the time: sines and cosines of it (Vaswani et al. 2017), cosines first. */
import * as ops from '../../ops/index.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { requireCount } from '../../util/check.ts'
import { UsageError } from '../../util/errors.ts'

/**
 * [cos(t w_0), ..., sin(t w_0), ...], w_i = maxPeriod^(-i / half), half = floor(dim / 2); an odd width ends with a zero, and of a width of 1
 * nothing is left, as in the official code. timesteps [B], whole or not -> [B, dim]. All in float32, as there: near t = 1000 double
 * precision differs by up to 6e-5.
 */
export function timestepEmbedding(timesteps: Tensor, dim: number, maxPeriod = 10_000): Tensor {
  requireCount('timestepEmbedding', 'dim', dim, 1, UsageError)
  const half = Math.floor(dim / 2)
  const scale = Math.fround(-Math.log(maxPeriod))
  const exponents = Float32Array.from({ length: half }, (_, i) => Math.fround(scale * i) / half)
  const frequencies = constant(exponents.map(Math.exp), [1, half], 'float32')
  const t = ops.reshape(ops.cast(timesteps, 'float32'), [-1, 1]) // [B, 1]
  const angles = ops.mul(t, frequencies) // [B, half]
  const waves = ops.concat([ops.cos(angles), ops.sin(angles)], 1) // [B, 2 half]
  return dim % 2 === 1 && half > 0 ? ops.pad(waves, [0, 1]) : waves
}
