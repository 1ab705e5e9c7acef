/** The special tokens of FNet's vocabulary, in the order of their ids: <unk> 0 ... [MASK] 6 (official SentencePiece model). */
export const specialTokens = ['<unk>', '<s>', '</s>', '<pad>', '[CLS]', '[SEP]', '[MASK]'] as const

/** The ids that models of text need. */
export interface SpecialIds {
  readonly unk: number
  readonly pad: number
  readonly cls: number
  readonly sep: number
  readonly mask: number
}

/** The names that vocabularies use for each of them: FNet's, then BERT's. */
export const specialNames: Readonly<Record<keyof SpecialIds, readonly string[]>> = {
  unk: ['<unk>', '[UNK]'],
  pad: ['<pad>', '[PAD]'],
  cls: ['[CLS]', '<s>'],
  sep: ['[SEP]', '</s>'],
  mask: ['[MASK]', '<mask>'],
}
