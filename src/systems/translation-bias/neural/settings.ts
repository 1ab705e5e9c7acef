/** Settings of the small neural translator, which the studies with it share. */
import { z } from 'zod'
import { whole } from '../../../train/settings.ts'
import type { TranslatorOptions } from './translator.ts'

export const translatorSettings = {
  width: whole.default(64).describe('of the vectors'),
  layers: whole.default(2).describe('of the encoder, and of the decoder'),
  heads: whole.default(4).describe('of each attention'),
  dropout: z.number().min(0).lt(1).default(0.1).describe('share of values that a training step drops'),
  steps: whole.default(1200).describe('of each training'),
  batch_size: whole.default(64).describe('sentences a step'),
  lr: z.number().positive().default(0.002).describe('highest learning rate'),
  weight_decay: z.number().min(0).default(0.01).describe('of matrices'),
  seeds: whole.default(3).describe('trainings of each translator'),
}

type TranslatorSettings = z.infer<z.ZodObject<typeof translatorSettings>>

/** The options of a training. */
export function translatorOptions(settings: TranslatorSettings, seed: number, threads?: number): TranslatorOptions {
  const { width, layers, heads, dropout, steps, batch_size, lr, weight_decay } = settings
  return {
    width,
    layers,
    heads,
    dropout,
    labelSmoothing: 0,
    steps,
    batchSize: batch_size,
    lr,
    weightDecay: weight_decay,
    seed,
    ...(threads !== undefined && { threads }),
  }
}
