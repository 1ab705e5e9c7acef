/** How much of a text a vocabulary does not know, told to people. */

/** A larger share is worth a warning. */
const much = 0.05

/** The share of <unk> for the line of an opening; and a warning if it is large, which ends in what to do: `cure`. */
export function describeUnknown(share: number, cure: string): { readonly part: string; readonly warnings: string[] } {
  const part = `${(100 * share).toFixed(share < 0.1 ? 2 : 0)} % of the tokens are <unk>`
  return { part, warnings: share < much ? [] : [`${part}, which a model cannot tell apart: ${cure}`] }
}
