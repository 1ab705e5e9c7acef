/** The studies of diffusion on tiny settings: parts, what is kept, sentences that follow the numbers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { writeNpz } from '../../../../src/io/npz.ts'
import type { Report } from '../../../../src/report/figures.ts'
import type { Job } from '../../../../src/systems/define.ts'
import { architecture, architectureFindings } from '../../../../src/systems/diffusion/jobs/architecture.ts'
import { noiseScale } from '../../../../src/systems/diffusion/jobs/bound.ts'
import { evaluate } from '../../../../src/systems/diffusion/jobs/evaluate.ts'
import { gan, ganFindings } from '../../../../src/systems/diffusion/jobs/gan.ts'
import { guidance, guidanceFindings } from '../../../../src/systems/diffusion/jobs/guidance.ts'
import { noise, noiseFindings } from '../../../../src/systems/diffusion/jobs/noise.ts'
import { stepFindings, steps } from '../../../../src/systems/diffusion/jobs/steps.ts'
import { verdictOf } from '../../../../src/systems/diffusion/jobs/study.ts'
import { upsampling } from '../../../../src/systems/diffusion/jobs/upsampling.ts'
import { runTiny as runTinyIn } from '../../../support/tiny-job.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-diffusion-jobs-'))
afterAll(() => rmSync(folder, { recursive: true }))

const runTiny = (job: Job, sets: readonly string[]) => runTinyIn(job, sets, folder)

/** The sentences of what was found. */
function paragraphsOf({ sections }: Report): readonly string[] {
  const [text] = sections[0]?.figures ?? []
  return text?.kind === 'text' ? text.paragraphs : []
}

const network = (name: string): string[] =>
  ['model_channels=4', 'num_groups=2', 'channel_mult=[1]', 'attention_resolutions=[]', 'num_head_channels=4'].map(
    (set) => `${name}.${set}`,
  )
const tiny = [
  'data.shrink=4',
  'data.examples=40',
  'data.judged=40',
  'data.real=20',
  'training.steps=2',
  'training.judge_steps=2',
  'training.batch_size=8',
  'diffusion.diffusion_steps=8',
  'measuring.samples=10',
  'measuring.seeds=1',
  ...network('denoiser'),
]
const withClassifier = ['training.classifier_steps=1', ...network('classifier')]

/** A setting with a Frechet distance and a share of pictures as asked. */
const measured = (frechet: number, precision: number, recall: number) => ({
  qualities: [{ frechet, precision, recall, accuracy: 0.5 }],
  seconds: [1],
  pictures: [],
})

const several = (...distances: readonly number[]) => ({
  ...measured(0, 0, 0),
  qualities: distances.flatMap((frechet) => measured(frechet, 0.5, 0.5).qualities),
})

