/**
 * What the blocks of BigGAN-deep compute (Brock et al. 2018, arXiv 1809.11096, appendix B), whichever code named their parts: the
 * released generators (huggingface) and the code that trains (ajbrock) differ in names and norms only.
 */
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'

type Map1 = (x: Tensor) => Tensor

/** The parts of a block: four times norm, ReLU and convolution (1x1, 3x3, 3x3, 1x1). */
export interface BlockParts {
  readonly norms: readonly [Map1, Map1, Map1, Map1]
  readonly convs: readonly [Map1, Map1, Map1, Map1]
  /** Whether height and width double, after the second norm. */
  readonly upsample: boolean
  /** Channels of the input that are added to the output. */
  readonly kept: number
}

/** x [N, C, H, W] -> [N, kept, H', W']: a bottleneck, added to the first channels of its input. */
export function generatorBlock(x: Tensor, { norms, convs, upsample, kept }: BlockParts): Tensor {
  const grown = (t: Tensor): Tensor =>
    upsample ? ops.interpolate(t, undefined, { scaleFactor: 2, mode: 'nearest' }) : t
  const [norm0, norm1, norm2, norm3] = norms
  const [conv0, conv1, conv2, conv3] = convs
  const narrow = conv0(ops.relu(norm0(x))) // [N, C / 4, H, W]
  const first = conv1(grown(ops.relu(norm1(narrow)))) // [N, C / 4, H', W']
  const second = conv2(ops.relu(norm2(first))) // [N, C / 4, H', W']
  const wide = conv3(ops.relu(norm3(second))) // [N, kept, H', W']
  const [, channels] = x.sizes(4)
  const shortcut = kept === channels ? x : ops.slice(x, [0, kept], 1)
  return ops.add(wide, grown(shortcut))
}

/** The parts of a non-local block: four 1x1 convolutions and the factor of its output, which begins at 0. */
export interface AttentionParts {
  readonly theta: Map1
  readonly phi: Map1
  readonly g: Map1
  readonly o: Map1
  readonly gamma: Parameters<typeof ops.mul>[0]
}

/** x [N, C, H, W]: each place reads from all (of half the resolution), softmax(theta^T phi) without scaling (Zhang et al. 2018). */
export function selfAttention(x: Tensor, { theta, phi, g, o, gamma }: AttentionParts): Tensor {
  const [n, , h, w] = x.sizes(4)
  const queries = ops.flatten(theta(x), 2) // [N, C / 8, H W]
  const keys = ops.flatten(ops.maxPool2d(phi(x), 2), 2) // [N, C / 8, H W / 4]
  const values = ops.flatten(ops.maxPool2d(g(x), 2), 2) // [N, C / 2, H W / 4]
  const weights = ops.softmax(ops.matmul(ops.transpose(queries), keys), -1) // [N, H W, H W / 4]
  const read = ops.matmul(values, ops.transpose(weights)) // [N, C / 2, H W]
  const [, channels] = read.sizes(3)
  return ops.add(x, ops.mul(o(ops.reshape(read, [n, channels, h, w])), gamma))
}
