/** The studies of the Perceiver on tiny settings: arms, what is tuned on what, sentences that follow the numbers. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { compile } from '../../../../src/compile/compile.ts'
import { arrayDataset } from '../../../../src/data/index.ts'
import type { Job } from '../../../../src/systems/define.ts'
import { CropClassifier } from '../../../../src/systems/perceiver/jobs/crops.ts'
import { iterationFindings, iterations } from '../../../../src/systems/perceiver/jobs/iterations.ts'
import { modalities, modalityFindings } from '../../../../src/systems/perceiver/jobs/modalities.ts'
import {
  orderDependence,
  permutation,
  permutationFindings,
} from '../../../../src/systems/perceiver/jobs/permutation.ts'
import { positionFindings, positions } from '../../../../src/systems/perceiver/jobs/positions.ts'
import {
  convNetOn,
  perceiverOn,
  pixelRows,
  RowClassifier,
  type RowModel,
  transformerOn,
  vitOn,
} from '../../../../src/systems/perceiver/jobs/row-models.ts'
import type { ImagePreprocessor } from '../../../../src/systems/perceiver/preprocess.ts'
import { perceiverSettings } from '../../../../src/systems/perceiver/settings.ts'
import type { FinishedArm } from '../../../../src/systems/study.ts'
import type { StudyPictures } from '../../../../src/systems/study-pictures.ts'
import { constant, type Tensor } from '../../../../src/tensor/tensor.ts'
import { Generator } from '../../../../src/util/random.ts'
import { runTiny } from '../../../support/tiny-job.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-perceiver-'))
afterAll(() => rmSync(folder, { recursive: true }))

const run = (job: Job, sets: readonly string[]) => runTiny(job, sets, folder)

const tinyStudy = ['steps=2', 'tuning_steps=1', 'seeds=2', 'learning_rates=[0.003,0.01]', 'batch_size=8'].map(
  (set) => `study.${set}`,
)
const tinyPictures = ['examples=16', 'validation=10', 'test=10'].map((set) => `data.${set}`)
const tinyNet = [
  'num_latents=4',
  'num_latent_channels=8',
  'num_self_attend_heads=2',
  'num_bands=2',
  'position_channels=4',
]
const tiny = [...tinyStudy, ...tinyPictures, ...tinyNet.map((set) => `perceiver.${set}`)]

describe('jobs', () => {
  test('permutation: one training stands for both orders where the network is the same, and parts are kept', async () => {
    const sets = [
      ...tiny,
      'models=["perceiver","vit"]',
      'vit.width=8',
      'vit.depth=1',
      'perceiver.num_self_attend_heads=2',
    ]
    const first = await run(permutation, sets)
    const names = ['perceiver-raw', 'vit-raw', 'vit-permuted'].flatMap((arm) => [
      `tuning/${arm}-0.003`,
      `tuning/${arm}-0.01`,
      `members/${arm}-seed0`,
      `members/${arm}-seed1`,
    ])
    expect(first.parts).toEqual(names.map((name) => `new ${name}`))
    expect(first.report.sections.map(({ title }) => title)).toEqual([
      'What was found',
      'Every number',
      'What the models get',
    ])
    expect((await run(permutation, sets)).parts).toEqual(names)
  })

  test('iterations: the weights of the recurrent network are tried with other numbers of iterations', async () => {
    const sets = [...tiny, 'cross_only=[1]', 'cross_attentions=[1,2]', 'blocks=2', 'unrolled=[1,3]', 'study.seeds=1']
    const { report, parts } = await run(iterations, sets)
    expect(parts.filter((part) => part.includes('members'))).toEqual(
      ['cross-only-1', 'interleaved-1', 'at-start-2', 'interleaved-2', 'unshared-2'].map(
        (arm) => `new members/${arm}-seed0`,
      ),
    )
    const told = JSON.stringify(report.sections[0])
    expect(told).toMatch(
      /Trained with 2 iterations and tried with other numbers of them, the same weights give 1: .* 3: /,
    )
  })

  test('settings that fit no model are told before anything is trained', async () => {
    const trained: string[] = []
    const failure = async (job: Job, sets: readonly string[]): Promise<string> => {
      const own = mkdtempSync(join(folder, 'refused-'))
      const error: unknown = await runTiny(job, [...tinyStudy, ...tinyPictures, ...sets], own).catch((error) => error)
      trained.push(...readdirSync(own, { recursive: true }).map(String))
      return error instanceof Error ? error.message : 'nothing'
    }
    expect(await failure(iterations, ['blocks=3'])).toBe(
      'blocks must be a multiple of each of cross_attentions 1,2,4, found 3',
    )
    expect(await failure(iterations, ['perceiver.num_latent_channels=10'])).toMatch(/multiple of the heads/)
    expect(await failure(permutation, ['vit.patch_size=5'])).toMatch(/patch/)
    expect(trained).toEqual([])
  })

  test('positions', async () => {
    const sets = [...tiny, 'resolutions=[28]', 'band_counts=[2]', 'study.seeds=1', 'study.learning_rates=[0.01]']
    const { parts } = await run(positions, sets)
    expect(parts).toEqual(
      ['mu-28', 'bands-2', 'learned', 'none', 'crops-crop', 'crops-picture'].map((arm) => `new members/${arm}-seed0`),
    )
  })

  test('modalities', async () => {
    const net = tinyNet.filter((set) => !set.startsWith('position')).map((set) => `model.${set}`)
    const sets = [...tinyStudy, ...net, 'examples=12', 'validation=4', 'study.seeds=1', 'study.learning_rates=[0.01]']
    const { report } = await run(modalities, sets)
    expect(report.summary.map(({ label }) => label)).toEqual([
      'video',
      'sound',
      'both',
      'both, the picture dropped in 30 %',
    ])
  })
})

const image = {
  dtype: 'uint8' as const,
  shape: [4, 1, 8, 8],
  data: Uint8Array.from(new Generator(1).integers(0, 256, 256)),
}
const pictures: StudyPictures = (() => {
  const data = arrayDataset({ image, label: { dtype: 'int32', shape: [4], data: new Int32Array(4) } })
  const facts = { image_size: [8, 8] as [number, number], in_channels: 1 as const, labels: ['a', 'b', 'c'] }
  return { train: data, validation: data, test: data, facts, identity: {} }
})()

test.each<[string, (pixels: ImagePreprocessor) => RowModel, boolean]>([
  ['Perceiver', perceiverOn(perceiverSettings().parse({ num_latents: 4, num_latent_channels: 8 }), 3), false],
  ['transformer', transformerOn({ width: 8, depth: 1, heads: 2, classes: 3 }), false],
  ['convolutional net', convNetOn(4, 2, 3), true],
  ['ViT', vitOn(4, { width: 8, depth: 1, heads: 2, classes: 3 }), true],
])('the order of the pixels: %s', async (_name, net, depends) => {
  const make = (order?: Uint32Array): RowClassifier =>
    new RowClassifier(pixelRows(pictures.facts, { type: 'fourier', num_bands: 2 }), net, order)
  const change = await orderDependence(make, 64, pictures, 0)
  expect(change > 1e-4).toBe(depends)
})

test('crops: the middle one in evaluation, places of the crop or of the picture', async () => {
  const of = async (positions: 'crop' | 'picture'): Promise<readonly number[]> => {
    const seen: Tensor[] = []
    const net = (): RowModel => {
      const model = perceiverOn(
        perceiverSettings().parse({ num_latents: 2, num_latent_channels: 8 }),
        3,
      )({
        outputChannels: 11,
      })
      const forward = model.forward.bind(model)
      model.forward = (x) => {
        seen.push(x)
        return forward(x)
      }
      return model
    }
    const model = new CropClassifier({ facts: pictures.facts, crop: 4, positions, bands: 2, net }).eval()
    const run = compile((x: Tensor) => {
      model.forward(x)
      return seen.at(-1) as Tensor
    })
    const found = await run(
      constant(
        Float32Array.from({ length: 64 }, (_, i) => i),
        [1, 1, 8, 8],
        'float32',
      ),
    )
    expect(found.shape).toEqual([1, 16, 11])
    return found.numbers().then((numbers) => Array.from(numbers))
  }
  const [crop, picture] = [await of('crop'), await of('picture')]
  const column = (values: readonly number[], c: number): number[] => values.filter((_, i) => i % 11 === c)
  // Rows 2 to 5 and columns 2 to 5 of the picture.
  expect(column(crop, 0).slice(0, 5)).toEqual([18, 19, 20, 21, 26])
  expect(column(picture, 0)).toEqual(column(crop, 0))
  expect([column(crop, 1)[0], column(crop, 1)[15]]).toEqual([-1, 1])
  expect(column(picture, 1)[0]).toBeCloseTo(-1 + (2 * 2) / 7, 5)
})

function arm(name: string, accuracies: readonly number[], more?: Readonly<Record<string, number>>): FinishedArm {
  const results = accuracies.map((accuracy) => ({
    accuracy,
    loss: 0,
    trainAccuracy: accuracy + 0.02,
    parameters: 1000,
    steps: 1,
    seconds: 1,
    ...(more && { more }),
  }))
  return { name, title: name, lr: 0.01, tried: [], results }
}

describe('sentences follow the numbers', () => {
  const model = { name: 'vit', title: 'ViT', field: 4, settings: {}, rows: 1, make: () => undefined as never } as const

  test('permutation', () => {
    const same = arm('raw', [0.9, 0.92])
    expect(
      permutationFindings([
        { model, dependence: 2e-7, raw: same, permuted: same },
        { model, dependence: 0.5, raw: arm('raw', [0.9, 0.92]), permuted: arm('permuted', [0.5, 0.52]) },
        { model, dependence: 0.5, raw: arm('raw', [0.8, 0.9]), permuted: arm('permuted', [0.82, 0.86]) },
        { model, dependence: 0.5, raw: arm('raw', [0.8]), permuted: arm('permuted', [0.9]) },
      ]),
    ).toEqual([
      'ViT: 91.0 ± 1.4 %. The same network for raw and permuted pixels: untrained logits differ by 2.0e-7 at most, which is rounding, so one training stands for both.',
      'ViT: 91.0 ± 1.4 % raw, 51.0 ± 1.4 % permuted: 40.0 points lower.',
      'ViT: 85.0 ± 7.1 % raw, 84.0 ± 2.8 % permuted: no difference beyond the spread (1.0 points lower).',
      'ViT: 80.0 % raw, 90.0 % permuted: 10.0 points higher (one seed: may be chance).',
    ])
  })

  test('iterations', () => {
    expect(
      iterationFindings(
        [
          arm('interleaved-1', [0.7, 0.71]),
          arm('at-start-2', [0.72, 0.73]),
          arm('interleaved-2', [0.8, 0.81], { 1: 0.4, 2: 0.8 }),
          arm('unshared-2', [0.8, 0.82]),
        ],
        2,
      ),
    ).toEqual([
      'One cross attention, and 2 interleaved: 70.5 ± 0.7 % and 80.5 ± 0.7 %, 10.0 points higher.',
      '2 cross attentions at the start, and interleaved: 72.5 ± 0.7 % and 80.5 ± 0.7 %, 8.0 points higher.',
      '2 interleaved without sharing, and with shared weights: 81.0 ± 1.4 % and 80.5 ± 0.7 %, no difference beyond the spread (0.5 points lower).',
      'Sharing takes 1,000 parameters instead of 1,000; training is 2.0 points ahead of test with it and 2.0 without.',
      'Trained with 2 iterations and tried with other numbers of them, the same weights give 1: 40.0 ± 0.0 %, 2: 80.0 ± 0.0 %.',
    ])
  })

  test('positions and modalities', () => {
    expect(positionFindings([arm('mu-28', [0.8]), arm('learned', [0.7]), arm('none', [0.2])])).toEqual([
      'mu-28 80.0 %.',
      'Learned positions: 70.0 %; against mu-28, 80.0 %: 10.0 points lower (one seed: may be chance).',
      'Without positions: 20.0 %; against mu-28, 80.0 %: 60.0 points lower (one seed: may be chance).',
    ])
    expect(modalityFindings([arm('video', [0.6]), arm('both', [0.9], { tonesWithoutPicture: 0.5 })])).toEqual([
      'video 60.0 %',
      'both 90.0 %',
    ])
  })
})
