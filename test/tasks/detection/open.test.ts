import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { encodePng } from '../../../src/io/png.ts'
import { detectionDataSettings, openDetection } from '../../../src/tasks/detection/open.ts'
import { labelMapSettings, openLabelMaps } from '../../../src/tasks/segmentation/open.ts'
import { told, withFolder } from '../../data/support.ts'

const picture = encodePng(new Uint8Array(3 * 40 * 20).fill(99), 40, 20, 3)

/** Three pictures with a box each. */
async function writeSet(folder: string, change: (file: ReturnType<typeof annotations>) => unknown = (x) => x) {
  for (const name of ['a.png', 'b.png', 'c.png']) await writeFile(join(folder, name), picture)
  await writeFile(join(folder, 'objects.json'), JSON.stringify(change(annotations())))
}

function annotations() {
  return {
    images: ['a.png', 'b.png', 'c.png'].map((file_name, i) => ({ id: i + 5, file_name, width: 40, height: 20 })),
    annotations: [5, 6, 7].map((image_id) => ({
      image_id,
      category_id: 9,
      bbox: [10, 5, 20, 10],
      segmentation: [[10, 5, 30, 5, 30, 15, 10, 15]],
    })),
    categories: [
      { id: 3, name: 'cup' },
      { id: 9, name: 'spoon' },
    ],
  }
}

/** The first object with another mask. */
function withMask({ annotations: [first, ...others], ...file }: ReturnType<typeof annotations>, segmentation: unknown) {
  return { ...file, annotations: [{ ...first, segmentation }, ...others] }
}

const open = (folder: string, more: object = {}) =>
  openDetection(
    detectionDataSettings({ scenes: 4, size: 64 }).parse({
      folder,
      annotations: join(folder, 'objects.json'),
      test_share: 0.4,
      split_seed: 3,
      flip: false,
      ...more,
    }),
  )

test('a folder with COCO annotations: pictures, boxes and masks at the size of the network', () =>
  withFolder(async (folder) => {
    await writeSet(folder)
    const { train, test: held, facts, truth, opening } = await open(folder)
    expect(train.length + held.length).toBe(3)
    expect(facts).toEqual({ labels: ['cup', 'spoon'], image_size: [64, 64], has_masks: true })
    const { image, boxes, classes, masks } = await train.batch([0], { epoch: 0, seed: 0 })
    expect([...boxes.data].slice(0, 4)).toEqual([16, 8, 48, 24])
    expect([...classes.data].slice(0, 2)).toEqual([1, -1])
    expect([...(image.data as Uint8Array).slice(0, 2)]).toEqual([99, 99])
    expect((image.data as Uint8Array)[64 * 40]).toBe(0) // below the picture
    expect((masks.data as Uint8Array).slice(0, 4096).reduce((sum, value) => sum + value, 0)).toBe(32 * 16)
    expect(await truth(0)).toMatchObject({ width: 40, height: 20, scale: 1.6, objects: [{ area: 200, category: 1 }] })
    expect(opening.summary).toBe(`2 categories; ${train.length} pictures to train on, ${held.length} to test with`)
  }))

test('an empty list is no mask', () =>
  withFolder(async (folder) => {
    await writeSet(folder, (file) => withMask(file, []))
    expect((await open(folder)).facts.has_masks).toBe(false)
  }))

test('a damaged picture is told before training, or left out', () =>
  withFolder(async (folder) => {
    await writeSet(folder)
    await writeFile(join(folder, 'b.png'), picture.subarray(0, picture.length - 30))
    expect(await told(() => open(folder))).toContain('1 entry cannot be used: b.png: must be a readable picture')
    const { train, test: held } = await open(folder, { on_error: 'skip' })
    expect(train.length + held.length).toBe(2)
  }))

