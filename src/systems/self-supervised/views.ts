/**
 * Random views of pictures, as tensors: they are made inside of the training step, by the same threads, and nothing is copied. SimCLR's family
 * (arXiv 2002.05709, appendix A): crop, flip, colour, grey, blur; BYOL's adds solarising; digits are turned instead of flipped.
 *
 * Shapes: N pictures, C channels (1 or 3), H x W pixels; values from 0 to 1.
 */
import * as ops from '../../ops/index.ts'
import type { RandomState } from '../../tensor/random-state.ts'
import { randomState } from '../../tensor/random-state.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** How a view differs from its picture. Probabilities are each picture's own. */
export interface ViewOptions {
  /** Shares of the area that a crop has, least and greatest. */
  readonly crop_area: readonly [number, number]
  /** Width over height of a crop, at most; 1 / this at least. Torchvision: 4 / 3. */
  readonly crop_ratio: number
  /** Greatest angle, in degrees. */
  readonly rotation: number
  /** Probability of a mirror image. */
  readonly flip: number
  /** Probability that colours change, and by how much: factors from 1 - s to 1 + s, of hue s turns. */
  readonly jitter: number
  readonly brightness: number
  readonly contrast: number
  readonly saturation: number
  readonly hue: number
  /** Probability of grey. */
  readonly grey: number
  /** Probability of a blur with sigma from 0.1 to 2 pixels of a kernel of a tenth of the side. */
  readonly blur: number
  /** Probability that what is lighter than a half is inverted. */
  readonly solarise: number
}

const none = { rotation: 0, flip: 0, jitter: 0, brightness: 0, contrast: 0, saturation: 0, hue: 0, grey: 0, blur: 0 }
const natural = { ...none, crop_area: [0.08, 1], crop_ratio: 4 / 3, flip: 0.5, solarise: 0 } as const
const coloured = { ...natural, jitter: 0.8, grey: 0.2 } as const
const byolColours = { ...coloured, brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0.1 } as const

/** The published families; the first and every further view. */
export const viewFamilies = {
  /** Digits: letters have a direction, so they are not mirrored. */
  digits: same({
    ...none,
    crop_area: [0.5, 1],
    crop_ratio: 4 / 3,
    rotation: 15,
    solarise: 0,
    ...lightness(0.4),
    blur: 0.2,
  }),
  simclr: same({ ...coloured, brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.2, blur: 0.5 }),
  /** MoCo v2, SimSiam. */
  'moco-v2': same({
    ...coloured,
    crop_area: [0.2, 1],
    brightness: 0.4,
    contrast: 0.4,
    saturation: 0.4,
    hue: 0.1,
    blur: 0.5,
  }),
  /** BYOL, Barlow Twins, VICReg, DINO: the two views differ. */
  byol: [
    { ...byolColours, blur: 1 },
    { ...byolColours, blur: 0.1, solarise: 0.2 },
  ],
  mae: same({ ...natural, crop_area: [0.2, 1] }),
  none: same({ ...none, crop_area: [1, 1], crop_ratio: 1, solarise: 0 }),
} as const satisfies Readonly<Record<string, readonly [ViewOptions, ViewOptions]>>

export type ViewFamily = keyof typeof viewFamilies

function same(options: ViewOptions): readonly [ViewOptions, ViewOptions] {
  return [options, options]
}

function lightness(strength: number) {
  return { jitter: 0.8, brightness: strength, contrast: strength } as const
}

/** Draws from one stream. */
interface Draws {
  readonly uniform: (low: number, high: number) => Tensor
  readonly happens: (probability: number) => Tensor
}

/** One number for each of n pictures, [n] or [n, 1, 1, 1]. */
function drawsFor(n: number, state: RandomState): Draws {
  const uniform = (low: number, high: number): Tensor => ops.randomUniform([n], { low, high, state })
  return { uniform, happens: (probability) => each(ops.less(uniform(0, 1), probability)) }
}

const each = (x: Tensor): Tensor => ops.reshape(x, [x.size, 1, 1, 1])

/** A random view of each picture: images [N, C, H, W] -> [N, C, size, size] (default: as they are). */
export function randomView(
  images: Tensor,
  options: ViewOptions,
  { size = images.shape.slice(2), state = randomState() }: { size?: readonly number[]; state?: RandomState } = {},
): Tensor {
  const draws = drawsFor(images.shape[0] ?? 0, state)
  const moved = resample(images, options, size, draws)
  const coloured = jitterColours(moved, options, draws)
  const blurred = options.blur > 0 ? chosen(options.blur, blur(coloured, draws), coloured, draws) : coloured
  if (options.solarise === 0) return blurred
  const inverted = ops.where(ops.greaterOrEqual(blurred, 0.5), ops.sub(1, blurred), blurred)
  return chosen(options.solarise, inverted, blurred, draws)
}

/** `changed` with a probability, else `x`. */
function chosen(probability: number, changed: Tensor, x: Tensor, { happens }: Draws): Tensor {
  return probability >= 1 ? changed : ops.where(happens(probability), changed, x)
}

