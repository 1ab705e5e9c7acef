/** Cuts running text into sentences. */

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' })

/** After these a full stop does not end a sentence. */
const abbreviation = /(?:^|[\s("'])(?:mr|mrs|ms|dr|messrs|st|hon|gen|col|capt|jr|sr|no|vs|[a-z])\.\s*$/i

/**
 * Sentences in order, without the spaces around them. A line break always ends one; `Mr.` does not, nor does anything before a
 * small letter (`"No!" said he`).
 */
export function sentencesOf(text: string): string[] {
  return text.split(/\n+/).flatMap((line) => {
    const sentences: string[] = []
    for (const { segment } of segmenter.segment(line)) {
      const last = sentences.length - 1
      const before = sentences[last]
      if (before !== undefined && (abbreviation.test(before) || /^\p{Ll}/u.test(segment))) {
        sentences[last] = before + segment
      } else if (segment.trim() !== '') {
        sentences.push(segment)
      }
    }
    return sentences.map((sentence) => sentence.trim())
  })
}