describe('what cannot be used', () => {
  test.each<[string, (file: ReturnType<typeof annotations>) => unknown, string]>([
    ['no list', () => ({}), 'images: Invalid input: expected array, received undefined'],
    [
      'a category of its own',
      (file) => ({ ...file, categories: [] }),
      'an annotation is of category 9, which is not listed',
    ],
    [
      'an empty box',
      (file) => ({ ...file, annotations: [{ ...file.annotations[0], bbox: [0, 0, 0, 4] }] }),
      "1 entry cannot be used: a.png: an object's box must have a width and height above 0, found 0 x 4",
    ],
    [
      'a file that is not there',
      (file) => ({ ...file, images: [...file.images, { id: 1, file_name: 'd.png', width: 4, height: 4 }] }),
      '1 entry cannot be used: d.png: no such file in .',
    ],
    [
      'a picture of another size',
      (file) => ({ ...file, images: file.images.map((image, i) => (i === 0 ? { ...image, width: 50 } : image)) }),
      '1 entry cannot be used: a.png: must be of 50 x 20 pixels, as the annotations say, found 40 x 20',
    ],
    [
      'runs that do not cover the picture',
      (file) => withMask(file, { size: [20, 40], counts: [5, 10] }),
      '1 entry cannot be used: a.png: runs must cover 40 x 20 = 800 pixels, found 15',
    ],
    [
      'runs below 0',
      (file) => withMask(file, { size: [20, 40], counts: [-10, 810] }),
      '1 entry cannot be used: a.png: runs must be whole numbers of at least 0, found -10',
    ],
    [
      'packed runs that are none',
      (file) => withMask(file, { size: [20, 40], counts: '~~' }),
      '1 entry cannot be used: a.png: packed runs must be characters from "0" on, found "~~"',
    ],
    [
      'runs of another picture',
      (file) => withMask(file, { size: [40, 20], counts: [800] }),
      "1 entry cannot be used: a.png: a mask must be of the picture's 40 x 20 pixels, found 20 x 40",
    ],
    [
      'half a corner',
      (file) => withMask(file, [[1, 2, 3, 4, 5, 6, 7]]),
      '1 entry cannot be used: a.png: a polygon must have x and y of at least 3 corners, found 7 numbers',
    ],
    [
      'no objects',
      (file) => ({ ...file, annotations: [] }),
      '.: the pictures to train on must have objects, found none (groups with iscrowd = 1 do not count)',
    ],
    [
      'groups only',
      (file) => ({ ...file, annotations: file.annotations.map((own) => ({ ...own, iscrowd: 1 })) }),
      '.: the pictures to train on must have objects, found none (groups with iscrowd = 1 do not count)',
    ],
  ])('%s', (_, change, message) =>
    withFolder(async (folder) => {
      await writeSet(folder, change)
      expect((await told(() => open(folder))).replaceAll(folder, '.')).toContain(message)
    }),
  )

  test('a folder without annotations, half a test set', () =>
    withFolder(async (folder) => {
      await writeSet(folder)
      expect(await told(() => open(folder, { annotations: '' }))).toContain('data.annotations must name the objects of')
      expect(await told(() => open(folder, { test: folder }))).toContain(
        'data.test and data.test_annotations belong together: give both or none',
      )
    }))
})

test('folders of pictures and label maps', () =>
  withFolder(async (folder) => {
    await writeSet(folder)
    const { mkdir } = await import('node:fs/promises')
    const labels = join(folder, 'maps')
    const openMaps = () =>
      openLabelMaps(labelMapSettings({ scenes: 4, size: 64 }).parse({ folder, labels, test_share: 0.4, split_seed: 3 }))
    await mkdir(labels)
    expect(await told(openMaps)).toContain('3 of 3 pictures have no label map, such as a.png')
    const map = Uint8Array.from({ length: 800 }, (_, i) => (i % 40 < 20 ? 0 : 2))
    for (const name of ['a', 'b', 'c']) await writeFile(join(labels, `${name}.png`), encodePng(map, 40, 20, 1))
    const { train, facts } = await openMaps()
    expect(facts.labels).toEqual(['0', '1', '2'])
    const { labels: found } = await train.batch([0], { epoch: 0, seed: 0 })
    expect([found.data[0], found.data[63], found.data[64 * 40]]).toEqual([0, 2, 255])
    await writeFile(join(labels, 'b.png'), encodePng(map, 20, 40, 1))
    expect(await told(openMaps)).toContain(
      '1 entry cannot be used: b.png: must be of 40 x 20 pixels as its picture, found 20 x 40',
    )
    await writeFile(join(labels, 'a.png'), encodePng(new Uint8Array(3 * 800), 40, 20, 3))
    expect(await told(openMaps)).toContain('a label map must have one number for each pixel, found colours')
  }))
