/** Pictures with objects in them, as arrays of one shape. */
import type { BatchContext, Dataset } from '../../data/dataset.ts'
import { allocateRows, checkIndices } from '../../data/rows.ts'
import { mapParallel } from '../../util/parallel.ts'
import { deriveSeed, Generator } from '../../util/random.ts'
import type { OpenedData } from '../define.ts'
import type { TrueObject } from './average-precision.ts'
import type { DetectionFacts } from './facts.ts'
import type { Mask } from './masks.ts'

/** A picture and its objects, at the size that the network sees. */
export interface Scene {
  /** uint8 [3, height, width] */
  readonly pixels: Uint8Array
  readonly objects: readonly TrueObject[]
  /** Pixels of the network for one of the original picture. Default: 1. */
  readonly scale?: number
}

/** Scenes that are read when they are needed. */
export interface Scenes {
  readonly length: number
  readonly read: (index: number) => Promise<Scene>
  /** The original picture's size and objects, with their masks: what detections are judged by. */
  readonly truth: (index: number) => Promise<Truth>
}

/** A picture as it was drawn or photographed. */
export interface Truth {
  readonly width: number
  readonly height: number
  readonly objects: readonly TrueObject[]
  /** Pixels of the network for one of it. */
  readonly scale: number
}

/** `image` uint8 [3, H, W]; of each of M places: corners of its box, its category (-1: none), its mask uint8 [H, W]. */
export type DetectionFields = 'image' | 'boxes' | 'classes' | 'masks'

/** Opened pictures; `truth`: of the test set. */
export interface OpenedScenes extends OpenedData<DetectionFacts, DetectionFields> {
  readonly truth: Scenes['truth']
}

/** Scenes as a data set with places for `most` objects; groups of objects are left out, and the smallest beyond `most`. */
export function sceneDataset(
  { length, read }: Scenes,
  [height, width]: readonly [number, number],
  most: number,
  flip = false,
): Dataset<DetectionFields> {
  const area = height * width
  const fields = {
    image: { dtype: 'uint8', shape: [3, height, width] },
    boxes: { dtype: 'float32', shape: [most, 4] },
    classes: { dtype: 'int32', shape: [most] },
    masks: { dtype: 'uint8', shape: [most, height, width] },
  } as const
  return {
    length,
    fields,
    async batch(indices, context) {
      checkIndices(indices, length)
      const scenes = await mapParallel(Array.from(indices), 8, async (index) => {
        const scene = await read(index)
        return flip && isFlipped(context, index) ? flipped(scene, height, width) : scene
      })
      const rows = {
        image: allocateRows(scenes.length, fields.image),
        boxes: allocateRows(scenes.length, fields.boxes),
        classes: allocateRows(scenes.length, fields.classes),
        masks: allocateRows(scenes.length, fields.masks),
      }
      rows.classes.data.fill(-1 as never)
      for (const [n, { pixels, objects }] of scenes.entries()) {
        ;(rows.image.data as Uint8Array).set(pixels, n * 3 * area)
        for (const [m, { box, category, mask }] of chosenObjects(objects, most).entries()) {
          const [x, y, w, h] = box
          ;(rows.boxes.data as Float32Array).set([x, y, x + w, y + h], (n * most + m) * 4)
          rows.classes.data[n * most + m] = category
          if (mask) (rows.masks.data as Uint8Array).set(mask.pixels, (n * most + m) * area)
        }
      }
      return rows
    },
  }
}

function chosenObjects(objects: readonly TrueObject[], most: number): readonly TrueObject[] {
  const single = objects.filter(({ iscrowd }) => iscrowd !== true)
  if (single.length <= most) return single
  const largest = new Set(single.toSorted((a, b) => b.area - a.area).slice(0, most))
  return single.filter((object) => largest.has(object))
}

function isFlipped({ seed, epoch }: BatchContext, index: number): boolean {
  return new Generator(deriveSeed(seed, 'flip', epoch, index)).bernoulli(0.5, 1)[0] === 1
}

/** Planes [planes, height, width] from right to left. */
function mirrored(pixels: Uint8Array, width: number): Uint8Array {
  const result = new Uint8Array(pixels.length)
  for (let row = 0; row < pixels.length; row += width)
    for (let x = 0; x < width; x++) result[row + x] = pixels[row + width - 1 - x] ?? 0
  return result
}

function flipped({ pixels, objects, ...rest }: Scene, height: number, width: number): Scene {
  const turned = (mask: Mask): Mask => ({ pixels: mirrored(mask.pixels, width), width, height })
  return {
    ...rest,
    pixels: mirrored(pixels, width),
    objects: objects.map(({ box: [x, y, w, h], mask, ...object }) => ({
      ...object,
      box: [width - x - w, y, w, h] as const,
      ...(mask && { mask: turned(mask) }),
    })),
  }
}
