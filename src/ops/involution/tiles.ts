/**
 * Involution as products of matrices, for runs of T neighbouring positions of one row: what they see of the input, [places of
 * the run's window, channels of a group], is multiplied by a band matrix [T, places] whose row j has the kernel of position j,
 * moved by j strides. A band matrix needs no scattering: rows of P numbers that are read again as rows of P - stride are moved
 * by one stride each (docs/decisions/051-involution.md).
 */
import { type Emitter, emitReshape } from '../define.ts'
import { emitProduct } from '../products/transposed.ts'
import {
  allGroups,
  bordered,
  type Form,
  groupChannels,
  type Involution,
  joined,
  places,
  reachOf,
  sliced,
  transposed,
  zeros,
} from './geometry.ts'

interface Tiling {
  /** Positions of a run, and runs of a row. */
  readonly run: number
  readonly runs: number
  /** Columns of a run's window, with room for the last position's kernel to be moved once more. */
  readonly columns: number
  /** Places of a run's window: rows of the kernel times columns, less the last stride. */
  readonly window: number
}

// Longer runs multiply more zeros, shorter ones copy more of the input.
const usualRun = 8

function tilingOf({ kernel, stride, output }: Involution): Tiling {
  const runs = Math.max(1, Math.round(output[1] / usualRun))
  const run = Math.ceil(output[1] / runs)
  const columns = reachOf(run + 1, kernel[1], stride[1], 1)
  return { run, runs, columns, window: kernel[0] * columns - stride[1] }
}

/** For each run, what it sees of the input: [groups of all examples * Ho * runs, window, channels of a group]. */
function windowsOf(emit: Emitter, involution: Involution, input: string, tiling: Tiling): string {
  const { kernel, stride, output } = involution
  const { run, runs, columns, window } = tiling
  const step = run * stride[1]
  const height = reachOf(output[0], kernel[0], stride[0], 1)
  const width = (runs - 1) * step + columns
  const [groups, channels] = [allGroups(involution), groupChannels(involution)]
  const whole = emitReshape(emit, bordered(emit, involution, input, [height, width]), [
    groups,
    channels,
    height * width,
  ])
  const index = new Int32Array(output[0] * runs * window)
  let at = 0
  for (let row = 0; row < output[0]; row++)
    for (let start = 0; start < runs * step; start += step)
      for (let place = 0; place < window; place++)
        index[at++] = (row * stride[0] + Math.floor(place / columns)) * width + start + (place % columns)
  const picked = emit.node('Gather', [transposed(emit, whole, [0, 2, 1]), emit.constant('int32', [at], index)], {
    axis: 1,
  })
  return emitReshape(emit, picked, [groups * output[0] * runs, window, channels])
}

/** Rows [count, before.size] continued with zeros. */
function continued(emit: Emitter, x: string, count: number, size: number, more: number): string {
  const rows = emitReshape(emit, x, [count, size])
  return more === 0 ? rows : joined(emit, [rows, zeros(emit, [count, more])], 1)
}

/** The result [B, C, Ho, Wo]. */
export const byTiles: Form = (emit, involution, input, kernels) => {
  const {
    input: [batch, channels],
    kernel,
    stride,
    output,
  } = involution
  const tiling = tilingOf(involution)
  const { run, runs, columns, window } = tiling
  const [groups, inGroup, padded] = [allGroups(involution), groupChannels(involution), run * runs]
  const planes = emitReshape(emit, kernels, [groups, places(involution), output[0] * output[1]])
  const byPosition = transposed(emit, planes, [0, 2, 1])
  const rows = groups * output[0]
  const full = continued(
    emit,
    byPosition,
    rows,
    output[1] * places(involution),
    (padded - output[1]) * places(involution),
  )
  const wide = continued(emit, full, rows * padded * kernel[0], kernel[1], columns - kernel[1])
  const cut = sliced(emit, emitReshape(emit, wide, [rows * runs, run * (window + stride[1])]), 1, [0, run * window])
  const band = emitReshape(emit, cut, [rows * runs, run, window])
  const product = emit.node('MatMul', [band, windowsOf(emit, involution, input, tiling)])
  const channelsFirst = transposed(emit, emitReshape(emit, product, [groups, output[0] * padded, inGroup]), [0, 2, 1])
  const result = emitReshape(emit, channelsFirst, [batch, channels, output[0], padded])
  return padded === output[1] ? result : sliced(emit, result, 3, [0, output[1]])
}

/** The gradient of the kernels [B, G, KH, KW, Ho, Wo], from the output's [B, C, Ho, Wo]: that of the band matrix, moved back. */
export const gradientByTiles: Form = (emit, involution, input, gradient) => {
  const {
    input: [batch],
    groups,
    kernel,
    stride,
    output,
  } = involution
  const tiling = tilingOf(involution)
  const { run, runs, columns, window } = tiling
  const [all, inGroup, padded] = [allGroups(involution), groupChannels(involution), run * runs]
  const full = continued(emit, gradient, all * inGroup * output[0], output[1], padded - output[1])
  const byPosition = transposed(emit, emitReshape(emit, full, [all, inGroup, output[0] * padded]), [0, 2, 1])
  const tiles = all * output[0] * runs
  const rows = emitReshape(emit, byPosition, [tiles, run, inGroup])
  const band = emitProduct(emit, rows, windowsOf(emit, involution, input, tiling), { transposeB: true }, 3)
  const wide = continued(emit, band, tiles, run * window, run * stride[1])
  const cut = sliced(emit, emitReshape(emit, wide, [tiles * run * kernel[0], columns]), 1, [0, kernel[1]])
  const count = places(involution)
  const planes = transposed(emit, emitReshape(emit, cut, [all, output[0] * padded, count]), [0, 2, 1])
  const result = emitReshape(emit, planes, [batch, groups, ...kernel, output[0], padded])
  return padded === output[1] ? result : sliced(emit, result, 5, [0, output[1]])
}
