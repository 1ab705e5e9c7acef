import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { placesOf } from '../../src/cli/places.ts'
import { told, withFolder } from '../data/support.ts'

describe('where the files of a use go', () => {
  test('without --out: by their names in the run', async () => {
    const place = placesOf('runs/a', undefined, 2)
    expect(await place('one.png')).toBe(join('runs/a', 'one.png'))
    expect(await place('two.png')).toBe(join('runs/a', 'two.png'))
  })

  test('one input: --out is the file; a folder where it is one or ends in a slash', () =>
    withFolder(async (folder) => {
      expect(await placesOf('run', join(folder, 'new', 'page.html'), 1)('inspect.html')).toBe(
        join(folder, 'new', 'page.html'),
      )
      expect((await stat(join(folder, 'new'))).isDirectory()).toBe(true)
      expect(await placesOf('run', join(folder, 'new'), 1)('inspect.html')).toBe(join(folder, 'new', 'inspect.html'))
      expect(await placesOf('run', `${folder}/other/`, 0)('a.png')).toBe(join(folder, 'other', 'a.png'))
      expect((await stat(join(folder, 'other'))).isDirectory()).toBe(true)
    }))

  test('several inputs: --out is a folder, which is made', () =>
    withFolder(async (folder) => {
      const place = placesOf('run', join(folder, 'out'), 2)
      expect(await place('a.png')).toBe(join(folder, 'out', 'a.png'))
      expect((await stat(join(folder, 'out'))).isDirectory()).toBe(true)
    }))

  test('files of one name do not replace each other', () =>
    withFolder(async (folder) => {
      const place = placesOf('run', folder, 3)
      const places = [await place('a-objects.png'), await place('a-objects.png'), await place('a-objects.png')]
      expect(places).toEqual(['a-objects.png', 'a-objects-2.png', 'a-objects-3.png'].map((name) => join(folder, name)))
    }))

  test('several inputs and a file', () =>
    withFolder(async (folder) => {
      await mkdir(join(folder, 'x'))
      const file = join(folder, 'x', 'page.html')
      await writeFile(file, '')
      expect(await told(() => placesOf('run', file, 2)('a.html'))).toContain(
        `--out must be a folder where there are several inputs, found the file ${file}`,
      )
    }))
})
