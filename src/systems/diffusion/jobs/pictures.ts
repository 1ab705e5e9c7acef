/** The pictures of the studies: MNIST, made smaller so that many networks can be trained, in parts that follow from the seed. */
import { z } from 'zod'
import { type Dataset, mapDataset, type PictureFields } from '../../../data/index.ts'
import { DataLoader } from '../../../data/loader.ts'
import { randomPart } from '../../../tasks/brief-training.ts'
import type { PictureFacts } from '../../../tasks/pictures/facts.ts'
import { openPictureSet } from '../../../tasks/pictures/open.ts'
import { elementCount, type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizes } from '../../../tensor/shape.ts'
import { whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'

/** The pictures that a study uses. */
export const pictureSettings = z.strictObject({
  shrink: whole
    .max(4)
    .default(2)
    .describe('squares of so many pixels of MNIST become one by their mean: 2 makes pictures of 14 x 14'),
  examples: whole.max(50_000).default(20_000).describe('training pictures'),
  judged: whole.max(10_000).default(10_000).describe('other training pictures, for the network that judges'),
  real: whole.max(10_000).default(1000).describe('test pictures that the drawn ones are compared with'),
})
export type PictureSettings = z.infer<typeof pictureSettings>

/** Test pictures of the judge and of losses: more would cost more than they tell. */
export const tested = 2000

export interface StudyPictures {
  readonly train: Dataset<PictureFields>
  /** For the judge, which shall know nothing of what the others were trained on. */
  readonly judged: Dataset<PictureFields>
  readonly test: Dataset<PictureFields>
  /** Test pictures to compare with. */
  readonly real: Dataset<PictureFields>
  readonly facts: PictureFacts
  /** Names the parts, for what depends on them. */
  readonly identity: unknown
}

/** Pictures of which each square of factor x factor pixels has become one, its mean. */
export function shrunkPictures(dataset: Dataset<PictureFields>, factor: number): Dataset<PictureFields> {
  if (factor === 1) return dataset
  const [channels, height, width] = sizes(dataset.fields.image.shape, 3)
  if (height % factor !== 0 || width % factor !== 0)
    throw new UsageError(`data.shrink must divide the pictures' ${height} x ${width} pixels, found ${factor}`)
  const shape = [channels, height / factor, width / factor]
  return mapDataset(dataset, ({ image, label }) => ({ image: shrunk(image, factor), label }), {
    ...dataset.fields,
    image: { dtype: 'uint8', shape },
  })
}

function shrunk({ shape, data }: NDArray, factor: number): NDArray {
  const [count, channels, height, width] = sizes(shape, 4)
  const [h, w] = [height / factor, width / factor]
  const small = new Uint8Array(count * channels * h * w)
  for (let plane = 0; plane < count * channels; plane++) {
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        let sum = 0
        for (let i = 0; i < factor; i++)
          for (let j = 0; j < factor; j++)
            sum += Number(data[(plane * height + y * factor + i) * width + x * factor + j])
        small[(plane * h + y) * w + x] = Math.round(sum / factor ** 2)
      }
    }
  }
  return { dtype: 'uint8', shape: [count, channels, h, w], data: small }
}

/** Random parts of MNIST that follow from the seed of the job: the same for all networks. */
export async function openStudyPictures(settings: PictureSettings, seed: number): Promise<StudyPictures> {
  const { shrink, examples, judged, real } = settings
  const { train, test, facts } = await openPictureSet('mnist')
  const small = (data: Dataset<PictureFields>): Dataset<PictureFields> => shrunkPictures(data, shrink)
  const [height, width] = facts.image_size
  return {
    train: small(randomPart(train, examples, seed)),
    judged: small(randomPart(train, judged, seed, examples)),
    test: small(randomPart(test, tested, seed)),
    real: small(randomPart(test, real, seed)),
    facts: { ...facts, image_size: [height / shrink, width / shrink] },
    identity: { ...settings, seed },
  }
}

/** All pictures of a data set, uint8 [N, C, H, W], and their labels. */
export interface LabelledPictures {
  readonly pictures: NDArray
  readonly labels: readonly number[]
}

/** Reads the first pictures of a data set. */
export async function readPictures(data: Dataset<PictureFields>, most = data.length): Promise<LabelledPictures> {
  const count = Math.min(most, data.length)
  const { shape } = data.fields.image
  const pixels = new Uint8Array(count * elementCount(shape))
  const labels: number[] = []
  for await (const { image, label } of new DataLoader(
    { ...data, length: count },
    { batchSize: Math.min(500, count), dropLast: false },
  )) {
    pixels.set(image.data as Uint8Array, labels.length * elementCount(shape))
    labels.push(...toNumbers(label.data))
  }
  return { pictures: { dtype: 'uint8', shape: [count, ...shape], data: pixels }, labels }
}

/** For the foot of a page. */
export function describePictures(
  { shrink, examples, judged, real }: PictureSettings,
  { image_size }: PictureFacts,
): string {
  const size = shrink === 1 ? '' : `, shrunk to ${image_size.join(' x ')} pixels`
  return `MNIST${size}: ${examples} training pictures, ${judged} others for the judge, ${real} test pictures to compare with`
}
