/** Sampling of pictures at given points (spatial transformers, Jaderberg et al. 2015). */
import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, sameShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireCount, requireList, requireOneOf } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { checked, constantOf, type Operand, toFloat } from '../define.ts'
import { add, fmod, greater, greaterOrEqual, lessOrEqual, logicalAnd, mul, sub } from '../elementwise/binary.ts'
import { cast, where } from '../elementwise/choice.ts'
import { addAll } from '../elementwise/composite.ts'
import { clamp } from '../elementwise/rounding.ts'
import { abs, floor, round } from '../elementwise/unary.ts'
import { gather } from '../indexing/indexing.ts'
import { certainlyWithin } from '../indexing/places.ts'
import { matmulWith } from '../products/matmul.ts'
import { expand, reshape, slice } from './movement.ts'

/** Coordinates of the pixels along one axis, from -1 to 1: of their centres, or (align corners) of the outermost centres. */
function coordinates(size: number, alignCorners: boolean): number[] {
  return Array.from({ length: size }, (_, i) => {
    if (alignCorners) return size > 1 ? (2 * i) / (size - 1) - 1 : 0
    return (2 * i + 1) / size - 1
  })
}

/**
 * The points [N, H, W, 2] (x, y) that affine maps theta [N, 2, 3] take the pixels of a picture of `size` [N, C, H, W] to; of a volume
 * [N, C, D, H, W] the points [N, D, H, W, 3] (x, y, z) by maps [N, 3, 4].
 */
export function affineGrid(
  theta: Operand,
  size: readonly number[],
  options?: { readonly alignCorners?: boolean },
): Tensor {
  const { alignCorners = false } = optionsOf('affineGrid', options, { alignCorners: true })
  const maps = toFloat('affineGrid', theta, 'theta')
  return checked(() => {
    requireList('affineGrid', 'size', size)
    for (const number of size) requireCount('affineGrid', 'size', number)
    const axes = size.length - 2
    if ((axes !== 2 && axes !== 3) || !sameShape(maps.shape, [sizeOf(size, 0), axes, axes + 1])) {
      throw new ShapeError(
        `affineGrid: theta must be [N, 2, 3] and the size [N, C, H, W], or [N, 3, 4] and [N, C, D, H, W], found ${formatShape(maps.shape)} and ${formatShape(size)}`,
      )
    }
    const spatial = size.slice(2)
    // Axes as they are stored, the last fastest; a point names them the other way round, and 1 is for the shift.
    const places = spatial.reduce<readonly (readonly number[])[]>(
      (points, length) => points.flatMap((point) => coordinates(length, alignCorners).map((x) => [x, ...point])),
      [[1]],
    )
    const count = elementCount(spatial)
    const base = constantOf(Float32Array.from(places.flat()), [1, count, axes + 1])
    const points = matmulWith(expand(base, [sizeOf(size, 0), count, axes + 1]), maps, { transposeB: true })
    return reshape(points, [sizeOf(size, 0), ...spatial, axes])
  })
}

export interface GridSampleOptions {
  /** Default: bilinear. */
  readonly mode?: 'bilinear' | 'nearest' | 'bicubic'
  /** What lies outside of the picture. Default: zeros. */
  readonly paddingMode?: 'zeros' | 'border' | 'reflection'
  readonly alignCorners?: boolean
}

/** Folds coordinates back at the picture's edges (or outermost centres) until they lie inside. */
function reflected(x: Tensor, size: number, alignCorners: boolean): Tensor {
  const [low, span] = alignCorners ? [0, size - 1] : [-0.5, size]
  if (span === 0) return mul(x, 0)
  const distance = abs(sub(x, low))
  const rest = fmod(distance, span)
  const turns = floor(mul(sub(distance, rest), 1 / span))
  const odd = greater(fmod(round(turns), 2), 0.5)
  return clamp(add(where(odd, sub(span, rest), rest), low), 0, size - 1)
}

/**
 * Samples pictures [N, C, H, W] at the points of a grid [N, h, w, 2], whose x and y run from -1 to 1 over the picture: [N, C, h, w];
 * volumes [N, C, D, H, W] at points [N, d, h, w, 3] (x, y, z), not `bicubic`. Gradients flow to the pictures and, but for `nearest`, to
 * the grid.
 */
export function gridSample(x: Operand, grid: Operand, options?: GridSampleOptions): Tensor {
  const [input, points] = [toFloat('gridSample', x), toFloat('gridSample', grid, 'grid')]
  const {
    mode = 'bilinear',
    paddingMode = 'zeros',
    alignCorners = false,
  } = optionsOf('gridSample', options, { mode: true, paddingMode: true, alignCorners: true })
  return checked(() => {
    requireOneOf('gridSample', 'mode', mode, ['bilinear', 'nearest', 'bicubic'])
    requireOneOf('gridSample', 'paddingMode', paddingMode, ['zeros', 'border', 'reflection'])
    const axes = input.rank - 2
    if (
      (axes !== 2 && axes !== 3) ||
      points.rank !== input.rank ||
      points.shape.at(-1) !== axes ||
      points.shape[0] !== input.shape[0] ||
      elementCount(input.shape.slice(2)) === 0
    ) {
      throw new ShapeError(
        `gridSample: needs pictures [N, C, H, W] with at least one pixel and a grid [N, h, w, 2], or volumes and a grid [N, d, h, w, 3], found ${formatShape(input.shape)} and ${formatShape(points.shape)}`,
      )
    }
    if (axes === 3 && mode === 'bicubic')
      throw new ShapeError('gridSample: mode "bicubic" is for pictures, found volumes')
    return new Sampler(input, points, { mode, paddingMode, alignCorners }).sample()
  })
}

