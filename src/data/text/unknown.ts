/** How much of a text a vocabulary does not know, in words. */
import { percent } from '../../util/words.ts'

/** A larger share gives a warning. */
const much = 0.05

/** The share of <unk> for the summary line; and a warning if it is large, which ends with what to do: `cure`. */
export interface UnknownTold {
  readonly part: string
  readonly warnings: string[]
}

/** Small shares with two decimals, larger ones in whole percent. */
const shown = (share: number): string => percent(share, share < 0.1 ? 2 : 0)

/** Describes the share of <unk> in one text. */
export function describeUnknown(share: number, cure: string): UnknownTold {
  const part = `${shown(share)} of the tokens are <unk>`
  return { part, warnings: share < much ? [] : [`${part}, which a model cannot tell apart: ${cure}`] }
}

/**
 * Describes it for the training text and the test text, which the vocabulary may cover less well. No `cure`: the vocabulary of a run
 * is fixed, and there was a warning about its training text when it was started.
 */
export function describeUnknownSides(
  shares: { readonly train: number; readonly test: number },
  cure?: string,
): UnknownTold {
  const train = describeUnknown(shares.train, cure ?? '')
  const test = `${shown(shares.test)} of those to test with`
  const isMuch = shares.test >= much && shares.train < much
  return {
    part: `${train.part}, ${test}`,
    warnings: isMuch
      ? [`${test} are <unk>, and few of those to train on: the vocabulary does not fit the text to test with`]
      : cure === undefined
        ? []
        : train.warnings,
  }
}
