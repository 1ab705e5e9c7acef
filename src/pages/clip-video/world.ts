/** The small world of the page's mini CLIP: drawings of one or two shapes on a ground, and what is said of them. */
import type { Generator } from '../../util/random.ts'
import { sizes } from './settings.ts'

/** Shapes, and whether a point is in them: from -1 to 1 on both axes, y downward. */
const shapes = {
  circle: (x: number, y: number) => x * x + y * y <= 0.9,
  square: (x: number, y: number) => Math.max(Math.abs(x), Math.abs(y)) <= 0.84,
  triangle: (x: number, y: number) => y <= 0.85 && Math.abs(x) <= 0.55 * (y + 1),
  cross: (x: number, y: number) => Math.min(Math.abs(x), Math.abs(y)) <= 0.3 && Math.max(Math.abs(x), Math.abs(y)) <= 1,
  ring: (x: number, y: number) => x * x + y * y <= 1 && x * x + y * y >= 0.3,
  heart: (x: number, y: number) => {
    const [a, b] = [1.2 * x, 0.25 - 1.25 * y]
    return (a * a + b * b - 1) ** 3 <= a * a * b ** 3
  },
} as const satisfies Readonly<Record<string, (x: number, y: number) => boolean>>

type Shape = keyof typeof shapes
const shapeNames = Object.keys(shapes) as readonly Shape[]
const plurals: Readonly<Record<Shape, string>> = {
  circle: 'circles',
  square: 'squares',
  triangle: 'triangles',
  cross: 'crosses',
  ring: 'rings',
  heart: 'hearts',
}

/** Colours, red, green and blue from -1 to 1. */
const colours = {
  red: [0.8, -0.75, -0.7],
  green: [-0.7, 0.35, -0.55],
  blue: [-0.75, -0.3, 0.8],
  yellow: [0.95, 0.7, -0.7],
  purple: [0.3, -0.75, 0.5],
  black: [-0.85, -0.85, -0.85],
  white: [1, 1, 1],
} as const satisfies Readonly<Record<string, readonly [number, number, number]>>

type Colour = keyof typeof colours
const colourNames: readonly Colour[] = (Object.keys(colours) as Colour[]).filter((name) => name !== 'white')

/** What the generator is told of a drawing by its class vector; all else is in its noise. */
export const classNames: readonly string[] = [...shapeNames, ...shapeNames.map((name) => `two ${plurals[name]}`)]

/** Ids are places in this list: padding, the words, and the two ends, of which the last must be the largest id. */
export const vocabulary: readonly string[] = [
  ...['', 'a', 'two', 'on'],
  ...Object.keys(colours),
  ...shapeNames,
  ...Object.values(plurals),
  ...['[start]', '[end]'],
]
/** The words that one can type. */
export const words: readonly string[] = vocabulary.slice(1, -2)
/** Tokens of a text, both ends among them. */
export const contextLength = 8

/** What is to be drawn. */
export interface Scene {
  readonly shape: Shape
  readonly count: 1 | 2
  readonly colour: Colour
  readonly ground: Colour
}

const pick = <T>(list: readonly T[], draw: number): T => list[Math.floor(draw * list.length)] as T

/** Whether a combination of shape, colours and number is kept from training, to be tested with: a fifth of them. */
export function isHeldOut({ shape, colour, ground, count }: Scene): boolean {
  const numbers = [shapeNames.indexOf(shape), 2 * colourNames.indexOf(colour), 3 * (colourNames.indexOf(ground) + 1)]
  return numbers.reduce((sum, number) => sum + number, count) % 5 === 0
}

/** Any scene; half are on white. */
function randomScene(random: Generator): Scene {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = random.uniform(5)
  const colour = pick(colourNames, a)
  const others = colourNames.filter((name) => name !== colour)
  return { shape: pick(shapeNames, b), count: c < 0.7 ? 1 : 2, colour, ground: d < 0.5 ? 'white' : pick(others, e) }
}

/** Scenes of which no two are described alike, held out or not. */
export function differentScenes(count: number, heldOut: boolean, random: Generator): Scene[] {
  const found = new Map<string, Scene>()
  while (found.size < count) {
    const scene = randomScene(random)
    if (isHeldOut(scene) === heldOut) found.set(captionOf(scene), scene)
  }
  return [...found.values()]
}

