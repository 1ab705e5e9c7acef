import { cp, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { LabelledFilesOptions } from '../../../src/data/sources/labelled-files.ts'
import { withFolder } from '../support.ts'
import { open as openFolder, write } from './pictures.ts'

const open = (folder: string, options: Partial<LabelledFilesOptions> = {}) =>
  openFolder(folder, { mayLackClasses: true, ...options })

/** Ten pictures, which lie in the folder itself. */
async function writeFlat(folder: string, classes = ['cat'], count = 10, from = 0): Promise<void> {
  await write(folder, classes, count, from)
  for (const name of classes) {
    await cp(join(folder, name), folder, { recursive: true })
    await rm(join(folder, name), { recursive: true })
  }
}

describe('pictures without classes', () => {
  test('in a folder, in train/ and test/, with a test folder of their own', async () => {
    await withFolder(async (folder) => {
      await writeFlat(folder)
      const flat = await open(folder)
      expect(flat.classes).toEqual(['unlabelled'])
      expect(flat.opening.summary).toMatch(/^10 pictures without classes; \d pictures to train on, \d to test with$/)
      expect([...flat.train.labels, ...flat.test.labels]).toEqual(Array(10).fill(0))
      const divided = join(folder, 'divided')
      await writeFlat(join(divided, 'train'))
      await writeFlat(join(divided, 'val'), ['dog'], 3, 50)
      const both = await open(divided)
      expect(both.opening.summary).toBe('13 pictures without classes; 10 pictures to train on, 3 to test with')
      const apart = await open(join(divided, 'train'), { test: join(divided, 'val') })
      expect([apart.train.paths.length, apart.test.paths.length]).toEqual([10, 3])
    })
  })

  test('classes are taken where there are some, even one', async () => {
    await withFolder(async (folder) => {
      await write(folder)
      expect((await open(folder)).classes).toEqual(['cat', 'dog'])
      await rm(join(folder, 'dog'), { recursive: true })
      expect((await open(folder)).classes).toEqual(['cat'])
    })
  })

  test('a classifier refuses them', async () => {
    await withFolder(async (folder) => {
      await writeFlat(folder)
      await expect(open(folder, { mayLackClasses: false })).rejects.toThrow('must have sub-folders with pictures')
    })
  })

  test('a run keeps to them, whatever comes to lie beside them', async () => {
    await withFolder(async (folder) => {
      await writeFlat(join(folder, 'train'))
      await writeFlat(join(folder, 'test'), ['dog'], 3, 50)
      const first = await open(folder)
      await mkdir(join(folder, 'train', 'later'))
      await rename(join(folder, 'test', '0.png'), join(folder, 'train', 'later', '0.png'))
      const known = { classes: first.classes, record: first.opening.record }
      const again = await open(folder, { known })
      expect([again.train.paths.length, again.test.paths.length]).toEqual([10, 2])
      expect(again.opening.changes).toContain('test/0.png')
    })
  })
})