describe('what was found follows the numbers', () => {
  test('guidance', () => {
    const of = (...points: [scale: number, frechet: number, precision: number, recall: number][]) =>
      guidanceFindings(
        points.map(([scale, frechet, precision, recall]) => ({
          model: 'conditional',
          scale,
          measured: measured(frechet, precision, recall),
        })),
      )[0]
    const traded = of([0, 5, 0.6, 0.8], [1, 3, 0.8, 0.6], [4, 9, 0.9, 0.2])
    expect(traded).toContain('diversity is traded for fidelity, as in the paper')
    expect(traded).toContain('lowest at 1 (3.00), in between, as in the paper')
    const not = of([0, 3, 0.6, 0.4], [1, 5, 0.5, 0.6])
    expect(not).toContain('the trade of diversity for fidelity is not seen')
    expect(not).toContain('lowest at 0 (3.00), at an end')
  })

  test('steps, gan, architecture', () => {
    const ways = [
      { way: 'learned', steps: 5, measured: measured(9, 0, 0) },
      { way: 'learned', steps: 50, measured: measured(2, 0, 0) },
      { way: 'ddim', steps: 5, measured: measured(4, 0, 0) },
    ] as const
    expect(stepFindings(ways)).toEqual([
      '5 steps: DDIM 4.00, ancestral, learned variance 9.00.',
      '50 steps: ancestral, learned variance 2.00.',
      'ancestral, learned variance: within a tenth of its lowest Frechet distance (2.00) from 50 steps on.',
      'DDIM: within a tenth of its lowest Frechet distance (4.00) from 5 steps on.',
    ])
    const rivals = [
      { name: 'diffusion', title: 'diffusion', measured: measured(4, 0.5, 0.5) },
      { name: 'gan', title: 'GAN', measured: measured(3, 0.5, 0.5) },
    ]
    expect(ganFindings(rivals)[0]).toContain('diffusion does not beat the GAN here')
    const noisy = { name: 'diffusion', title: 'diffusion', measured: several(2, 3.4) }
    expect(ganFindings([noisy, { name: 'gan', title: 'GAN', measured: several(3, 3.2) }])[0]).toContain(
      'by the distance there is no difference beyond the spread of the noise',
    )
    const networks = [
      { variant: 'base', errors: [0.05, 0.052] },
      { variant: 'heads', errors: [0.051, 0.0515] },
      { variant: 'all', errors: [0.04, 0.041] },
    ] as const
    const found = architectureFindings(
      networks.map((each) => ({ ...each, parameters: 1, seconds: [1], measured: measured(1, 1, 1) })),
    )
    expect(found[0]).toContain('no difference beyond the spread')
    expect(found[1]).toContain('base 0.0510: lower; Frechet')
  })

  test('noise', () => {
    const arm = (name: 'linear-simple' | 'cosine-simple', ...totals: readonly number[]) => ({
      arm: name,
      bounds: totals.map((total) => ({ terms: [], roots: [], total })),
      measured: measured(1, 1, 1),
      noise: {},
    })
    const text = 'L_simple with the linear schedule, and with the cosine'
    expect(noiseFindings([arm('linear-simple', 2), arm('cosine-simple', 1.5)])).toEqual([
      `${text}: 2.000 and 1.500 bits per dimension: lower (one training: may be chance). The paper: lower (3.77 and 3.68).`,
    ])
    expect(noiseFindings([arm('linear-simple', 2, 2.1), arm('cosine-simple', 1.5, 1.6)])).toEqual([
      `${text}: 2.050 ± 0.071 and 1.550 ± 0.071 bits per dimension: lower. The paper: lower (3.77 and 3.68).`,
    ])
    expect(noiseFindings([arm('linear-simple', 2, 3), arm('cosine-simple', 1.9, 2.9)])[0]).toContain(
      'bits per dimension: no difference beyond the spread. The paper: lower',
    )
  })

  test('a verdict is lower, higher, nothing beyond the spread, or perhaps chance', () => {
    expect(verdictOf([1], [2])).toBe('lower (one training: may be chance)')
    expect(verdictOf([3], [2, 2], 'seed')).toBe('higher (one seed: may be chance)')
    expect(verdictOf([3, 3.1], [2, 2.1])).toBe('higher')
    expect(verdictOf([2, 3], [2.1, 3.1])).toBe('no difference beyond the spread')
  })
})

test('gradient noise: of gradients 3 and 5 with batches of 10, and where it drowns', () => {
  // Mean 4, variance 2: |G|^2 is 16 less what noise adds, 1; 10 x 2 / 15.
  const found = noiseScale(Float64Array.of(4), { squares: (9 + 25) / 2, count: 2, batchSize: 10 })
  expect(found).toEqual({ scale: expect.closeTo(20 / 15, 6), isSeen: true })
  // 1 and -1.2: the mean's length is noise.
  const drowned = noiseScale(Float64Array.of(-0.1), { squares: (1 + 1.44) / 2, count: 2, batchSize: 10 })
  expect(drowned).toEqual({ scale: expect.closeTo(2420, 6), isSeen: false })
})

