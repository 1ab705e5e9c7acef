/** The paper's shuffled pixels (Figure 4): does a network depend on the positions of pixels? */
import { z } from 'zod'
import { type Dataset, mapDataset, type PictureFields } from '../../../data/index.ts'
import type { Report } from '../../../report/figures.ts'
import { randomPart } from '../../../tasks/brief-training.ts'
import { whole } from '../../../train/settings.ts'
import { Generator } from '../../../util/random.ts'
import { percent } from '../../../util/words.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { taskPackages, tasks } from './data.ts'
import { type FinishedMember, type Member, runMembers } from './members.ts'
import { type FamilyName, families } from './models.ts'
import { memberTraining } from './settings.ts'

/** How the pixels of all pictures are arranged: as they are; patches and the pixels within patches shuffled; all pixels shuffled. */
const arrangements = ['original', 'patches', 'global'] as const
export type Arrangement = (typeof arrangements)[number]

const meanings: Readonly<Record<Arrangement, string>> = {
  original: 'as it is',
  patches: 'patches shuffled, and pixels within them',
  global: 'all pixels shuffled',
}

/** One order for the patches and one for the pixels within each; both the same for all pictures. */
export interface PatchOrder {
  readonly patches: Uint32Array
  readonly pixels: Uint32Array
}

/** Random orders for pictures of `side` pixels with patches of `patch`. */
export function patchOrder(side: number, patch: number, seed: number): PatchOrder {
  const random = new Generator(seed)
  return { patches: random.permutation((side / patch) ** 2), pixels: random.permutation(patch * patch) }
}

/** Where each pixel of an arranged picture comes from, [side * side]. */
export function pixelSources(arrangement: Arrangement, side: number, patch: number, seed: number): Uint32Array {
  const count = side * side
  if (arrangement === 'original') return Uint32Array.from({ length: count }, (_, i) => i)
  if (arrangement === 'global') return new Generator(seed).permutation(count)
  const { patches, pixels } = patchOrder(side, patch, seed)
  const grid = side / patch
  return Uint32Array.from({ length: count }, (_, i) => {
    const [y, x] = [Math.floor(i / side), i % side]
    const from = patches[Math.floor(y / patch) * grid + Math.floor(x / patch)] ?? 0
    const pixel = pixels[(y % patch) * patch + (x % patch)] ?? 0
    const [row, column] = [Math.floor(from / grid) * patch, (from % grid) * patch]
    return (row + Math.floor(pixel / patch)) * side + column + (pixel % patch)
  })
}

/** A dataset with the pixels of every channel of `image` [C, side, side] taken from `sources`. */
export function arrangePixels(dataset: Dataset<PictureFields>, sources: Uint32Array): Dataset<PictureFields> {
  return mapDataset(dataset, ({ image: { dtype, shape, data }, label }) => {
    const bytes = data as Uint8Array
    const arranged = new Uint8Array(bytes.length)
    for (let start = 0; start < bytes.length; start += sources.length) {
      for (let i = 0; i < sources.length; i++) arranged[start + i] = bytes[start + (sources[i] ?? 0)] ?? 0
    }
    return { image: { dtype, shape, data: arranged }, label }
  })
}

const config = z.strictObject({
  models: z
    .array(z.enum(['mixer', 'convnet', 'vit', 'resnet']))
    .min(1)
    .default(['mixer', 'convnet'])
    .describe('of mixer, convnet, vit, resnet'),
  width: whole.multipleOf(8).default(64).describe('of the Mixer; the other models at equal cost'),
  depth: whole.default(4).describe('blocks or layers of each model'),
  examples: whole.max(60_000).default(10_000).describe('training pictures of MNIST'),
  train: memberTraining.prefault({}),
})

const patch = 7

