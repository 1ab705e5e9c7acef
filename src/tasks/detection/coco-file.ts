/** Pictures with objects in COCO's format: one JSON file for a folder of pictures. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readBytes } from '../../data/files.ts'
import { readPixels, resizePixels } from '../../data/sources/image.ts'
import { FormatError, UsageError } from '../../util/errors.ts'
import type { TrueObject } from './average-precision.ts'
import type { Scene, Scenes, Truth } from './examples.ts'
import { type Mask, maskOfPolygons, maskOfRuns, requireRuns, runsOfText, type Size } from './masks.ts'

const number = z.number()
const runs = z.object({ size: z.tuple([number, number]), counts: z.union([z.string(), z.array(number)]) })
const cocoFile = z.object({
  images: z.array(z.object({ id: number, file_name: z.string(), width: number, height: number })),
  annotations: z.array(
    z.object({
      id: number.optional(),
      image_id: number,
      category_id: number,
      bbox: z.tuple([number, number, number, number]),
      area: number.optional(),
      iscrowd: number.optional(),
      segmentation: z.union([z.array(z.array(number)), runs]).optional(),
    }),
  ),
  categories: z.array(z.object({ id: number, name: z.string() })),
})
/** What such a file holds. */
export type CocoFile = z.infer<typeof cocoFile>
type Annotation = CocoFile['annotations'][number]

/** A picture of the file with its objects. */
export interface CocoPicture {
  readonly path: string
  readonly name: string
  readonly width: number
  readonly height: number
  readonly annotations: readonly Annotation[]
}

/** What the file says. */
export interface CocoSet {
  readonly labels: readonly string[]
  readonly pictures: readonly CocoPicture[]
  /** Whether every object has a mask. */
  readonly hasMasks: boolean
  /** The number of each category's id. */
  readonly categories: ReadonlyMap<number, number>
  /** Left out, and why. */
  readonly problems: readonly { readonly path: string; readonly reason: string }[]
}

async function parseFile(path: string): Promise<CocoFile> {
  const text = new TextDecoder().decode(await readBytes(path, 2 ** 29))
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    throw new FormatError(`${path}: must be JSON`, { cause: error })
  }
  const parsed = cocoFile.safeParse(content)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new FormatError(`${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not as COCO has it'}`, {
    hint: "COCO's format: {images: [{id, file_name, width, height}], annotations: [{image_id, category_id, bbox: [x, y, width, height]}], categories: [{id, name}]}",
  })
}

/** What is wrong with a mask; undefined if nothing. */
function maskProblemOf({ segmentation }: Annotation, picture: Size): string | undefined {
  if (segmentation === undefined) return undefined
  if (Array.isArray(segmentation)) {
    const wrong = segmentation.find((polygon) => polygon.length < 6 || polygon.length % 2 === 1)
    return wrong && `a polygon must have x and y of at least 3 corners, found ${wrong.length} numbers`
  }
  const [height, width] = segmentation.size
  if (height !== picture.height || width !== picture.width)
    return `a mask must be of the picture's ${picture.width} x ${picture.height} pixels, found ${width} x ${height}`
  try {
    const { counts } = segmentation
    requireRuns(typeof counts === 'string' ? runsOfText(counts) : counts, { width, height })
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return error.message
  }
  return undefined
}

/** What is wrong with an object; undefined if nothing. */
function problemOf(annotation: Annotation, picture: Size): string | undefined {
  const [x, y, w, h] = annotation.bbox
  if (!(w > 0 && h > 0)) return `an object's box must have a width and height above 0, found ${w} x ${h}`
  if (x >= picture.width || y >= picture.height || x + w <= 0 || y + h <= 0)
    return `an object's box must lie in the picture of ${picture.width} x ${picture.height}, found [${x}, ${y}, ${w}, ${h}]`
  return maskProblemOf(annotation, picture)
}

/** Reads a file of annotations; pictures are in `folder`. Throws a FormatError where it is no such file. */
export async function readCoco(path: string, folder: string): Promise<CocoSet> {
  const { images, annotations, categories } = await parseFile(path)
  const numbers = new Map(categories.map(({ id }, i) => [id, i] as const))
  if (numbers.size !== categories.length) throw new FormatError(`${path}: categories must have ids of their own`)
  const byImage = new Map<number, Annotation[]>(images.map(({ id }) => [id, []]))
  if (byImage.size !== images.length) throw new FormatError(`${path}: images must have ids of their own`)
  const problems: { path: string; reason: string }[] = []
  const byId = new Map(images.map((image) => [image.id, image] as const))
  for (const annotation of annotations) {
    const image = byId.get(annotation.image_id)
    if (!image) throw new FormatError(`${path}: an annotation is of image ${annotation.image_id}, which is not listed`)
    if (!numbers.has(annotation.category_id))
      throw new FormatError(`${path}: an annotation is of category ${annotation.category_id}, which is not listed`)
    const reason = problemOf(annotation, image)
    if (reason !== undefined) problems.push({ path: image.file_name, reason })
    else byImage.get(image.id)?.push(annotation)
  }
  const pictures = images.map(({ id, file_name, width, height }) => ({
    path: join(folder, file_name),
    name: file_name,
    width,
    height,
    annotations: byImage.get(id) ?? [],
  }))
  for (const { path: file, name } of pictures) {
    const isThere = await stat(file).then(
      (found) => found.isFile(),
      () => false,
    )
    if (!isThere) problems.push({ path: name, reason: `no such file in ${folder}` })
  }
  const missing = new Set(problems.map(({ path: name }) => name))
  return {
    labels: categories.map(({ name }) => name),
    categories: numbers,
    pictures: pictures.filter(({ name }) => !missing.has(name)),
    hasMasks: annotations.length > 0 && annotations.every(({ segmentation }) => hasMask(segmentation)),
    problems,
  }
}

