/** A trained Mixer for pictures of K times the side length (paper, appendix C). */

import type { NDArray } from '../../tensor/dtype.ts'
import { sizes } from '../../tensor/shape.ts'
import { tokenGrid } from './config.ts'
import { Mixer } from './model.ts'

/**
 * Enlarges the token-mixing MLPs: the large picture is cut into K x K sub-pictures, and each keeps its own copy of the
 * small MLP. Tokens stay in raster order of the large grid; sub-picture r owns hidden units r D_S to (r + 1) D_S - 1.
 * The output is the mean over the sub-pictures of the small model's outputs, until it is trained further.
 */
export function enlargeTokenMixing(small: Mixer, factor: number): Mixer {
  const { config } = small
  const [height, width] = config.image_size
  const large = new Mixer({
    ...config,
    image_size: [height * factor, width * factor],
    tokens_mlp_dim: config.tokens_mlp_dim * factor ** 2,
  })
  const places = tokenPlaces(small, factor)
  const state = new Map<string, NDArray>()
  for (const [name, array] of small.stateDict()) {
    if (name.endsWith('mlp_tokens.fc1.weight')) state.set(name, blockDiagonal(array, places, 'columns'))
    else if (name.endsWith('mlp_tokens.fc2.weight')) state.set(name, blockDiagonal(array, places, 'rows'))
    else if (name.endsWith('mlp_tokens.fc1.bias')) state.set(name, repeated(array, factor ** 2))
    else if (name.endsWith('mlp_tokens.fc2.bias')) state.set(name, scattered(array, places))
    else state.set(name, array)
  }
  large.loadStateDict(state)
  return large
}

/** places[r][s]: where token s of sub-picture r lies in the large grid. */
function tokenPlaces({ config }: Mixer, factor: number): number[][] {
  const [rows, columns] = tokenGrid(config)
  return Array.from({ length: factor ** 2 }, (_, r) => {
    const [top, left] = [Math.floor(r / factor) * rows, (r % factor) * columns]
    return Array.from(
      { length: rows * columns },
      (_, s) => (top + Math.floor(s / columns)) * columns * factor + left + (s % columns),
    )
  })
}

/** Copies of a matrix along the diagonal; the token axis (columns or rows) is reordered to the large raster. */
function blockDiagonal(
  { dtype, shape, data }: NDArray,
  places: readonly (readonly number[])[],
  tokens: 'rows' | 'columns',
): NDArray {
  const [rows, columns] = sizes(shape, 2)
  const copies = places.length
  const out = new Float32Array(rows * columns * copies ** 2)
  for (const [r, place] of places.entries()) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const row = tokens === 'rows' ? (place[i] ?? 0) : r * rows + i
        const column = tokens === 'columns' ? (place[j] ?? 0) : r * columns + j
        out[row * columns * copies + column] = Number(data[i * columns + j])
      }
    }
  }
  return { dtype, shape: [rows * copies, columns * copies], data: out }
}

function repeated({ dtype, data }: NDArray, copies: number): NDArray {
  const out = Float32Array.from({ length: data.length * copies }, (_, i) => Number(data[i % data.length]))
  return { dtype, shape: [out.length], data: out }
}

function scattered({ dtype, data }: NDArray, places: readonly (readonly number[])[]): NDArray {
  const out = new Float32Array(data.length * places.length)
  for (const place of places) for (const [s, to] of place.entries()) out[to] = Number(data[s])
  return { dtype, shape: [out.length], data: out }
}
