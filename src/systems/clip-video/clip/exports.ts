/** The two towers of a mini CLIP as model files. */
import type { Exportable } from '../../../tasks/define.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { type CLIP, unit } from '../model.ts'
import type { PairFacts } from '../pairs/open.ts'
import type { ClipSettings } from '../settings.ts'
import { ofBytes } from './encoders.ts'

/** What is exported. */
export interface ClipParts {
  readonly model: CLIP
  readonly facts: PairFacts
  readonly settings: ClipSettings
  readonly see: (pictures: Tensor) => Tensor
}

/** `image`: uint8 [batch, 3, size, size] -> `embedding`; `text`: int32 [batch, context_length] -> `embedding`; both of length 1. */
export function clipExports({ model, facts, settings, see }: ClipParts): Record<string, () => Exportable> {
  const { size, tokens } = facts
  return {
    image: (): Exportable<'image'> => ({
      inputs: { image: { dtype: 'uint8', shape: [1, 3, size, size] } },
      forward: ({ image }) => ({
        embedding: unit(see(ofBytes(image))),
      }),
      metadata: {
        preprocessing: JSON.stringify({
          input: 'image',
          layout: 'NCHW',
          dtype: 'uint8',
          range: [0, 255],
          size: [size, size],
          channels: 3,
          normalization: 'inside the model: x / 255, then mean and deviation of CLIP',
        }),
      },
    }),
    text: (): Exportable<'tokens'> => ({
      inputs: { tokens: { dtype: 'int32', shape: [1, settings.context_length] } },
      forward: ({ tokens: rows }) => ({ embedding: unit(model.encodeText(rows)) }),
      metadata: {
        vocabulary: JSON.stringify(tokens),
        tokens: 'rows of `vocabulary`, which lists ids of bpe_simple_vocab_16e6: start, tokens, end, zeros',
      },
    }),
  }
}
