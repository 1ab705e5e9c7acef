/** The class of an English translation by its pronoun, as study A reads it. */

/** What the tables of the study have in their cells: `?` is what could not be read. */
export type PronounClass = 'Female' | 'Male' | 'Neutral' | '?'

/** The words that decide. */
export interface PronounMarkers {
  readonly female: readonly string[]
  readonly male: readonly string[]
  readonly neuter: readonly string[]
}

export const officialMarkers: PronounMarkers = {
  female: ['she', "she's", 'her'],
  male: ['he', "he's", 'his'],
  neuter: ['it', "it's", 'its', 'they', "they're", 'them', 'who', 'this', 'that'],
}

/**
 * The official `get_gender`: lower case, split at white space, no punctuation taken off, so that "she." is not read, and "he or she" is
 * Female because women are looked for first.
 */
export function officialPronounClass(text: string, markers = officialMarkers): PronounClass {
  const lower = text.toLowerCase()
  const words = new Set(lower.split(/\s+/))
  const has = (list: readonly string[]): boolean => list.some((word) => words.has(word))
  if (has(markers.female) || lower.startsWith('that woman')) return 'Female'
  if (has(markers.male) || lower.startsWith('that man')) return 'Male'
  return has(markers.neuter) ? 'Neutral' : '?'
}
