/** Sampling of pictures at given points (spatial transformers, Jaderberg et al. 2015). */
import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, sameShape, sizeOf, sizes } from '../../tensor/shape.ts'
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

/** The points [N, H, W, 2] (x, y) that affine maps theta [N, 2, 3] take the pixels of a picture of `size` [N, C, H, W] to. */
export function affineGrid(
  theta: Operand,
  size: readonly number[],
  options?: { readonly alignCorners?: boolean },
): Tensor {
  const given = optionsOf('affineGrid', options)
  const maps = toFloat('affineGrid', theta, 'theta')
  return checked(() => {
    requireList('affineGrid', 'size', size)
    for (const number of size) requireCount('affineGrid', 'size', number)
    if (size.length !== 4 || !sameShape(maps.shape, [sizeOf(size, 0), 2, 3])) {
      throw new ShapeError(
        `affineGrid: theta must be [N, 2, 3] and the size [N, C, H, W], found ${formatShape(maps.shape)} and ${formatShape(size)}`,
      )
    }
    const [n, , height, width] = sizes(size, 4)
    const [xs, ys] = [coordinates(width, given.alignCorners ?? false), coordinates(height, given.alignCorners ?? false)]
    const base = constantOf(Float32Array.from(ys.flatMap((y) => xs.flatMap((x) => [x, y, 1]))), [1, height * width, 3])
    return reshape(matmulWith(expand(base, [n, height * width, 3]), maps, { transposeB: true }), [n, height, width, 2])
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
 * Samples pictures [N, C, H, W] at the points of a grid [N, h, w, 2], whose x and y run from -1 to 1 over the picture:
 * [N, C, h, w]. Gradients flow to the pictures and, but for `nearest`, to the grid.
 */
export function gridSample(x: Operand, grid: Operand, options?: GridSampleOptions): Tensor {
  const [input, points] = [toFloat('gridSample', x), toFloat('gridSample', grid, 'grid')]
  const { mode = 'bilinear', paddingMode = 'zeros', alignCorners = false } = optionsOf('gridSample', options)
  return checked(() => {
    requireOneOf('gridSample', 'mode', mode, ['bilinear', 'nearest', 'bicubic'])
    requireOneOf('gridSample', 'paddingMode', paddingMode, ['zeros', 'border', 'reflection'])
    if (
      input.rank !== 4 ||
      points.rank !== 4 ||
      points.shape[3] !== 2 ||
      points.shape[0] !== input.shape[0] ||
      elementCount(input.shape.slice(2)) === 0
    ) {
      throw new ShapeError(
        `gridSample: needs pictures [N, C, H, W] with at least one pixel and a grid [N, h, w, 2], found ${formatShape(input.shape)} and ${formatShape(points.shape)}`,
      )
    }
    return new Sampler(input, points, { mode, paddingMode, alignCorners }).sample()
  })
}

class Sampler {
  readonly #input: Tensor
  readonly #points: Tensor
  readonly #options: Required<GridSampleOptions>

  constructor(input: Tensor, points: Tensor, options: Required<GridSampleOptions>) {
    this.#input = input
    this.#points = points
    this.#options = options
  }

  sample(): Tensor {
    const { mode } = this.#options
    const [x, y] = [this.#pixels(0), this.#pixels(1)]
    if (mode === 'nearest') return this.#fetch(round(this.#inside(x, 0)), round(this.#inside(y, 1)))
    if (mode === 'bicubic') return this.#bicubic(x, y)
    return this.#bilinear(this.#inside(x, 0), this.#inside(y, 1))
  }

  #size(axis: 0 | 1): number {
    return sizeOf(this.#input.shape, axis === 0 ? 3 : 2)
  }

  /** Coordinates in pixels along x (0) or y (1): [N, h, w]. */
  #pixels(axis: 0 | 1): Tensor {
    const [n, h, w] = this.#points.sizes(4)
    const values = reshape(slice(this.#points, [axis, axis + 1], 3), [n, h, w])
    const size = this.#size(axis)
    return this.#options.alignCorners
      ? mul(add(values, 1), (size - 1) / 2)
      : mul(sub(mul(add(values, 1), size), 1), 0.5)
  }

  /** Coordinates moved into the picture as the padding mode says. */
  #inside(x: Tensor, axis: 0 | 1): Tensor {
    const { paddingMode, alignCorners } = this.#options
    if (paddingMode === 'border') return clamp(x, 0, this.#size(axis) - 1)
    return paddingMode === 'reflection' ? reflected(x, this.#size(axis), alignCorners) : x
  }

  /** The pixels at whole coordinates [N, h, w]; 0 outside of the picture. */
  #fetch(x: Tensor, y: Tensor): Tensor {
    const [n, c, height, width] = this.#input.sizes(4)
    const [, h, w] = x.sizes(3)
    const within = (t: Tensor, size: number): Tensor => logicalAnd(greaterOrEqual(t, 0), lessOrEqual(t, size - 1))
    const index = add(mul(clamp(y, 0, height - 1), width), clamp(x, 0, width - 1))
    const places = expand(reshape(cast(index, 'int64'), [n, 1, h * w]), [n, c, h * w])
    const values = reshape(
      gather(reshape(this.#input, [n, c, height * width]), certainlyWithin(places, height * width), 2),
      [n, c, h, w],
    )
    const valid = cast(logicalAnd(within(x, width), within(y, height)), 'float32')
    return mul(values, reshape(valid, [n, 1, h, w]))
  }

  #weighted(values: Tensor, weight: Tensor): Tensor {
    const [n, h, w] = weight.sizes(3)
    return mul(values, reshape(weight, [n, 1, h, w]))
  }

  #bilinear(x: Tensor, y: Tensor): Tensor {
    const [left, top] = [floor(x), floor(y)]
    const [dx, dy] = [sub(x, left), sub(y, top)]
    const corners = [0, 1].flatMap((i) =>
      [0, 1].map((j) => {
        const weight = mul(i === 1 ? dy : sub(1, dy), j === 1 ? dx : sub(1, dx))
        return this.#weighted(this.#fetch(add(left, j), add(top, i)), weight)
      }),
    )
    return addAll(corners)
  }

  /** Weights of the four neighbours -1, 0, 1, 2 at fraction t (Keys, a = -0.75). */
  #cubicWeights(t: Tensor): Tensor[] {
    const a = -0.75
    const near = (d: Tensor): Tensor => add(mul(mul(sub(mul(d, a + 2), a + 3), d), d), 1)
    const far = (d: Tensor): Tensor => sub(mul(mul(add(mul(sub(d, 5), d), 8), d), a), 4 * a)
    return [far(add(t, 1)), near(t), near(sub(1, t)), far(sub(2, t))]
  }

  #bicubic(x: Tensor, y: Tensor): Tensor {
    const [left, top] = [floor(x), floor(y)]
    const [columns, rows] = [this.#cubicWeights(sub(x, left)), this.#cubicWeights(sub(y, top))]
    const taps = rows.flatMap((row, i) =>
      columns.map((column, j) => {
        const pixels = this.#fetch(this.#inside(add(left, j - 1), 0), this.#inside(add(top, i - 1), 1))
        return this.#weighted(pixels, mul(row, column))
      }),
    )
    return addAll(taps)
  }
}
