/** Scenes composed of drawings: every pixel of every object is known, so boxes and masks are exact. */
import { deriveSeed, Generator } from '../../util/random.ts'
import type { TrueObject } from './average-precision.ts'
import type { Drawing } from './drawings.ts'
import type { Scene, Scenes } from './examples.ts'
import { boxOfMask, type Mask, maskArea } from './masks.ts'

/** How scenes are composed. */
export interface SceneRules {
  /** Height and width, in pixels. */
  readonly size: number
  /** Objects of a scene, at most; at least one. */
  readonly objects: number
  /** Sides of the objects as shares of the scene's: the least and the greatest. */
  readonly sides: readonly [number, number]
  /** Of all scenes: the same scene for the same seed and number. */
  readonly seed: number | bigint
}

/** Random numbers by name. */
class Draw {
  readonly #generator: Generator

  constructor(seed: number | bigint) {
    this.#generator = new Generator(seed)
  }

  between(low: number, high: number): number {
    return low + (high - low) * (this.#generator.uniform(1)[0] ?? 0)
  }

  below(count: number): number {
    return this.#generator.integers(0, count, 1)[0] ?? 0
  }
}

/** A plane of smooth colours with stripes: nothing in it has the shape of an object. */
function background(size: number, draw: Draw): Uint8Array {
  const pixels = new Uint8Array(3 * size * size)
  const [angle, period, depth] = [draw.between(0, Math.PI), draw.between(4, 24), draw.between(0, 24)]
  for (let channel = 0; channel < 3; channel++) {
    const corners = Array.from({ length: 4 }, () => draw.between(40, 235))
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const [u, v] = [x / size, y / size]
        const [a = 0, b = 0, c = 0, d = 0] = corners
        const plain = (a * (1 - u) + b * u) * (1 - v) + (c * (1 - u) + d * u) * v
        const stripe = depth * Math.sin(((x * Math.cos(angle) + y * Math.sin(angle)) * 2 * Math.PI) / period)
        pixels[(channel * size + y) * size + x] = Math.max(0, Math.min(255, plain + stripe))
      }
    }
  }
  return pixels
}

interface Placed {
  readonly drawing: Drawing
  readonly left: number
  readonly top: number
  readonly side: number
  readonly turn: number
  readonly isMirrored: boolean
  readonly ink: readonly [number, number, number]
}

function place(drawings: readonly Drawing[], { size, sides }: SceneRules, draw: Draw): Placed {
  const drawing = drawings[draw.below(drawings.length)] as Drawing
  const side = Math.round(size * draw.between(...sides))
  const isDigit = drawing.side === 28
  return {
    drawing,
    side,
    left: draw.below(Math.max(1, size - side + 1)),
    top: draw.below(Math.max(1, size - side + 1)),
    turn: draw.between(-0.3, 0.3),
    isMirrored: !isDigit && draw.below(2) === 1,
    ink: isDigit ? [draw.below(256), draw.below(256), draw.below(256)] : [255, 255, 255],
  }
}

const meets = (a: Placed, b: Placed): boolean => {
  const across = Math.min(a.left + a.side, b.left + b.side) - Math.max(a.left, b.left)
  const down = Math.min(a.top + a.side, b.top + b.side) - Math.max(a.top, b.top)
  return across > 0 && down > 0 && across * down > 0.25 * Math.min(a.side, b.side) ** 2
}

/** Values of one plane of a drawing around a broken place, the mean of the area that a pixel of the scene covers. */
function sample(plane: Uint8Array, side: number, x: number, y: number, reach: number): number {
  let [sum, count] = [0, 0]
  const steps = Math.max(1, Math.round(reach))
  for (let i = 0; i < steps; i++) {
    for (let j = 0; j < steps; j++) {
      const column = Math.floor(x + ((i + 0.5) / steps - 0.5) * reach)
      const row = Math.floor(y + ((j + 0.5) / steps - 0.5) * reach)
      if (column >= 0 && row >= 0 && column < side && row < side) sum += plane[row * side + column] ?? 0
      count++
    }
  }
  return sum / count
}

/** Paints the object onto the scene; returns the pixels that are its own. */
function paint(pixels: Uint8Array, size: number, placed: Placed): Uint8Array {
  const { drawing, left, top, side, turn, isMirrored, ink } = placed
  const own = new Uint8Array(size * size)
  const area = drawing.side ** 2
  const planes = [0, 1, 2].map((c) => drawing.pixels.subarray(c * area, (c + 1) * area))
  const [cos, sin, scale] = [Math.cos(turn), Math.sin(turn), drawing.side / side]
  for (let y = top; y < Math.min(size, top + side); y++) {
    for (let x = left; x < Math.min(size, left + side); x++) {
      const [dx, dy] = [x + 0.5 - left - side / 2, y + 0.5 - top - side / 2]
      const u = (cos * dx + sin * dy) * scale * (isMirrored ? -1 : 1) + drawing.side / 2
      const v = (cos * dy - sin * dx) * scale + drawing.side / 2
      const opaque = sample(drawing.alpha, drawing.side, u, v, scale) / 255
      if (opaque <= 0) continue
      for (const [c, plane] of planes.entries()) {
        const at = (c * size + y) * size + x
        const color = (sample(plane, drawing.side, u, v, scale) * (ink[c] ?? 255)) / 255
        pixels[at] = Math.round((pixels[at] ?? 0) * (1 - opaque) + color * opaque)
      }
      if (opaque >= 0.5) own[y * size + x] = 1
    }
  }
  return own
}

/** Scene `index`: 1 to `objects` drawings that hide little of each other, later ones in front. */
export function composeScene(drawings: readonly Drawing[], rules: SceneRules, index: number): Scene {
  const { size } = rules
  const draw = new Draw(deriveSeed(rules.seed, 'scene', index))
  const pixels = background(size, draw)
  const placed: Placed[] = []
  const wanted = 1 + draw.below(rules.objects)
  for (let tries = 0; placed.length < wanted && tries < 30; tries++) {
    const next = place(drawings, rules, draw)
    if (!placed.some((other) => meets(other, next))) placed.push(next)
  }
  const masks = placed.map((each) => paint(pixels, size, each))
  const objects = masks.flatMap((own, i): TrueObject[] => {
    for (const later of masks.slice(i + 1)) for (let p = 0; p < own.length; p++) if (later[p]) own[p] = 0
    const mask: Mask = { pixels: own, width: size, height: size }
    const box = boxOfMask(mask)
    return box ? [{ category: placed[i]?.drawing.category ?? 0, box, area: maskArea(mask), mask }] : []
  })
  return { pixels, objects }
}

/** Scenes kept in memory, at most so many. */
const mostKept = 1500

/** Scenes 0 to `length` - 1, composed when they are needed. */
export function composedScenes(drawings: readonly Drawing[], rules: SceneRules, length: number): Scenes {
  const kept = new Map<number, Scene>()
  const read = async (index: number): Promise<Scene> => {
    const scene = kept.get(index) ?? composeScene(drawings, rules, index)
    if (kept.size < mostKept) kept.set(index, scene)
    return scene
  }
  return {
    length,
    read,
    truth: async (index) => {
      const { objects } = await read(index)
      return { width: rules.size, height: rules.size, objects, scale: 1 }
    },
  }
}
