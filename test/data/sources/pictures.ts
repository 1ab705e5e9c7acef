/** Folders of small pictures, opened for training. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import type { LabelledFilesOptions } from '../../../src/data/sources/labelled-files.ts'
import { openLabelledPictures } from '../../../src/data/sources/labelled-pictures.ts'
import { told, withFolder } from '../support.ts'

const images = { size: 8 } as const
export const options: LabelledFilesOptions = { testShare: 0.3, seed: 0, onError: 'stop' }

/** Pictures of two classes, no two alike. */
export async function write(folder: string, classes = ['cat', 'dog'], count = 10, from = 0): Promise<void> {
  for (const [c, name] of classes.entries()) {
    await mkdir(join(folder, name), { recursive: true })
    for (let i = 0; i < count; i++) {
      const background = { r: 10 * c + 50, g: i + from, b: 90 }
      await sharp({ create: { width: 5, height: 4, channels: 3, background } }).toFile(join(folder, name, `${i}.png`))
    }
  }
}

export const withPictures = (use: (folder: string) => Promise<void>) =>
  withFolder(async (folder) => {
    await write(folder)
    await use(folder)
  })

export const open = (folder: string, changed: Partial<LabelledFilesOptions> = {}) =>
  openLabelledPictures(folder, images, { ...options, ...changed })

export const failure = async (folder: string, changed: Partial<LabelledFilesOptions> = {}) =>
  (await told(() => open(folder, changed))).replaceAll(folder, '.')