/** Whether there is a mask: some tools write an empty list where there is none. */
function hasMask(segmentation: Annotation['segmentation']): segmentation is NonNullable<Annotation['segmentation']> {
  return segmentation !== undefined && !(Array.isArray(segmentation) && segmentation.length === 0)
}

/** The mask of polygons or runs; undefined where there is none. */
export function maskOfSegmentation(
  segmentation: Annotation['segmentation'],
  { width, height }: Size,
): Mask | undefined {
  if (!hasMask(segmentation)) return undefined
  if (Array.isArray(segmentation)) return maskOfPolygons(segmentation, { width, height })
  const [rows, columns] = segmentation.size
  const { counts } = segmentation
  return maskOfRuns(typeof counts === 'string' ? runsOfText(counts) : counts, { width: columns, height: rows })
}

/** The objects of a picture as COCO judges them. */
export function truthOf(
  picture: Pick<CocoPicture, 'width' | 'height' | 'annotations'>,
  categories: ReadonlyMap<number, number>,
  size: number,
): Truth {
  const { width, height, annotations } = picture
  const objects = annotations.map((annotation): TrueObject => {
    const mask = maskOfSegmentation(annotation.segmentation, picture)
    const [, , w, h] = annotation.bbox
    return {
      category: categories.get(annotation.category_id) ?? 0,
      box: annotation.bbox,
      area: annotation.area ?? w * h,
      iscrowd: annotation.iscrowd === 1,
      ...(mask && { mask }),
    }
  })
  return { width, height, objects, scale: size / Math.max(width, height) }
}

/** A mask at the network's size: the pixel of the picture below each of its pixels. */
function scaledMask({ pixels, width, height }: Mask, scale: number, size: number): Mask {
  const own = new Uint8Array(size * size)
  for (let y = 0; y < Math.min(size, Math.round(height * scale)); y++) {
    const row = Math.min(height - 1, Math.floor((y + 0.5) / scale))
    for (let x = 0; x < Math.min(size, Math.round(width * scale)); x++)
      own[y * size + x] = pixels[row * width + Math.min(width - 1, Math.floor((x + 0.5) / scale))] ?? 0
  }
  return { pixels: own, width: size, height: size }
}

/** A picture's size in a square of `size`: its longer side fills it; the other has at least one pixel. */
export function sizeWithin({ width, height }: Size, size: number): Size {
  const scale = size / Math.max(width, height)
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

/** A picture brought to a square: its longer side to `size`, the rest black. uint8 [3, size, size]. */
export async function readSquare(
  path: string,
  size: number,
): Promise<{ pixels: Uint8Array; width: number; height: number }> {
  const { data, width, height } = await readPixels(path)
  const to = sizeWithin({ width, height }, size)
  const planes = new Uint8Array(data.length)
  const area = width * height
  for (let i = 0; i < area; i++) for (let c = 0; c < 3; c++) planes[c * area + i] = data[3 * i + c] ?? 0
  const small = new Uint8Array(3 * to.width * to.height)
  await resizePixels(planes, 3, { width, height }, to, small)
  const pixels = new Uint8Array(3 * size * size)
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < to.height; y++) {
      const from = (c * to.height + y) * to.width
      pixels.set(small.subarray(from, from + to.width), (c * size + y) * size)
    }
  return { pixels, width, height }
}

/** Throws a FormatError unless a picture, upright, has the size that the annotations say. */
export function requireAnnotatedSize({ path, width, height }: CocoPicture, found: Size): void {
  if (found.width !== width || found.height !== height)
    throw new FormatError(
      `${path}: must be of ${width} x ${height} pixels, as the annotations say, found ${found.width} x ${found.height}`,
    )
}

/** The pictures as scenes of size x size pixels. */
export function cocoScenes(
  pictures: readonly CocoPicture[],
  categories: ReadonlyMap<number, number>,
  size: number,
): Scenes {
  const at = (index: number): CocoPicture => {
    const picture = pictures[index]
    if (!picture) throw new UsageError(`there is no picture ${index} of ${pictures.length}`)
    return picture
  }
  return {
    length: pictures.length,
    read: async (index): Promise<Scene> => {
      const picture = at(index)
      const { pixels, width, height } = await readSquare(picture.path, size)
      requireAnnotatedSize(picture, { width, height })
      const { objects, scale } = truthOf(picture, categories, size)
      return {
        pixels,
        scale,
        objects: objects.map(({ box: [x, y, w, h], mask, ...object }) => ({
          ...object,
          box: [x * scale, y * scale, w * scale, h * scale] as const,
          ...(mask && { mask: scaledMask(mask, scale, size) }),
        })),
      }
    },
    truth: async (index) => truthOf(at(index), categories, size),
  }
}
