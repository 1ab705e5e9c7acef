import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { loadMnist } from '../../../src/data/sources/mnist.ts'
import { context, numbers, told, withFolder } from '../support.ts'

test('the training pictures', async () => {
  const dataset = await loadMnist('train')
  expect(dataset.length).toBe(60_000)
  expect(dataset.fields).toEqual({ image: { dtype: 'uint8', shape: [28, 28] }, label: { dtype: 'int32', shape: [] } })
  const batch = await dataset.batch([...Array(60_000).keys()], context)
  expect(numbers(batch, 'label').slice(0, 10)).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
  const ink = (batch.image?.data ?? []) as Uint8Array
  expect(ink.reduce((sum, value) => sum + value, 0) / ink.length / 255).toBeCloseTo(0.1307, 4) // the mean everybody normalises by
})

test('the test pictures: the first is a 7', async () => {
  const dataset = await loadMnist('test')
  expect(dataset.length).toBe(10_000)
  const batch = await dataset.batch([0], context)
  expect(numbers(batch, 'label')).toEqual([7])
  const image = numbers(batch, 'image')
  const drawing = Array.from({ length: 28 }, (_, y) =>
    image
      .slice(y * 28, y * 28 + 28)
      .map((v) => (v > 127 ? '#' : '.'))
      .join(''),
  )
  expect(drawing.slice(6, 27)).toMatchInlineSnapshot(`
    [
      "............................",
      ".......###..................",
      "......###############.......",
      "..........############......",
      "...................##.......",
      "...................##.......",
      "..................##........",
      ".................###........",
      ".................##.........",
      "................###.........",
      "................##..........",
      "................##..........",
      "...............##...........",
      "..............###...........",
      ".............###............",
      ".............##.............",
      "............##..............",
      "...........###..............",
      "...........###..............",
      "...........###..............",
      "...........##...............",
    ]
  `)
})

test('files of a folder, compressed or not, are checked', async () => {
  const header = (...shape: number[]) => [
    0,
    0,
    8,
    shape.length,
    ...shape.flatMap((size) => [0, 0, size >> 8, size & 255]),
  ]
  const pictures = (count: number) => Buffer.from([...header(count, 28, 28), ...new Uint8Array(count * 784)])
  await withFolder(async (folder) => {
    const [images, labels] = ['images-idx3', 'labels-idx1'].map((kind) => join(folder, `train-${kind}-ubyte`))
    const load = () => loadMnist('train', { folder })
    const failure = async () => (await told(load)).replaceAll(folder, '.')
    expect(await failure()).toMatchInlineSnapshot(`"UsageError: ./train-images-idx3-ubyte: no such file or folder"`)
    await writeFile(`${images}.gz`, gzipSync(pictures(2)))
    await writeFile(`${labels}`, Buffer.from([...header(2), 3, 9]))
    expect(numbers(await (await load()).batch([1, 0], context), 'label')).toEqual([9, 3])
    await writeFile(`${labels}`, Buffer.from([...header(2), 3, 10]))
    expect(await failure()).toMatchInlineSnapshot(
      `"FormatError: ./train-labels-idx1-ubyte: labels must be 0 to 9, found 10 at 1"`,
    )
    await writeFile(`${labels}`, Buffer.from([...header(3), 3, 9, 1]))
    expect(await failure()).toMatchInlineSnapshot(
      `"FormatError: ./train-images-idx3-ubyte.gz: must be uint8 [3, 28, 28], found uint8 [2, 28, 28]"`,
    )
  })
})
