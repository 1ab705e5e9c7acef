/** A GPT-2 that learns language: training, evaluation in bits of a character, export. */
import { compile } from '../../../compile/compile.ts'
import type { BatchTensors, Dataset } from '../../../data/dataset.ts'
import { DataLoader } from '../../../data/loader.ts'
import { GPT2LMHeadModel } from '../../../models/gpt2.ts'
import * as ops from '../../../ops/index.ts'
import type { Exportable, MetricDescriptions } from '../../../tasks/define.ts'
import type { BuildOptions, Experiment, ThreadOptions } from '../../../tasks/experiment.ts'
import type { OptimizerSettings, TrainSettings } from '../../../tasks/settings.ts'
import { trainable } from '../../../tasks/training.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { LanguageFacts } from './codec.ts'
import type { LanguageFields, OpenedLanguage } from './data.ts'
import { explainLanguage } from './explain.ts'
import type { LanguageModelSettings } from './settings.ts'

const bits = { goal: 'min', unit: 'bits' } as const

/** Bits that a character of the test text costs: by the model, by counting, by a compressor; the loss is that of a token. */
export const languageMetrics = {
  bits_per_character: bits,
  loss: { goal: 'min', unit: 'nats' },
  unigram_bits: { ...bits, constant: true },
  bigram_bits: { ...bits, constant: true },
  ppm_bits: { ...bits, constant: true },
  brotli_bits: { ...bits, constant: true },
} as const satisfies MetricDescriptions

/** What building and training use. */
export interface LanguageConfig {
  readonly model: LanguageModelSettings
  readonly optimizer: OptimizerSettings
  readonly train: TrainSettings
}

/** A trained language model with its vocabulary. */
export interface TrainedLanguage {
  readonly model: GPT2LMHeadModel
  readonly facts: LanguageFacts
}

/** The losses of the next tokens, [N L]. */
function losses(model: GPT2LMHeadModel, { input, target }: BatchTensors<LanguageFields>): Tensor {
  const logits = model.forward(input) // [N, L, V]
  return ops.crossEntropy(ops.reshape(logits, [-1, sizeOf(logits.shape, -1)]), ops.reshape(target, [-1]), {
    reduction: 'none',
  })
}

/** Reads windows, each from its beginning. */
function languageEvaluator({ baselines, characters_per_token }: LanguageFacts) {
  return (model: GPT2LMHeadModel, options: ThreadOptions) => {
    const run = compile((batch: BatchTensors<LanguageFields>) => ops.sum(losses(model, batch)), options)
    return async (data: Dataset<LanguageFields>) => {
      let nats = 0
      await model.inEvalMode(async () => {
        for await (const batch of new DataLoader(data, { batchSize: Math.min(32, data.length) }))
          nats += (await run(batch)).item()
      })
      const [length = 1] = data.fields.input.shape
      const loss = nats / (data.length * length)
      const { unigram, bigram, ppm, brotli } = baselines
      const counted = { unigram_bits: unigram, bigram_bits: bigram, ppm_bits: ppm, brotli_bits: brotli }
      return { metrics: { bits_per_character: loss / Math.LN2 / characters_per_token, loss, ...counted } }
    }
  }
}

/** The model of the settings for a vocabulary. */
function languageModel(settings: LanguageModelSettings, vocabSize: number): GPT2LMHeadModel {
  const { embedding_size, n_layer, n_head, n_positions, n_inner, vocab_size, dropout, initializer_range } = settings
  return new GPT2LMHeadModel({
    n_embd: embedding_size,
    n_layer,
    n_head,
    n_positions,
    n_inner: n_inner || null,
    vocab_size: vocab_size || vocabSize,
    initializer_range,
    embd_pdrop: dropout,
    attn_pdrop: dropout,
    resid_pdrop: dropout,
  })
}

/** The experiment of language pre-training. */
export function buildLanguage(config: LanguageConfig, facts: LanguageFacts, options: BuildOptions) {
  const { score, ...trained } = trainable({
    make: () => languageModel(config.model, facts.vocab_size),
    config,
    metrics: languageMetrics,
    options,
    scalars: (model, batch: BatchTensors<LanguageFields>) => ({ loss: ops.mean(losses(model, batch)) }),
    meansOfExamples: true,
    evaluator: languageEvaluator(facts),
  })
  const { model } = trained
  return {
    ...trained,
    facts,
    exports: { model: () => exportLanguage(model, facts) },
    explain: async ({ test }: OpenedLanguage, metrics) => explainLanguage(model, facts, test, metrics),
  } satisfies Experiment<OpenedLanguage> & TrainedLanguage
}

/** `input_ids` int32 [batch, n_positions] -> `logits` [batch, n_positions, vocabulary]. */
function exportLanguage(model: GPT2LMHeadModel, { characters }: LanguageFacts): Exportable<'input_ids'> {
  model.eval()
  return {
    inputs: { input_ids: { dtype: 'int32', shape: [1, model.maxTokens] } },
    forward: ({ input_ids }) => ({ logits: model.forward(input_ids) }),
    metadata: { ...(characters && { characters: JSON.stringify(characters) }) },
  }
}
