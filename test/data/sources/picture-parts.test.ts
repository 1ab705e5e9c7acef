import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { told, withFolder } from '../support.ts'
import { failure, open, withPictures, write } from './pictures.ts'

describe('a folder in parts', () => {
  test('all that is left out is told', async () => {
    await withFolder(async (folder) => {
      await write(join(folder, 'train'))
      await write(join(folder, 'test'), undefined, 3, 100)
      const picture = join(folder, 'train', 'cat', '0.png')
      for (const place of ['.', 'train', 'test']) await cp(picture, join(folder, place, 'loose.png'))
      for (const place of ['.', 'train/cat', 'test/dog']) await writeFile(join(folder, place, 'notes.md'), '')
      await mkdir(join(folder, 'test', 'bird'))
      expect((await open(folder)).opening.summary).toBe(
        '26 pictures in 2 classes; 3 .md not read; 3 pictures in no class not used; 1 test class without a picture (bird); 20 pictures to train on, 6 to test with',
      )
      const { opening } = await open(join(folder, 'train'), { test: join(folder, 'test') })
      expect(opening.summary).toBe(
        '26 pictures in 2 classes; 1 .md not read; 1 picture in no class not used; of the test folder 1 .md not read; of the test folder 1 picture in no class not used; 1 test class without a picture (bird); 20 pictures to train on, 6 to test with',
      )
    })
  })

  test('a test/ with empty classes is not replaced by a share of train/', async () => {
    await withFolder(async (folder) => {
      await write(join(folder, 'train'))
      await mkdir(join(folder, 'test', 'cat'), { recursive: true })
      expect(await failure(folder)).toBe(
        'UsageError: .: test/ must have pictures in its sub-folders, found none in any | put test pictures there; without test/ a share of the training pictures is held out',
      )
    })
  })

  test.each([
    ['val', 'test'],
    ['images_train', 'images_test'],
    ['train-set', 'val-set'],
  ])('%s/ and %s/ are no classes', async (one, other) => {
    await withFolder(async (folder) => {
      await write(join(folder, one))
      await write(join(folder, other), undefined, 3, 100)
      const [first, second] = [one, other].sort()
      expect(await failure(folder)).toBe(
        `UsageError: .: ${first}/ and ${second}/ are parts of a divided set, not classes, and there is no train/ | call them train/ and test/ (or val/), with one sub-folder per class in each`,
      )
    })
  })

  test('classes further down are named', async () => {
    await withFolder(async (folder) => {
      await write(join(folder, 'dataset', 'train'))
      await write(join(folder, 'dataset', 'test'), undefined, 3, 100)
      expect(await failure(folder)).toBe(
        'UsageError: .: there must be at least two classes, found only "dataset" | the sub-folders test, train lie in ./dataset: give that folder',
      )
      await rename(join(folder, 'dataset'), join(folder, 'a'))
      await mkdir(join(folder, 'b'))
      await rename(join(folder, 'a'), join(folder, 'b', 'a'))
      expect(await failure(folder)).toContain(' lie in ./b/a: give that folder')
    })
  })

  test('damaged test pictures are named as of their folder', async () => {
    await withPictures(async (folder) => {
      const other = join(folder, '..', 'tests')
      await write(other, undefined, 3, 100)
      await writeFile(join(other, 'cat', '1.png'), 'damaged')
      expect(await told(() => open(folder, { test: other }))).toContain(
        `UsageError: ${other}: 1 entry cannot be used: cat/1.png: must be a readable picture`,
      )
      await rm(other, { recursive: true })
    })
  })

  test('a class that was deleted since is not counted', async () => {
    await withPictures(async (folder) => {
      await write(folder, ['eel'], 10, 60)
      const first = await open(folder)
      await rm(join(folder, 'eel'), { recursive: true })
      const { opening } = await open(folder, { known: { classes: first.classes, record: first.opening.record } })
      expect(opening.summary).toContain('20 pictures in 2 of 3 classes; ')
    })
  })
})