/**
 * Scenes to learn from, of which no two are described alike. They have a few pairs of colours among them, so that colours alone tell few of them
 * apart: shapes are learned as early as colours.
 */
export function trainingScenes(count: number, random: Generator): Scene[] {
  const pairs = differentScenes(8, false, random)
  const found = new Map<string, Scene>()
  while (found.size < count) {
    const { colour, ground } = pick(pairs, random.uniform(1)[0] ?? 0)
    const scene = { ...randomScene(random), colour, ground }
    // A few pairs may not have enough scenes: then all others.
    const own = isHeldOut(scene) ? differentScenes(1, false, random)[0] : scene
    if (own) found.set(captionOf(own), own)
  }
  return [...found.values()]
}

/** The class of a scene's drawing: its place among the names. */
export function classOf({ shape, count }: Scene): number {
  return shapeNames.indexOf(shape) + (count === 2 ? shapeNames.length : 0)
}

/** All that can be said of a scene: "two red circles on yellow". */
export function captionOf({ shape, count, colour, ground }: Scene): string {
  const thing = count === 1 ? `a ${colour} ${shape}` : `two ${colour} ${plurals[shape]}`
  return ground === 'white' ? thing : `${thing} on ${ground}`
}

/** Something that can be said of a scene: mostly all, sometimes all but its colour. */
export function textOf(scene: Scene, random: Generator): string {
  const [a = 0] = random.uniform(1)
  const all = captionOf(scene)
  return a < 0.08 ? all.replace(`${scene.colour} `, '') : all
}

/** Points of a pixel that are looked at, along each axis. */
const samples = 2

/** Draws a scene at a random place, in a random size: colours -1 to 1 [3, side, side]. */
export function draw({ shape, count, colour, ground }: Scene, random: Generator): Float32Array {
  const { side } = sizes
  const [a = 0, b = 0, c = 0] = random.uniform(3)
  const radius = side * (count === 1 ? 0.3 + 0.09 * a : 0.2 + 0.03 * a)
  const [x, y] = [b, c].map((at) => side * (0.5 + 0.08 * (at - 0.5))) as [number, number]
  const centres = count === 1 ? [x] : [x - side / 4, x + side / 4]
  const inside = shapes[shape]
  const [area, ink, back] = [side * side, colours[colour], colours[ground]]
  const pixels = new Float32Array(3 * area)
  for (const [channel, value] of back.entries()) pixels.fill(value, channel * area, (channel + 1) * area)
  for (const centre of centres) {
    const within = (middle: number) => [Math.max(0, Math.floor(middle - radius)), Math.min(side, middle + radius)]
    const [[left = 0, right = 0], [top = 0, bottom = 0]] = [within(centre), within(y)]
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++) {
        let covered = 0
        for (let k = 0; k < samples ** 2; k++) {
          const px = column + ((k % samples) + 0.5) / samples
          const py = row + (Math.floor(k / samples) + 0.5) / samples
          if (inside((px - centre) / radius, (py - y) / radius)) covered++
        }
        if (covered === 0) continue
        const share = covered / samples ** 2
        for (const [channel, value] of ink.entries()) {
          const at = channel * area + row * side + column
          pixels[at] = (pixels[at] ?? 0) + share * (value - (pixels[at] ?? 0))
        }
      }
    }
  }
  return pixels
}

/** A line's words that CLIP has read, and those that it has not. */
export function wordsOf(line: string): { readonly known: readonly string[]; readonly unknown: readonly string[] } {
  const found = line.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  return {
    known: found.filter((word) => words.includes(word)).slice(0, contextLength - 2),
    unknown: [...new Set(found.filter((word) => !words.includes(word)))],
  }
}

/** Ids of a text: its known words between the two ends, filled up. */
export function encode(text: string): number[] {
  const ids = ['[start]', ...wordsOf(text).known, '[end]'].map((word) => vocabulary.indexOf(word))
  return Array.from({ length: contextLength }, (_, i) => ids[i] ?? 0)
}
