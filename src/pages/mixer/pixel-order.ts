/** Pictures with their pixels moved about, the same way in all of them. */
import { Generator } from '../../util/random.ts'
import { side } from '../data/read-digits.ts'

/** As they are; patches shuffled, and the pixels in them; all pixels shuffled. */
export type PixelOrder = 'as they are' | 'patches' | 'all'

const patch = 4
const across = side / patch

function shuffled(count: number, seed: number): number[] {
  return Array.from(new Generator(seed).permutation(count))
}

/** Where each pixel of the new picture comes from. */
function sources(order: PixelOrder): number[] {
  if (order === 'all') return shuffled(side * side, 3)
  const patches = shuffled(across * across, 1)
  const inside = shuffled(patch * patch, 2)
  return Array.from({ length: side * side }, (_, i) => {
    if (order === 'as they are') return i
    const [row, column] = [Math.floor(i / side), i % side]
    const from = patches[Math.floor(row / patch) * across + Math.floor(column / patch)] ?? 0
    const pixel = inside[(row % patch) * patch + (column % patch)] ?? 0
    const y = Math.floor(from / across) * patch + Math.floor(pixel / patch)
    return y * side + (from % across) * patch + (pixel % patch)
  })
}

/** Pictures of 28 x 28 pixels, one after the other, all in another order. */
export function reordered(images: Uint8Array, order: PixelOrder): Uint8Array {
  if (order === 'as they are') return images
  const from = sources(order)
  const result = new Uint8Array(images.length)
  for (let start = 0; start < images.length; start += from.length) {
    for (let i = 0; i < from.length; i++) result[start + i] = images[start + (from[i] ?? 0)] ?? 0
  }
  return result
}

/** For each patch of the picture the token that it is to the network; with all pixels shuffled there are no patches of the picture: the tokens as they are. */
export function tokenOrder(order: PixelOrder): number[] {
  const identity = Array.from({ length: across * across }, (_, i) => i)
  if (order !== 'patches') return identity
  const patches = shuffled(across * across, 1)
  return identity.map((place) => patches.indexOf(place))
}
