/** Language pre-training: the body that the other recipes freeze (paper, Section 2.2: GPT-2, trained on text). */
import { z } from 'zod'
import { UsageError } from '../../../util/errors.ts'
import { defineRecipe, type Start } from '../../define.ts'
import { readBodyFile, requireFileOfHeads } from '../start.ts'
import { type LanguageFacts, languageFacts } from './codec.ts'
import { continueLanguage } from './continue.ts'
import { languageDataSettings, openLanguage, tokenSettings } from './data.ts'
import { buildLanguage, languageMetrics } from './experiment.ts'
import {
  languageModelSettings,
  languageOptimizerSettings,
  languageStartSettings,
  languageTrainSettings,
} from './settings.ts'

const config = z.strictObject({
  data: languageDataSettings.prefault({}),
  tokens: tokenSettings.prefault({}),
  pretrained: languageStartSettings.prefault({}),
  model: languageModelSettings.prefault({}),
  optimizer: languageOptimizerSettings.prefault({}),
  train: languageTrainSettings.prefault({}),
})

type LanguageRecipe = z.infer<typeof config>

/** The GPT-2 of the settings, with the sizes of its file. */
async function readStart({
  pretrained: { checkpoint, heads },
  tokens,
}: LanguageRecipe): Promise<Start<LanguageRecipe, LanguageFacts> | undefined> {
  requireFileOfHeads(checkpoint, heads)
  if (!checkpoint) return undefined
  if (!tokens.file)
    throw new UsageError('pretrained.checkpoint needs the vocabulary that it was trained with', {
      hint: '--set tokens.file=tokenizer.json',
    })
  const { config: body, weights } = await readBodyFile(checkpoint, heads)
  if (body.kind !== 'gpt2') throw new UsageError(`${checkpoint} must hold a GPT-2, found a ${body.kind}`)
  const { n_embd, n_layer, n_head, n_positions = 1024, n_inner, vocab_size = 0 } = body
  return {
    fit: (chosen, facts) => {
      if (facts.vocab_size > vocab_size)
        throw new UsageError(
          `${tokens.file} has ${facts.vocab_size} tokens, but ${checkpoint} has embeddings for ${vocab_size}`,
          { hint: 'give the vocabulary of this model' },
        )
      // Windows are as long as the settings say, so a long model reads the first of its positions.
      const model = {
        ...chosen.model,
        embedding_size: n_embd,
        n_layer,
        n_head,
        n_positions,
        n_inner: n_inner ?? 0,
        vocab_size,
      }
      return {
        config: { ...chosen, model },
        weights: new Map([...weights].map(([name, array]) => [`transformer.${name}`, array])),
        summary: `GPT-2 of ${checkpoint}: ${n_layer} layers of width ${n_embd}`,
      }
    },
  }
}

/** A small GPT-2 on real text. */
export const languageRecipe = defineRecipe({
  name: 'pretrain',
  summary:
    'a GPT-2 learns language from Moby-Dick (npx tenfold data moby-dick) or any text (--set data.folder=PATH): a body to freeze',
  config,
  facts: languageFacts,
  metrics: languageMetrics,
  start: readStart,
  open: (settings, { known }) => openLanguage(settings, settings.model.n_positions, known),
  build: buildLanguage,
  uses: { continue: continueLanguage },
})
