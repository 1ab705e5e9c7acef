/** How much of a text a vocabulary does not know, told to people. */

/** A larger share is worth a warning. */
const much = 0.05

/** The share of <unk> for the line of an opening; and a warning if it is large, which ends in what to do: `cure`. */
export interface UnknownTold {
  readonly part: string
  readonly warnings: string[]
}

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 2 : 0)} %`

/** Tells the share of <unk> in one text. */
export function describeUnknown(share: number, cure: string): UnknownTold {
  const part = `${percent(share)} of the tokens are <unk>`
  return { part, warnings: share < much ? [] : [`${part}, which a model cannot tell apart: ${cure}`] }
}

/**
 * Tells it of the text to train on and of that to test with, of which the vocabulary may know less. No `cure`: the vocabulary of a run
 * is what it is, and its training text was warned about when it was started.
 */
export function describeUnknownSides(
  shares: { readonly train: number; readonly test: number },
  cure?: string,
): UnknownTold {
  const train = describeUnknown(shares.train, cure ?? '')
  const test = `${percent(shares.test)} of those to test with`
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