describe('jobs', () => {
  test('guidance: every scale of both denoisers, and everything is kept', async () => {
    const sets = [...tiny, ...withClassifier, 'conditional=[0,2]', 'unconditional=[1]', 'sampling_steps=2']
    const { report, parts } = await runTiny(guidance, sets)
    const names = ['networks/judge', 'networks/classifier', 'networks/conditional']
      .concat(['drawn/conditional-0-0', 'drawn/conditional-2-0', 'networks/unconditional'])
      .concat(['drawn/unconditional-1-0', 'drawn/real-0'])
    expect(parts).toEqual(names.map((name) => `new ${name}`))
    expect(report.sections.map(({ title }) => title)).toEqual(['What was found', 'The pictures', 'Every number'])
    const again = await runTiny(guidance, sets)
    expect(again.parts).toEqual(names)
    expect(again.report).toEqual(report)
  })

  test('steps: ways and numbers of steps', async () => {
    const { parts } = await runTiny(steps, [...tiny, 'steps=[2,9]'])
    expect(parts.filter((part) => part.includes('drawn')).map((part) => part.replace('new drawn/', ''))).toEqual([
      'learned-2-0',
      'ddim-2-0',
      'fixed-2-0',
      'real-0',
    ])
  })

  test('jobs share the networks of a folder', async () => {
    const networks = `training.networks=${join(folder, 'networks')}`
    const first = await runTiny(guidance, [
      ...tiny,
      ...withClassifier,
      networks,
      'conditional=[0]',
      'unconditional=[0]',
    ])
    const second = await runTiny(steps, [...tiny, networks, 'steps=[2]'])
    const trained = (parts: readonly string[]) => parts.filter((part) => part.includes('networks/'))
    expect(trained(first.parts)).toEqual(
      ['judge', 'classifier', 'conditional', 'unconditional'].map((name) => `new networks/${name}`),
    )
    // The denoiser that both have is called `learned` here.
    expect(trained(second.parts)).toEqual(['networks/judge', 'networks/learned', 'new networks/fixed'])
  })

  test('noise: the bound and the gradients of a network', async () => {
    const arms = 'arms=["cosine-simple","cosine-vlb-importance"]'
    const few = ['pictures_per_time=2', 'gradient_batches=2', 'sampling_steps=2']
    const { report, parts } = await runTiny(noise, [...tiny, arms, ...few])
    expect(parts.filter((part) => part === 'new cosine-vlb-importance')).toHaveLength(4)
    expect(report.summary[0]?.label).toBe('lowest bound')
    expect(paragraphsOf(report).at(-1)).toBe(
      'One training of each network: what differs between networks may be chance.',
    )
    const twice = await runTiny(noise, [...tiny, 'arms=["cosine-hybrid"]', ...few, 'trainings=2'])
    // The bound of both trainings, the three gradients of the first one; the judge and the real pictures are known.
    const made = ['networks/cosine-hybrid', ...new Array<string>(4).fill('cosine-hybrid'), 'drawn/cosine-hybrid-0']
      .concat(['networks/cosine-hybrid-1', 'cosine-hybrid', 'drawn/cosine-hybrid-1-0'])
      .map((name) => `new ${name}`)
    expect(twice.parts).toEqual(['networks/judge', ...made, 'drawn/real-0'])
    expect(paragraphsOf(twice.report).join()).not.toContain('One training')
    expect(twice.report.summary[0]?.value).toMatch(/^\S+ ± \S+ bits$/)
  })

  test('architecture: trainings of each network', async () => {
    const { report } = await runTiny(architecture, [
      ...tiny,
      'variants=["base","addition"]',
      'trainings=1',
      'sampling_steps=2',
    ])
    expect(report.summary).toHaveLength(1)
  })

  test('gan: as many seconds as the denoiser', async () => {
    const sets = [...tiny, ...withClassifier, 'channels=4', 'discriminator_channels=4', 'most_steps=2']
    const { report, parts } = await runTiny(gan, [...sets, 'sampling_steps=2', 'data.shrink=2'])
    expect(parts).toContain('new networks/gan')
    expect(report.summary.map(({ label }) => label)).toEqual(['diffusion', 'diffusion, guided (scale 1)', 'GAN'])
  })

  test('upsampling: small pictures made larger', async () => {
    const sets = [...tiny, ...withClassifier, ...network('small'), ...network('small_classifier'), 'small_steps=1']
    const { report } = await runTiny(upsampling, [...sets, 'factor=7', 'data.shrink=2', 'sampling_steps=2'])
    expect(report.summary).toHaveLength(4)
  })

  test('evaluate: pictures of a file, by the features of a network trained here', async () => {
    const file = join(folder, 'samples.npz')
    const data = Uint8Array.from({ length: 12 * 28 * 28 }, (_, i) => (i * 37) % 256)
    writeFileSync(file, writeNpz([['arr_0', { dtype: 'uint8', shape: [12, 28, 28, 1], data }]]))
    const { report } = await runTiny(evaluate, [`samples=${file}`, 'count=12', 'judge_steps=1'])
    expect(report.summary.map(({ label }) => label)).toEqual(['Frechet distance', 'precision', 'recall'])
    await expect(runTiny(evaluate, [])).rejects.toThrow('evaluate: samples must name a run of diffusion/denoiser')
  })
})
