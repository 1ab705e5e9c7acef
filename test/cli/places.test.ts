import { mkdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { newFile } from '../../src/cli/options.ts'
import { placesOf } from '../../src/cli/places.ts'
import { belongsToRun } from '../../src/cli/run-files.ts'
import { told, withFolder } from '../data/support.ts'

const inputs = (count: number): string[] => Array.from({ length: count }, (_, i) => `input-${i}`)

describe('where the files of a use go', () => {
  test('without --out: by their names in the run', async () => {
    const place = placesOf('runs/a', undefined, inputs(2))
    expect(await place('one.png')).toBe(join('runs/a', 'one.png'))
    expect(await place('two.png')).toBe(join('runs/a', 'two.png'))
  })

  test('one input: --out is the file; a folder where it is one or ends in a slash', () =>
    withFolder(async (folder) => {
      expect(await placesOf('run', join(folder, 'new', 'page.html'), inputs(1))('inspect.html')).toBe(
        join(folder, 'new', 'page.html'),
      )
      expect((await stat(join(folder, 'new'))).isDirectory()).toBe(true)
      expect(await placesOf('run', join(folder, 'new'), inputs(1))('inspect.html')).toBe(
        join(folder, 'new', 'inspect.html'),
      )
      expect(await placesOf('run', `${folder}/other/`, inputs(0))('a.png')).toBe(join(folder, 'other', 'a.png'))
      expect((await stat(join(folder, 'other'))).isDirectory()).toBe(true)
    }))

  test('several inputs: --out is a folder, which is made', () =>
    withFolder(async (folder) => {
      const place = placesOf('run', join(folder, 'out'), inputs(2))
      expect(await place('a.png')).toBe(join(folder, 'out', 'a.png'))
      expect((await stat(join(folder, 'out'))).isDirectory()).toBe(true)
    }))

  test('files of one name do not replace each other', () =>
    withFolder(async (folder) => {
      const place = placesOf('run', folder, inputs(3))
      const places = [await place('a-objects.png'), await place('a-objects.png'), await place('a-objects.png')]
      expect(places).toEqual(['a-objects.png', 'a-objects-2.png', 'a-objects-3.png'].map((name) => join(folder, name)))
    }))

  test('several inputs and a file', () =>
    withFolder(async (folder) => {
      await mkdir(join(folder, 'x'))
      const file = join(folder, 'x', 'page.html')
      await writeFile(file, '')
      expect(await told(() => placesOf('run', file, inputs(2))('a.html'))).toContain(
        `--out must be a folder where there are several inputs, found the file ${file}`,
      )
    }))
})

describe('what would be lost is refused', () => {
  test('an input, by its path or by way of a link', () =>
    withFolder(async (folder) => {
      const picture = join(folder, 'p.png')
      await writeFile(picture, 'the original')
      await symlink(picture, join(folder, 'link.png'))
      for (const out of [picture, join(folder, 'link.png'), folder])
        expect(await told(() => placesOf('run', out, [picture])('p.png'))).toContain(
          'is an input, and would be overwritten',
        )
      // A text that is no file.
      expect(await placesOf('run', join(folder, 'a red apple'), ['a red apple'])('page.html')).toBe(
        join(folder, 'a red apple'),
      )
    }))

  test('what a run is continued from', () =>
    withFolder(async (folder) => {
      const lost = join(folder, 'metrics.jsonl')
      expect(belongsToRun(lost)).toBe(false)
      await writeFile(join(folder, 'run.json'), '{}')
      expect(belongsToRun(lost)).toBe(true)
      expect(belongsToRun(join(folder, 'checkpoints', 'step-00000001.safetensors'))).toBe(true)
      expect(belongsToRun(join(folder, 'report.html'))).toBe(false)
      expect(belongsToRun(join(folder, 'samples.png'))).toBe(false)
      expect(await told(() => placesOf(folder, lost, [])('page.html'))).toContain(
        'metrics.jsonl is a file that a run needs, and would be overwritten',
      )
      expect(() => newFile(join(folder, 'run.json'))).toThrow('it is a file that a run needs.')
    }))
})
