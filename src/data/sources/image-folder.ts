import { FormatError } from '../../util/errors.ts'
import { type CropOptions, exampleGenerator, inceptionBox } from '../augment/crop.ts'
import type { BatchContext, Dataset } from '../dataset.ts'
import { type PictureFields, pictureShape } from '../layout.ts'
import { settleUnreadable } from '../opening.ts'
import { checkIndices } from '../rows.ts'
import { type ClassFiles, findFiles } from './class-files.ts'
import { decodeInto, type ImageOptions, imageTransform, requireImageReader } from './image.ts'
import { pictureFiles } from './labelled-pictures.ts'
import { listFolder } from './listing.ts'

export interface ImageFolderOptions extends ImageOptions {
  /**
   * What happens at a damaged picture: `throw` (default) ends the batch with its error; `skip` puts the next readable picture of the folder
   * in its place, so that batches keep their size, and notes it in `skipped`. Evaluate with `throw`: a substitute counts twice.
   */
  readonly onError?: 'throw' | 'skip'
  /**
   * Cuts a box of random size, shape and place from each whole picture and resizes it (Inception crop, torchvision's RandomResizedCrop),
   * instead of the centre: drawn again in each epoch, a pure function of seed, epoch and example. Default: the centre.
   */
  readonly randomCrop?: CropOptions
}

/** Fields `image` uint8 [channels, height, width] (or [height, width, channels]) and `label` int32 [], the number of the class. */
export interface ImageFolder extends Dataset<PictureFields> {
  /** The names of the sub-folders, sorted. */
  readonly classes: readonly string[]
  /** The file of each example: by class, then sorted by path. */
  readonly paths: readonly string[]
  /** The damaged files met so far and what is wrong with them (with onError `skip`). */
  readonly skipped: ReadonlyMap<string, string>
}

/**
 * The pictures (PNG, JPEG, WebP, AVIF, GIF) of a folder with one sub-folder per class, as torchvision's ImageFolder: classes sorted by
 * name, pictures at any depth, hidden files and folders left out, links followed. They are decoded when a batch is asked for, by the
 * package sharp. Throws a UsageError that names broken links and classes without a picture (with onError `skip` they are left out).
 */
export async function imageFolder(folder: string, options: ImageFolderOptions): Promise<ImageFolder> {
  imageTransform(options) // before the folder is listed
  await requireImageReader()
  const found = findFiles(pictureFiles, folder, await listFolder(folder))
  settleUnreadable(
    folder,
    [...found.unreadable, ...found.empty],
    options.onError === 'skip' ? 'skip' : 'stop',
    "imageFolder's onError 'skip' leaves them out",
  )
  return pictureDataset(found, options)
}

/** A dataset of listed pictures; see `imageFolder`. */
export function pictureDataset(
  { folder, classes, paths, labels }: ClassFiles,
  options: ImageFolderOptions,
): ImageFolder {
  const transform = imageTransform(options)
  const { channels, height, width, layout } = transform
  const skipped = new Map<string, string>()
  const shape = pictureShape(layout, channels, height, width)
  const size = channels * height * width

  const { randomCrop } = options
  const cropOf = (index: number, context: BatchContext) =>
    randomCrop &&
    ((picture: { height: number; width: number }) =>
      inceptionBox(picture.height, picture.width, exampleGenerator(context, 'crop', index), randomCrop))

  /** Decodes picture `index`, or the next readable one after it; returns which. */
  async function decodeFrom(index: number, out: Uint8Array, offset: number, context: BatchContext): Promise<number> {
    for (let tried = 0; tried < paths.length; tried++) {
      const chosen = (index + tried) % paths.length
      const path = paths[chosen] ?? ''
      if (skipped.has(path)) continue
      try {
        await decodeInto(path, transform, out, offset, path, cropOf(chosen, context))
        return chosen
      } catch (error) {
        if (options.onError !== 'skip' || !(error instanceof FormatError)) throw error
        skipped.set(path, error.message)
      }
    }
    throw new FormatError(`${folder}: none of its ${paths.length} pictures can be read`)
  }

  return {
    length: paths.length,
    fields: { image: { dtype: 'uint8', shape }, label: { dtype: 'int32', shape: [] } },
    // A picture that stands in for a damaged one brings its own label.
    ...(options.onError !== 'skip' && { labels }),
    classes,
    paths,
    skipped,
    // All pictures at once: each is one task in libuv's queue, which its threads empty even while JavaScript is busy with a training
    // step. Memory stays bounded: a waiting task holds its path, a decoded one its place in the batch.
    async batch(indices, context) {
      checkIndices(indices, paths.length)
      const image = new Uint8Array(indices.length * size)
      const decoding = Array.from(indices, (index, row) => decodeFrom(index, image, row * size, context))
      const chosen = await Promise.all(decoding)
      const label = Int32Array.from(chosen, (index) => labels[index] ?? 0)
      return {
        image: { dtype: 'uint8', shape: [indices.length, ...shape], data: image },
        label: { dtype: 'int32', shape: [indices.length], data: label },
      }
    },
  }
}