/** A turned, mirrored box of each picture, brought to the size by bilinear sampling: one affine map. */
function resample(images: Tensor, options: ViewOptions, size: readonly number[], { uniform, happens }: Draws): Tensor {
  const [n, channels, height, width] = images.sizes(4)
  const { crop_area, crop_ratio, rotation, flip } = options
  const isWhole = crop_area[0] >= 1 && rotation === 0 && flip === 0
  if (isWhole && size[0] === height && size[1] === width) return images
  const area = uniform(crop_area[0], crop_area[1])
  const logRatio = Math.log(crop_ratio)
  const ratio = ops.exp(uniform(-logRatio, logRatio))
  const [sx, sy] = [ops.mul(area, ratio), ops.div(area, ratio)].map((side) => ops.minimum(ops.sqrt(side), 1)) as [
    Tensor,
    Tensor,
  ]
  const place = (side: Tensor): Tensor => ops.mul(ops.sub(1, side), uniform(-1, 1))
  const [tx, ty] = [place(sx), place(sy)]
  const mirrored = flip > 0 ? ops.where(ops.flatten(happens(flip)), ops.neg(sx), sx) : sx
  const limit = (rotation * Math.PI) / 180
  const angle = uniform(-limit, limit)
  const [cos, sin] = [ops.cos(angle), ops.sin(angle)]
  const rows = [
    [ops.mul(mirrored, cos), ops.neg(ops.mul(sy, sin)), tx],
    [ops.mul(mirrored, sin), ops.mul(sy, cos), ty],
  ]
  const theta = ops.stack(
    rows.map((row) => ops.stack(row, -1)),
    1,
  ) // [N, 2, 3]
  return ops.gridSample(images, ops.affineGrid(theta, [n, channels, ...size]))
}

/** Luma of red, green and blue: [N, 3, H, W] -> [N, 1, H, W]. */
function luma(x: Tensor): Tensor {
  const weights = ops.reshape(ops.concat([0.299, 0.587, 0.114].map((weight) => ops.full([1], weight))), [1, 3, 1, 1])
  return ops.sum(ops.mul(x, weights), 1, { keepDims: true })
}

/** Brightness, contrast, saturation and hue, in this order; then grey. Pictures of one channel have the first two. */
function jitterColours(x: Tensor, options: ViewOptions, draws: Draws): Tensor {
  const { jitter, brightness, contrast, saturation, hue, grey } = options
  const isColour = x.shape[1] === 3
  const factor = (strength: number): Tensor => each(draws.uniform(Math.max(0, 1 - strength), 1 + strength))
  const bounded = (y: Tensor): Tensor => ops.clamp(y, 0, 1)
  const greyOf = (y: Tensor): Tensor => (isColour ? luma(y) : y)
  const toward = (y: Tensor, other: Tensor, share: Tensor): Tensor =>
    bounded(ops.add(other, ops.mul(ops.sub(y, other), share)))
  let y = x
  if (jitter > 0) {
    if (brightness > 0) y = bounded(ops.mul(y, factor(brightness)))
    if (contrast > 0) y = toward(y, ops.mean(greyOf(y), [1, 2, 3], { keepDims: true }), factor(contrast))
    if (isColour && saturation > 0) y = toward(y, luma(y), factor(saturation))
    if (isColour && hue > 0) y = bounded(turnHue(y, ops.mul(draws.uniform(-hue, hue), 2 * Math.PI)))
    y = chosen(jitter, y, x, draws)
  }
  return isColour && grey > 0 ? chosen(grey, ops.expand(luma(y), y.shape), y, draws) : y
}

/** Hue turned by an angle [N] in the plane of YIQ's chroma: a rotation of colours about grey (torchvision's goes through HSV). */
function turnHue(x: Tensor, angle: Tensor): Tensor {
  const [r, g, b] = ops.split(x, [1, 1, 1], 1) as [Tensor, Tensor, Tensor]
  const mixed = (wr: number, wg: number, wb: number): Tensor =>
    ops.addAll([ops.mul(r, wr), ops.mul(g, wg), ops.mul(b, wb)])
  const y = mixed(0.299, 0.587, 0.114)
  const [i, q] = [mixed(0.595716, -0.274453, -0.321263), mixed(0.211456, -0.522591, 0.311135)]
  const [cos, sin] = [each(ops.cos(angle)), each(ops.sin(angle))]
  const turnedI = ops.sub(ops.mul(i, cos), ops.mul(q, sin))
  const turnedQ = ops.add(ops.mul(i, sin), ops.mul(q, cos))
  const channel = (wi: number, wq: number): Tensor => ops.addAll([y, ops.mul(turnedI, wi), ops.mul(turnedQ, wq)])
  return ops.concat([channel(0.9563, 0.621), channel(-0.2721, -0.6474), channel(-1.107, 1.7046)], 1)
}

/** Gaussian blur, each picture with a sigma from 0.1 to 2: rows, then columns, each a weighted sum of shifted copies. */
function blur(x: Tensor, { uniform }: Draws): Tensor {
  const [, , height, width] = x.sizes(4)
  const radius = Math.max(1, Math.round(Math.min(height, width) / 20))
  const sigma = uniform(0.1, 2)
  const offsets = Array.from({ length: 2 * radius + 1 }, (_, i) => i - radius)
  const scale = ops.div(-0.5, ops.square(sigma))
  const raw = offsets.map((offset) => ops.exp(ops.mul(scale, offset ** 2)))
  const total = ops.addAll(raw)
  const weights = raw.map((weight) => each(ops.div(weight, total)))
  const along = (y: Tensor, axis: 2 | 3, length: number): Tensor => {
    const padding = axis === 2 ? [0, 0, radius, radius] : [radius, radius, 0, 0]
    const padded = ops.pad(y, padding, { mode: 'reflect' })
    return ops.addAll(weights.map((weight, i) => ops.mul(ops.slice(padded, [i, i + length], axis), weight)))
  }
  return along(along(x, 2, height), 3, width)
}
