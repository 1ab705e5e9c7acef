/** A folder of pictures opened for training. */
import type { FileKind } from './class-files.ts'
import { checkImage, type ImageOptions, imageTransform } from './image.ts'
import { type LabelledFiles, type LabelledFilesOptions, openLabelledFiles } from './labelled-files.ts'

/** Pictures as files. */
export const pictureFiles: FileKind = {
  unit: 'picture',
  endings: ['.png', '.jpg', '.jpeg', '.webp', '.avif', '.gif'],
  sample: 'folder/cat/1.jpg, folder/dog/1.jpg',
}

/** Opens a folder of pictures with one sub-folder per class, as `openLabelledFiles`. */
export async function openLabelledPictures(
  folder: string,
  images: ImageOptions,
  options: LabelledFilesOptions,
): Promise<LabelledFiles> {
  const transform = imageTransform(images)
  return openLabelledFiles(
    folder,
    { ...pictureFiles, check: (bytes, path) => checkImage(bytes, transform, path) },
    options,
  )
}
