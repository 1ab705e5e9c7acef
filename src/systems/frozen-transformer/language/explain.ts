/** What language pre-training shows: how well it went beside counting, and which characters of held-out text cost how much. */
import { compile } from '../../../compile/compile.ts'
import type { Dataset } from '../../../data/dataset.ts'
import type { GPT2LMHeadModel } from '../../../models/gpt2.ts'
import * as ops from '../../../ops/index.ts'
import type { BarPlot, Section, ShadedText } from '../../../report/figures.ts'
import { toNumbers } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { MetricsLine } from '../../../train/store.ts'
import { codecOf, type LanguageFacts } from './codec.ts'
import type { LanguageFields } from './data.ts'

/** Bits of a character, by the model and by what it is compared with. */
function comparison({ baselines }: LanguageFacts, own: number): BarPlot {
  return {
    kind: 'bars',
    title: 'Bits of a character',
    caption:
      'Of the held-out text. Counting sees the same training text as the model; PPM blends contexts of up to five characters; Brotli compresses the held-out text alone.',
    value: { label: 'bits per character' },
    bars: [
      { label: 'unigram', value: baselines.unigram },
      { label: 'bigram', value: baselines.bigram },
      { label: 'Brotli', value: baselines.brotli },
      { label: 'PPM, order 5', value: baselines.ppm },
      { label: 'this model', value: own },
    ],
  }
}

/** The first test window, each token shaded by what it cost. */
async function shadedText(
  model: GPT2LMHeadModel,
  facts: LanguageFacts,
  test: Dataset<LanguageFields>,
): Promise<ShadedText> {
  model.eval()
  const { input, target } = await test.batch([0], { epoch: 0, seed: 0 })
  const run = compile((ids: Tensor, next: Tensor) => {
    const logits = model.forward(ids)
    return ops.crossEntropy(ops.reshape(logits, [-1, sizeOf(logits.shape, -1)]), ops.reshape(next, [-1]), {
      reduction: 'none',
    })
  })
  const nats = toNumbers((await run(input, target)).array.data)
  await run.release()
  const { decode } = codecOf(facts)
  return {
    kind: 'shaded',
    title: 'What was hard to guess',
    caption: 'Held-out text; the full shade is a token that cost 8 bits.',
    pieces: toNumbers(target.data).map((token, i) => ({
      text: decode([token]),
      value: Math.min(8, (nats[i] ?? 0) / Math.LN2),
    })),
    most: 8,
  }
}

/** Sections of the report. */
export async function explainLanguage(
  model: GPT2LMHeadModel,
  facts: LanguageFacts,
  test: Dataset<LanguageFields>,
  metrics: readonly MetricsLine[],
): Promise<Section[]> {
  const own = metrics.flatMap((line) => ('bits_per_character' in line ? Number(line.bits_per_character) : [])).at(-1)
  return [
    {
      title: 'Language',
      figures: [...(own === undefined ? [] : [comparison(facts, own)]), await shadedText(model, facts, test)],
    },
  ]
}
