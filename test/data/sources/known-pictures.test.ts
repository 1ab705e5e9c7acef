import { cp, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { withFolder } from '../support.ts'
import { failure, open, withPictures, write } from './pictures.ts'

describe('a run that knows its pictures', () => {
  test('whatever happens to the folder, no training picture is tested with', async () => {
    await withPictures(async (folder) => {
      const first = await open(folder)
      const known = { classes: first.classes, record: first.opening.record }
      expect((await open(folder, { known })).opening.changes).toBeUndefined()
      const [gone = ''] = first.train.names
      const [kept = ''] = first.test.names
      await rm(join(folder, gone))
      await cp(join(folder, kept), join(folder, 'cat', 'new.png'))
      await mkdir(join(folder, 'aardvark'))
      await cp(join(folder, kept), join(folder, 'aardvark', '1.png'))
      const { train, test: held, classes, opening } = await open(folder, { known })
      expect(classes).toEqual(['cat', 'dog'])
      expect(held.names).toEqual(first.test.names)
      expect(held.labels).toEqual(first.test.labels)
      expect(train.names).toEqual(first.train.names.filter((name) => name !== gone))
      expect(opening.changes).toBe(
        `1 picture missing (${gone}); 2 pictures new, left out (aardvark/1.png, cat/new.png)`,
      )
    })
  })

  test('a test/ folder made of the training pictures is not tested with', async () => {
    await withFolder(async (folder) => {
      await write(join(folder, 'train'))
      await write(join(folder, 'test'), undefined, 3, 100)
      const first = await open(folder)
      const known = { classes: first.classes, record: first.opening.record }
      await cp(join(folder, 'train', 'cat', '0.png'), join(folder, 'test', 'cat', '0.png'))
      const again = await open(folder, { known })
      expect(again.test.names).not.toContain('test/cat/0.png')
      expect(again.opening.changes).toBe('1 test picture replaced by what was trained on, left out (test/cat/0.png)')
      await rm(join(folder, 'test'), { recursive: true })
      await cp(join(folder, 'train'), join(folder, 'test'), { recursive: true })
      expect(await failure(folder, { known })).toBe(
        'UsageError: .: no picture is left to test with: 6 test pictures replaced by what was trained on, left out (test/cat/0.png, test/cat/1.png, test/cat/2.png and 3 more); 14 pictures new, left out (test/cat/3.png, test/cat/4.png, test/cat/5.png and 11 more) | put the data back as they were, or train a new run on them',
      )
    })
  })

  test('equal content on both sides is told again', async () => {
    await withPictures(async (folder) => {
      const other = join(folder, '..', 'tests')
      await cp(folder, other, { recursive: true })
      const first = await open(folder, { test: other })
      const again = await open(folder, { test: other, known: { classes: first.classes, record: first.opening.record } })
      expect(again.opening.warnings).toEqual(first.opening.warnings)
      expect(again.opening.warnings).toHaveLength(1)
      await rm(other, { recursive: true })
    })
  })

  test('of a folder that was sorted anew it is said what is missing and what is new', async () => {
    await withPictures(async (folder) => {
      const first = await open(folder)
      const known = { classes: first.classes, record: first.opening.record }
      for (const side of ['train', 'test']) await write(join(folder, side))
      for (const name of ['cat', 'dog']) await rm(join(folder, name), { recursive: true })
      expect(await failure(folder, { known })).toMatch(
        /^UsageError: \.: there are no pictures that the run knows: 20 pictures missing \(.*\); 40 pictures new, left out \(.*\) \| put the data back as they were, or train a new run on them$/,
      )
    })
  })

  test('a test/ or train/ folder beside those of the run is not used', async () => {
    await withFolder(async (folder) => {
      await write(join(folder, 'train'))
      await write(join(folder, 'val'), undefined, 3, 100)
      const first = await open(folder)
      const known = { classes: first.classes, record: first.opening.record }
      await write(join(folder, 'test'), undefined, 3, 120)
      const { opening, test: held } = await open(folder, { known })
      expect(held.names).toEqual(first.test.names)
      expect(opening.summary).toContain('; test/ not used; ')
      expect(opening.changes).toBeUndefined()
    })
    await withPictures(async (folder) => {
      const first = await open(folder)
      const known = { classes: first.classes, record: first.opening.record }
      for (const side of ['train', 'test']) await write(join(folder, side), undefined, 2, 100)
      const { opening, train } = await open(folder, { known })
      expect(train.names).toEqual(first.train.names)
      expect(opening.changes).toBeUndefined()
      expect(opening.summary).toContain('; train/, test/ not used; ')
    })
  })

  test('a test/ folder that came later is not tested with', async () => {
    await withPictures(async (folder) => {
      const first = await open(folder)
      const known = { classes: first.classes, record: first.opening.record }
      await write(join(folder, 'test'), undefined, 2, 100)
      const again = await open(folder, { known })
      expect(again.test.names).toEqual(first.test.names)
      expect(again.opening.summary).toContain('; test/ not used; ')
    })
  })

  test('changed pictures are told; damaged ones are missing, whatever the setting says', async () => {
    await withPictures(async (folder) => {
      const first = await open(folder)
      const known = { classes: first.classes, record: first.opening.record }
      await write(join(folder, '..', 'others'), ['cat'], 2, 100)
      await rename(join(folder, '..', 'others', 'cat', '1.png'), join(folder, 'cat', '1.png'))
      await rm(join(folder, '..', 'others'), { recursive: true })
      expect((await open(folder, { known })).opening.changes).toBe('1 picture changed (cat/1.png)')
      await writeFile(join(folder, 'cat', '1.png'), 'damaged')
      await symlink('/nowhere', join(folder, 'cat', 'link.png'))
      const { opening } = await open(folder, { known })
      expect(opening.changes).toBe('1 picture missing (cat/1.png)')
      expect(opening.summary).toContain(
        '; 2 left out (cat/link.png: is a broken link, to /nowhere, cat/1.png: must be ',
      )
      await rm(join(folder, 'cat'), { recursive: true })
      await rm(join(folder, 'dog'), { recursive: true })
      await write(folder, ['other'])
      expect(await failure(folder, { known })).toContain('UsageError: .: there are no pictures that the run knows: ')
    })
  })
})
