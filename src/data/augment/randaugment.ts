/** RandAugment (Cubuk et al. 2019, arXiv 1909.13719) as in big_vision, which MLP-Mixer was trained with. */
import type { Generator } from '../../util/random.ts'
import {
  autoContrast,
  brightness,
  color,
  contrast,
  equalize,
  invert,
  posterize,
  sharpness,
  solarize,
  solarizeAdd,
} from './color.ts'
import { cutout, rotate, shearX, shearY, translateX, translateY } from './geometry.ts'
import type { Picture } from './picture.ts'

/** One operation at strength m: 10 is the full strength, more extrapolates. Draws what is random about it. */
type Operation = (picture: Picture, m: number, random: Generator) => Picture

const oneOf = (random: Generator, count: number): number => random.integers(0, count, 1)[0] ?? 0
const signed = (random: Generator, value: number): number => (oneOf(random, 2) === 1 ? value : -value)
const enhanced = (m: number): number => 1.8 * (m / 10) + 0.1

// Distances are pixels of pictures of 224 pixels; others move by the same share of their side.
const officialSize = 224
const pixels = (distance: number, side: number): number => (distance * side) / officialSize

/** The 16 operations by their official names. */
export const operations: Readonly<Record<string, Operation>> = {
  AutoContrast: autoContrast,
  Equalize: equalize,
  Invert: invert,
  Rotate: (picture, m, random) => rotate(picture, signed(random, 30 * (m / 10))),
  Posterize: (picture, m) => posterize(picture, Math.trunc(4 * (m / 10))),
  Solarize: (picture, m) => solarize(picture, Math.trunc(256 * (m / 10))),
  SolarizeAdd: (picture, m) => solarizeAdd(picture, Math.trunc(110 * (m / 10))),
  Color: (picture, m) => color(picture, enhanced(m)),
  Contrast: (picture, m) => contrast(picture, enhanced(m)),
  Brightness: (picture, m) => brightness(picture, enhanced(m)),
  Sharpness: (picture, m) => sharpness(picture, enhanced(m)),
  ShearX: (picture, m, random) => shearX(picture, signed(random, 0.3 * (m / 10))),
  ShearY: (picture, m, random) => shearY(picture, signed(random, 0.3 * (m / 10))),
  TranslateX: (picture, m, random) => translateX(picture, pixels(signed(random, 100 * (m / 10)), picture.width)),
  TranslateY: (picture, m, random) => translateY(picture, pixels(signed(random, 100 * (m / 10)), picture.height)),
  Cutout: (picture, m, random) => {
    const half = Math.trunc(pixels(Math.trunc(40 * (m / 10)), Math.min(picture.height, picture.width)))
    const y = oneOf(random, picture.height)
    return cutout(picture, half, oneOf(random, picture.width), y)
  },
}

const list = Object.values(operations)

/** `layers` operations one after the other, each drawn from the 16 and always applied, at strength `magnitude`. */
export function randAugment(picture: Picture, layers: number, magnitude: number, random: Generator): Picture {
  let changed = picture
  for (let layer = 0; layer < layers; layer++) {
    changed = list[oneOf(random, list.length)]?.(changed, magnitude, random) ?? changed
  }
  return changed
}
