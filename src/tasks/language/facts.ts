/** What is known of the pre-training data when the model is built: kept in `run.json`. */
import { z } from 'zod'
import { whole } from '../../train/settings.ts'

/** What is known of the data when the model is built. */
export const pretrainingFacts = z.object({
  tokenizer: z.looseObject({ model: z.looseObject({}) }),
  vocab_size: whole,
  max_seq_length: whole,
  max_predictions_per_seq: whole,
  documents: whole,
  characters: whole,
  tokens: whole,
  baselines: z.object({
    unigram: z.object({ accuracy: z.number(), loss: z.number() }),
    bigram: z.object({ accuracy: z.number(), loss: z.number() }),
  }),
})

export type PretrainingFacts = z.infer<typeof pretrainingFacts>