/** Coordinates are listed as the points have them: x first, which is the last axis. */
class Sampler {
  readonly #input: Tensor
  readonly #points: Tensor
  readonly #options: Required<GridSampleOptions>
  /** Of the picture along x, y, ... */
  readonly #sizes: readonly number[]

  constructor(input: Tensor, points: Tensor, options: Required<GridSampleOptions>) {
    this.#input = input
    this.#points = points
    this.#options = options
    this.#sizes = input.shape.slice(2).reverse()
  }

  sample(): Tensor {
    const { mode } = this.#options
    const given = this.#sizes.map((_, axis) => this.#pixels(axis))
    if (mode === 'bicubic') return this.#bicubic(given as [Tensor, Tensor])
    const inside = given.map((x, axis) => this.#inside(x, axis))
    return mode === 'nearest' ? this.#fetch(inside.map((x) => round(x))) : this.#linear(inside)
  }

  /** Coordinates in pixels along an axis: [N, ...]. */
  #pixels(axis: number): Tensor {
    const { shape, rank } = this.#points
    const values = reshape(slice(this.#points, [axis, axis + 1], rank - 1), shape.slice(0, -1))
    const size = sizeOf(this.#sizes, axis)
    return this.#options.alignCorners
      ? mul(add(values, 1), (size - 1) / 2)
      : mul(sub(mul(add(values, 1), size), 1), 0.5)
  }

  /** Coordinates moved into the picture as the padding mode says. */
  #inside(x: Tensor, axis: number): Tensor {
    const { paddingMode, alignCorners } = this.#options
    const size = sizeOf(this.#sizes, axis)
    if (paddingMode === 'border') return clamp(x, 0, size - 1)
    return paddingMode === 'reflection' ? reflected(x, size, alignCorners) : x
  }

  /** The pixels at whole coordinates [N, ...]; 0 outside of the picture. */
  #fetch(places: readonly Tensor[]): Tensor {
    const [n = 0, c = 0] = this.#input.shape
    const area = elementCount(this.#sizes)
    const [, ...found] = this.#points.shape.slice(0, -1)
    const count = elementCount(found)
    const clamped = places.map((x, axis) => clamp(x, 0, sizeOf(this.#sizes, axis) - 1))
    const index = clamped.reduceRight((rows, x, axis) => add(mul(rows, sizeOf(this.#sizes, axis)), x))
    const flat = expand(reshape(cast(index, 'int64'), [n, 1, count]), [n, c, count])
    const pixels = gather(reshape(this.#input, [n, c, area]), certainlyWithin(flat, area), 2)
    const valid = places
      .map((x, axis) => logicalAnd(greaterOrEqual(x, 0), lessOrEqual(x, sizeOf(this.#sizes, axis) - 1)))
      .reduce(logicalAnd)
    return this.#weighted(reshape(pixels, [n, c, ...found]), cast(valid, 'float32'))
  }

  #weighted(values: Tensor, weight: Tensor): Tensor {
    const [n = 0, ...rest] = weight.shape
    return mul(values, reshape(weight, [n, 1, ...rest]))
  }

  /** Between the neighbours on either side along every axis. */
  #linear(places: readonly Tensor[]): Tensor {
    const starts = places.map((x) => floor(x))
    const beyond = places.map((x, axis) => sub(x, starts[axis] as Tensor))
    const corners = places.reduce<readonly (readonly number[])[]>(
      (found) => found.flatMap((corner) => [0, 1].map((step) => [step, ...corner])),
      [[]],
    )
    return addAll(
      corners.map((corner) => {
        const shares = beyond.map((share, axis) => (corner[axis] === 1 ? share : sub(1, share)))
        return this.#weighted(this.#fetch(starts.map((x, axis) => add(x, sizeOf(corner, axis)))), shares.reduce(mul))
      }),
    )
  }

  /** Weights of the four neighbours -1, 0, 1, 2 at fraction t (Keys, a = -0.75). */
  #cubicWeights(t: Tensor): Tensor[] {
    const a = -0.75
    const near = (d: Tensor): Tensor => add(mul(mul(sub(mul(d, a + 2), a + 3), d), d), 1)
    const far = (d: Tensor): Tensor => sub(mul(mul(add(mul(sub(d, 5), d), 8), d), a), 4 * a)
    return [far(add(t, 1)), near(t), near(sub(1, t)), far(sub(2, t))]
  }

  #bicubic([x, y]: readonly [Tensor, Tensor]): Tensor {
    const [left, top] = [floor(x), floor(y)]
    const [columns, rows] = [this.#cubicWeights(sub(x, left)), this.#cubicWeights(sub(y, top))]
    const taps = rows.flatMap((row, i) =>
      columns.map((column, j) => {
        const pixels = this.#fetch([this.#inside(add(left, j - 1), 0), this.#inside(add(top, i - 1), 1)])
        return this.#weighted(pixels, mul(row, column))
      }),
    )
    return addAll(taps)
  }
}
