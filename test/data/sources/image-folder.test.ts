import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { subset } from '../../../src/data/dataset.ts'
import { DataLoader } from '../../../src/data/loader.ts'
import { imageFolder } from '../../../src/data/sources/image-folder.ts'
import { context, numbers, told, withFolder } from '../support.ts'

async function write(path: string, grey: number): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true })
  await sharp({ create: { width: 5, height: 4, channels: 3, background: { r: grey, g: grey, b: grey } } }).toFile(path)
}

/** Pictures of one grey each: dog 10, 20, 30 (the last in a sub-folder) and, by a link to another folder, Cat 40. */
async function withPictures(use: (folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const animals = join(folder, 'animals')
    await write(join(animals, 'dog', '2.png'), 20)
    await write(join(animals, 'dog', '1.jpg'), 10)
    await write(join(animals, 'dog', 'sub', '3.webp'), 30)
    await write(join(animals, 'no-class.png'), 99)
    await writeFile(join(animals, 'dog', 'notes.txt'), '')
    await write(join(folder, 'other', 'a.png'), 40)
    await symlink(join(folder, 'other'), join(animals, 'Cat'))
    await use(animals)
  })
}

test('classes by folder, pictures by path, decoded by batch', async () => {
  await withPictures(async (folder) => {
    const dataset = await imageFolder(folder, { size: 2, channels: 1 })
    expect(dataset.classes).toEqual(['Cat', 'dog'])
    expect(dataset.paths.map((path) => path.slice(folder.length + 1).replaceAll('\\', '/'))).toEqual([
      'Cat/a.png',
      'dog/1.jpg',
      'dog/2.png',
      'dog/sub/3.webp',
    ])
    expect(dataset.fields).toEqual({
      image: { dtype: 'uint8', shape: [1, 2, 2] },
      label: { dtype: 'int32', shape: [] },
    })
    const batch = await dataset.batch([3, 0, 1], context)
    expect(numbers(batch, 'label')).toEqual([1, 0, 1])
    expect(numbers(batch, 'image')).toEqual([30, 30, 30, 30, 40, 40, 40, 40, 10, 10, 10, 10])
    expect(batch.image?.shape).toEqual([3, 1, 2, 2])
  })
})

test('labels are known without decoding, in parts of the folder too', async () => {
  await withPictures(async (folder) => {
    await writeFile(join(folder, 'dog', '2.png'), 'damaged')
    const dataset = await imageFolder(folder, { size: 2, channels: 1 })
    expect(dataset.labels).toEqual([0, 1, 1, 1])
    expect(subset(dataset, [2, 0, 3]).labels).toEqual([1, 0, 1])
    // What stands in for a damaged picture may be of another class.
    expect((await imageFolder(folder, { size: 2, channels: 1, onError: 'skip' })).labels).toBeUndefined()
  })
})

test('works in a loader, [rows, columns, channels] too', async () => {
  await withPictures(async (folder) => {
    const dataset = await imageFolder(folder, { size: [2, 3], layout: 'NHWC' })
    const loader = new DataLoader(dataset, { batchSize: 3, shuffle: true, seed: 1 })
    const greys: number[] = []
    for await (const batch of loader) {
      expect(batch.image?.shape.slice(1)).toEqual([2, 3, 3])
      greys.push(...numbers(batch, 'image').filter((_, i) => i % 18 === 0))
    }
    expect(greys.toSorted()).toEqual([10, 20, 30, 40])
  })
})

test('a damaged picture throws with its path, or is replaced by the next readable one and noted', async () => {
  await withPictures(async (folder) => {
    const path = join(folder, 'dog', '1.jpg')
    await writeFile(path, 'damaged')
    const options = { size: 1, channels: 1 } as const
    const strict = await imageFolder(folder, options)
    expect((await told(() => strict.batch([0, 1], context))).replace(folder, '.')).toMatchInlineSnapshot(
      `"FormatError: ./dog/1.jpg: must be a readable picture, found: no picture, or one of a format that is not read"`,
    )
    const lenient = await imageFolder(folder, { ...options, onError: 'skip' })
    for (let i = 0; i < 2; i++) {
      const batch = await lenient.batch([0, 1, 2, 1], context)
      expect(numbers(batch, 'image')).toEqual([40, 20, 20, 20])
      expect(numbers(batch, 'label')).toEqual([0, 1, 1, 1])
    }
    expect([...lenient.skipped.keys()]).toEqual([path])
    for (const file of lenient.paths) await writeFile(file, '')
    const hopeless = await imageFolder(folder, { ...options, onError: 'skip' })
    expect((await told(() => hopeless.batch([2], context))).replace(folder, '.')).toMatchInlineSnapshot(
      `"FormatError: .: none of its 4 pictures can be read"`,
    )
    expect(hopeless.skipped.size).toBe(4)
  })
})

test('says what is wrong with the folder', async () => {
  await withFolder(async (folder) => {
    const failure = async (name: string) =>
      (await told(() => imageFolder(join(folder, name), { size: 2 }))).replace(folder, '.')
    await write(join(folder, 'no-class.png'), 1)
    expect([await failure('absent'), await failure(''), await failure('no-class.png')]).toMatchInlineSnapshot(`
      [
        "UsageError: ./absent: no such file or folder",
        "UsageError: .: must have sub-folders with pictures, found no .png, .jpg, .jpeg, .webp, .avif, .gif in any | one sub-folder per class, named as the class: folder/cat/1.jpg, folder/dog/1.jpg",
        "UsageError: ./no-class.png: cannot be read (ENOTDIR) | a part of the path is a file, not a folder",
      ]
    `)
  })
})

test('random boxes of the whole pictures: drawn anew in each epoch, the same for the same example', async () => {
  await withFolder(async (folder) => {
    await mkdir(join(folder, 'ramp'))
    const pixels = Uint8Array.from({ length: 60 * 30 * 3 }, (_, i) => 4 * (Math.floor(i / 3) % 60))
    for (const name of ['a.png', 'b.webp']) {
      await sharp(pixels, { raw: { width: 60, height: 30, channels: 3 } })
        .webp({ lossless: true })
        .toFile(join(folder, 'ramp', name))
    }
    const dataset = await imageFolder(folder, { size: 4, channels: 1, randomCrop: { area: [0.05, 0.3] } })
    const first = numbers(await dataset.batch([0, 1], { epoch: 0, seed: 2 }), 'image')
    expect(first.slice(0, 16)).not.toEqual(first.slice(16))
    expect(numbers(await dataset.batch([1], { epoch: 0, seed: 2 }), 'image')).toEqual(first.slice(16))
    expect(numbers(await dataset.batch([1], { epoch: 1, seed: 2 }), 'image')).not.toEqual(first.slice(16))
    // Columns rise in a crop of the ramp, and by less than across the whole picture.
    const [left = 0, , , right = 0] = first
    expect(right).toBeGreaterThan(left)
    expect(right - left).toBeLessThan(200)
  })
})
