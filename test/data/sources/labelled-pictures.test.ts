import { cp, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { withFolder } from '../support.ts'
import { failure, open, withPictures, write } from './pictures.ts'

describe('what is taken', () => {
  test('pictures on two sides; hidden files, other files and loose pictures are told', async () => {
    await withPictures(async (folder) => {
      await writeFile(join(folder, 'cat', '._0.png'), 'no picture')
      await writeFile(join(folder, 'dog', 'IMG_1.HEIC'), '')
      await mkdir(join(folder, '.ipynb_checkpoints'))
      await cp(join(folder, 'cat', '0.png'), join(folder, 'loose.png'))
      await rename(join(folder, 'dog', '9.png'), join(folder, 'dog', '9.PNG'))
      const { classes, train, test: held, opening } = await open(folder)
      expect(classes).toEqual(['cat', 'dog'])
      expect([...train.names, ...held.names].sort()).toHaveLength(20)
      expect(opening.summary).toBe(
        `20 pictures in 2 classes; 1 .HEIC not read; 2 hidden; 1 picture in no class not used; ${train.names.length} pictures to train on, ${held.names.length} to test with`,
      )
      expect(Object.keys(opening.record.train)).toEqual(train.names)
      expect(Object.keys(opening.record.test)).toEqual(held.names)
    })
  })

  test.each([
    ['train', 'test'],
    ['Training', 'Validation'],
    ['train', 'val'],
    ['train', 'valid'],
  ])('%s/ and %s/', async (train, held) => {
    await withFolder(async (folder) => {
      await write(join(folder, train))
      await write(join(folder, held), undefined, 3, 100)
      const opened = await open(folder)
      expect(opened.opening.summary).toBe('26 pictures in 2 classes; 20 pictures to train on, 6 to test with')
      expect(opened.classes).toEqual(['cat', 'dog'])
      expect(opened.test.names[0]).toBe(`${held}/cat/0.png`)
    })
  })

  test('of test/ and val/ it is test/; a test/ beside the classes; classes that are called train', async () => {
    await withFolder(async (folder) => {
      await write(join(folder, 'three', 'train'))
      await write(join(folder, 'three', 'val'), undefined, 2, 100)
      await write(join(folder, 'three', 'test'), undefined, 3, 120)
      expect((await open(join(folder, 'three'))).opening.summary).toContain('; val/ not used; 20 pictures')
      await write(join(folder, 'beside'))
      await write(join(folder, 'beside', 'test'), undefined, 3, 100)
      expect((await open(join(folder, 'beside'))).test.names).toHaveLength(6)
      await write(join(folder, 'vehicles'), ['car', 'train'])
      expect((await open(join(folder, 'vehicles'))).classes).toEqual(['car', 'train'])
      await write(join(folder, 'flat'), ['test', 'train'])
      expect(await failure(join(folder, 'flat'))).toBe(
        'UsageError: .: train/ must have one sub-folder per class, found no pictures in any',
      )
    })
  })

  test('a test folder of its own, which must have the same classes', async () => {
    await withPictures(async (folder) => {
      const other = join(folder, '..', 'other')
      await write(other, ['dog', 'zebra'], 2, 100)
      expect(await failure(folder, { test: other })).toMatch(
        /other: test pictures must be of the classes trained on, found also zebra \| trained on: cat, dog$/,
      )
      await rm(join(other, 'zebra'), { recursive: true })
      const { opening, test: held } = await open(folder, { test: other })
      expect(held.labels).toEqual([1, 1])
      expect(opening.warnings).toEqual([
        'no picture of "cat" is in the test set: another data.split_seed, more of them or data.test gives some',
      ])
      const itself = await open(folder, { test: folder })
      expect(itself.opening.warnings).toEqual([
        '20 test pictures with the same content as one to train on: cat/0.png, cat/1.png, cat/2.png and 17 more',
      ])
      await rm(other, { recursive: true })
    })
  })

  test('a test folder inside of the folder is not trained on', async () => {
    await withPictures(async (folder) => {
      await write(join(folder, 'mine'), undefined, 2, 100)
      const { classes, opening } = await open(folder, { test: join(folder, 'mine') })
      expect(classes).toEqual(['cat', 'dog'])
      expect(opening.summary).toBe('24 pictures in 2 classes; 20 pictures to train on, 4 to test with')
      await rename(join(folder, 'mine'), join(folder, 'test'))
      expect((await open(folder, { test: join(folder, 'test') })).opening.summary).toBe(opening.summary)
    })
  })

  test('linked classes, and links inside of a class', async () => {
    await withPictures(async (folder) => {
      const outside = `${folder}-outside`
      await rename(join(folder, 'cat'), outside)
      await mkdir(join(folder, 'cat'))
      await symlink(outside, join(folder, 'cat', 'inside'))
      await symlink(join(folder, 'dog'), join(folder, 'dog', 'circle'))
      const { opening, train, test: held } = await open(folder)
      expect(opening.summary).toContain('20 pictures in 2 classes; 1 link to what is read already (dog/circle)')
      expect([...train.names, ...held.names]).toContain('cat/inside/0.png')
      await rm(outside, { recursive: true })
    })
  })

  test('classes that only differ in case or space are warned about', async () => {
    await withFolder(async (folder) => {
      await write(folder, ['Cat', 'cat ', 'dog'])
      expect((await open(folder)).opening.warnings).toContain(
        'the classes "Cat" and "cat " only differ in space or case',
      )
    })
  })
})

describe('what is refused before training', () => {
  test('damaged pictures, broken links and empty classes, all at once; or left out', async () => {
    await withPictures(async (folder) => {
      await writeFile(join(folder, 'cat', '3.png'), 'damaged')
      await writeFile(join(folder, 'dog', '4.png'), '')
      await symlink('/nowhere', join(folder, 'dog', 'link.png'))
      await mkdir(join(folder, 'empty'))
      await mkdir(join(folder, 'phone'))
      await writeFile(join(folder, 'phone', '1.HEIC'), '')
      const message = await failure(folder)
      expect(message).toMatch(
        /^UsageError: \.: 5 entries cannot be used: dog\/link\.png: is a broken link, to \/nowhere, /,
      )
      expect(message).toMatch(
        /cat\/3\.png: must be a readable picture, found: .*dog\/4\.png: must be a readable picture/,
      )
      expect(message).toMatch(
        /empty: a class without a picture, phone: a class without a picture, 1 \.HEIC is not read \| --set data\.on_error=skip leaves them out$/,
      )
      const { classes, opening } = await open(folder, { onError: 'skip' })
      expect(classes).toEqual(['cat', 'dog'])
      expect(opening.summary).toMatch(/^18 pictures in 2 classes; 5 left out \(.* and 2 more\); 1 \.HEIC not read; /)
    })
  })

  test('a class of damaged pictures only is no class', async () => {
    await withPictures(async (folder) => {
      await mkdir(join(folder, 'bird'))
      await writeFile(join(folder, 'bird', '1.png'), 'damaged')
      const { classes, train } = await open(folder, { onError: 'skip' })
      expect(classes).toEqual(['cat', 'dog'])
      expect(new Set(train.labels)).toEqual(new Set([0, 1]))
    })
  })

  test('a JPEG that is cut off', async () => {
    await withPictures(async (folder) => {
      const noise = Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251))
      const whole = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
        .jpeg()
        .toBuffer()
      await writeFile(join(folder, 'cat', 'half.jpg'), whole.subarray(0, whole.length >> 1))
      expect(await failure(folder)).toMatch(/1 entry cannot be used: cat\/half\.jpg: must be a readable picture/)
    })
  })

  test('too few pictures, one class', async () => {
    await withFolder(async (folder) => {
      await write(join(folder, 'two'), undefined, 1)
      expect(await failure(join(folder, 'two'), { testShare: 0.2 })).toBe(
        'UsageError: .: no picture is left to test with: data.test_share of 2 pictures is 0.2 | give more pictures, or a test set of their own: --set data.test=PATH',
      )
      await write(join(folder, 'one'), ['cat'])
      expect(await failure(join(folder, 'one'))).toBe(
        'UsageError: .: there must be at least two classes, found only "cat" (10 pictures)',
      )
      expect(await failure(join(folder, 'two'), { testShare: 0.9999 })).toBe(
        'UsageError: .: there must be two classes to train on, found none: data.test_share of 2 pictures is 0.9999 | give more pictures, or a test set of their own: --set data.test=PATH',
      )
    })
  })
})