async function run(settings: z.infer<typeof config>, context: JobContext): Promise<Report> {
  const { models, width, depth, examples, train } = settings
  const { train: pictures, test, title: _title, ...facts } = await tasks.mnist()
  const members: Member[] = models.flatMap((family) =>
    arrangements.map((arrangement) => ({
      name: `${family}-${arrangement}`,
      family,
      sizes: { ...facts, patch_size: patch, width, depth },
      data: arrangement,
      examples,
      training: train,
    })),
  )
  const part = randomPart(pictures, examples, context.seed)
  const finished = await runMembers(
    members,
    async ({ data }) => {
      const sources = pixelSources(data as Arrangement, facts.image_size[0], patch, context.seed)
      return { train: arrangePixels(part, sources), test: arrangePixels(test, sources) }
    },
    context,
  )
  return permutationReport(finished, await samples(test, context.seed))
}

/** A few test pictures in each arrangement. */
async function samples(test: Dataset<PictureFields>, seed: number) {
  const rows = await Promise.all(
    arrangements.map(async (arrangement) => {
      const arranged = arrangePixels(test, pixelSources(arrangement, 28, patch, seed))
      const { image } = await arranged.batch([0, 1, 2, 3, 4, 5], { epoch: 0, seed })
      const bytes = image.data as Uint8Array
      return Array.from({ length: 6 }, (_, i) => ({
        pixels: bytes.subarray(i * 784, (i + 1) * 784),
        width: 28,
        height: 28,
        channels: 1 as const,
        caption: arrangement,
      }))
    }),
  )
  return rows.flat()
}

function permutationReport(finished: readonly FinishedMember[], pictures: Awaited<ReturnType<typeof samples>>): Report {
  const accuracyOf = (family: FamilyName, data: Arrangement): number =>
    finished.find((member) => member.family === family && member.data === data)?.result.accuracy ?? 0
  const compared = [...new Set(finished.map(({ family }) => family))]
  const sentences = compared.map((family) => {
    const original = accuracyOf(family, 'original')
    const change = (data: Arrangement): string => {
      const difference = Math.round(1000 * (accuracyOf(family, data) - original)) / 10
      return `${percent(accuracyOf(family, data))} (${difference < 0 ? '-' : '+'}${Math.abs(difference).toFixed(1)} points)`
    }
    return `${families[family].title}: ${percent(original)} on the pictures as they are, ${change('patches')} with patches and the pixels within them shuffled, ${change('global')} with all pixels shuffled.`
  })
  return {
    title: 'mixer / permutation',
    subtitle: 'MNIST with its pixels in another order: one fixed order for all pictures, in training and test',
    summary: compared.map((family) => ({
      label: `${families[family].title}, patches shuffled`,
      value: percent(accuracyOf(family, 'patches')),
      note: `${percent(accuracyOf(family, 'original'))} before`,
    })),
    sections: [
      {
        title: 'What was found',
        figures: [
          { kind: 'text', title: 'In words', paragraphs: sentences },
          {
            kind: 'bars',
            title: 'Test accuracy',
            value: { label: 'test accuracy', percent: true },
            bars: finished.map(({ family, data, result }) => ({
              label: `${families[family].title}, ${data}`,
              value: result.accuracy,
            })),
          },
          {
            kind: 'table',
            title: 'Every member',
            columns: ['model', 'pixels', 'parameters', 'M multiply-adds', 'seconds', 'train %', 'test %'],
            rows: finished.map(({ family, data, result }) => [
              families[family].title,
              meanings[data as Arrangement],
              result.parameters,
              Number((result.multiplyAdds / 1e6).toFixed(2)),
              Number(result.seconds.toFixed(1)),
              Number((100 * result.trainAccuracy).toFixed(1)),
              Number((100 * result.accuracy).toFixed(1)),
            ]),
          },
        ],
      },
      {
        title: 'What the models see',
        figures: [
          { kind: 'pictures', title: 'Test pictures', caption: 'The same six digits in each arrangement.', pictures },
        ],
      },
    ],
    footer: 'One seed per member. Written by tenfold.',
  }
}

export const permutation = defineJob({
  name: 'permutation',
  summary: 'shuffled pixels of MNIST: Mixer against a convolutional net',
  config,
  packages: () => taskPackages.mnist,
  run,
})
