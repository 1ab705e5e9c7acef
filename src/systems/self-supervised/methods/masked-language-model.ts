/** Masked language model (Devlin et al. 2018, arXiv 1810.04805): hidden words are predicted from the others. */
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Declaration } from '../config.ts'

export const maskedLanguageModel = {
  name: 'masked-language-model',
  title: 'Masked language model',
  paper: 'Devlin et al. 2018, arXiv 1810.04805',
  architecture: 'predictive',
  remedy: 'contrastive',
  energy: '-logit of the word at the hidden place',
  loss: 'cross-entropy: the energy of the word plus log sum exp(-energy) of all words',
  collapse: 'the softmax pushes up every other word of the vocabulary',
} as const satisfies Declaration

/** The published recipe. */
const maskedLanguageModelDefaults = {
  mlm_probability: 0.15,
  mask_share: 0.8,
  random_share: 0.1,
} as const

/** What a loss passes over. */
const ignored = -100

/** Names of transformers' DataCollatorForLanguageModeling. */
export interface MaskingConfig {
  readonly mlm_probability: number
  readonly mask_token_id: number
  /** Ids that are never hidden. */
  readonly special_token_ids: readonly number[]
}

/** Chance, drawn before: uniform numbers that decide which tokens are hidden and how, and words to put in their place; all [N, L]. */
export interface MaskingDraws {
  readonly u_select: Tensor
  readonly u_kind: Tensor
  readonly random_words: Tensor
}

/** Token ids with some hidden, and the labels of these: the ids, -100 elsewhere. ids int [N, L]. */
export function maskTokens(
  ids: Tensor,
  { u_select, u_kind, random_words }: MaskingDraws,
  { mlm_probability, mask_token_id, special_token_ids }: MaskingConfig,
): { readonly inputIds: Tensor; readonly labels: Tensor } {
  const { mask_share, random_share } = maskedLanguageModelDefaults
  const isSpecial = special_token_ids.map((id) => ops.equal(ids, id)).reduce(ops.logicalOr, ops.notEqual(ids, ids))
  const isHidden = ops.logicalAnd(ops.less(u_select, mlm_probability), ops.logicalNot(isSpecial))
  const isMasked = ops.logicalAnd(isHidden, ops.less(u_kind, mask_share))
  const isReplaced = ops.logicalAnd(isHidden, ops.less(u_kind, mask_share + random_share))
  const changed = ops.where(isReplaced, random_words, ids)
  return { inputIds: ops.where(isMasked, mask_token_id, changed), labels: ops.where(isHidden, ids, ignored) }
}

/** The mean over hidden places of -log p(word): logits [N, L, V], labels int [N, L]. */
export function maskedLanguageModelLoss(logits: Tensor, labels: Tensor): Tensor {
  const [n, length, words] = logits.sizes(3)
  return ops.crossEntropy(ops.reshape(logits, [n * length, words]), ops.reshape(labels, [n * length]), {
    ignoreIndex: ignored,
  })
}
