/** The most probable entries, best first. */
export function topChoices(
  probabilities: readonly number[],
  label: (index: number) => string,
  top: number,
): { readonly label: string; readonly probability: number }[] {
  return probabilities
    .map((probability, index) => ({ index, probability }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, top)
    .map(({ index, probability }) => ({ label: label(index), probability }))
}
