/** The settings of language pre-training. */
import { z } from 'zod'
import { optimizerSettings, trainSettings } from '../../../tasks/settings.ts'
import { count, pathSetting, whole } from '../../../train/settings.ts'

/** A GPT-2, under the names that the settings of frozen bodies have. */
export const languageModelSettings = z.strictObject({
  embedding_size: whole.default(128).describe('width (smallest published GPT-2: 768)'),
  n_layer: whole.default(4).describe('layers (12)'),
  n_head: whole.default(4).describe('heads of the attention (12)'),
  n_positions: whole.default(128).describe('tokens that it sees at once (1024), and so the longest task of its body'),
  n_inner: count.default(0).describe('hidden width of its feed-forward layers; 0: four times its width'),
  vocab_size: count.default(0).describe('rows of its word embedding; 0: as many as there are tokens'),
  dropout: z.number().min(0).lt(1).default(0).describe('in training (published: 0.1)'),
  initializer_range: z
    .number()
    .positive()
    .default(0.02)
    .describe('standard deviation with which matrices begin (published: 0.02)'),
})

export type LanguageModelSettings = z.infer<typeof languageModelSettings>

/** Weights to go on from. */
export const languageStartSettings = z.strictObject({
  checkpoint: pathSetting(
    'a GPT-2 in a file (.safetensors, .bin, .pt), which decides the sizes; it needs its vocabulary: tokens.file=tokenizer.json',
  ),
  heads: count.default(0).describe('heads of its attention; 0: as many as are 64 wide'),
})

export const languageOptimizerSettings = optimizerSettings({
  name: 'adamw',
  lr: 2e-3,
  schedule: 'cosine',
  warmup_share: 0.05,
  weight_decay: 0.1,
  decayed: 'matrices',
  betas: [0.9, 0.99],
})

export const languageTrainSettings = trainSettings({
  epochs: 6,
  batch_size: 16,
  evaluate_every: 250,
  checkpoint_every: 250,
  monitor: ['bits_per_character', 'loss'],
})
