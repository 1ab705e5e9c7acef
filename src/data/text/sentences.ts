/** Cuts running text into sentences. */

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' })

/** After these a full stop ends no sentence. */
const abbreviation = /(?:^|[\s("'])(?:mr|mrs|ms|dr|messrs|st|hon|gen|col|capt|jr|sr|no|vs|[a-z])\.\s*$/i

/** Sentences in order, without the spaces around them: a line break always ends one; `Mr. Smith` does not. */
export function sentencesOf(text: string): string[] {
  return text.split(/\n+/).flatMap((line) => {
    const sentences: string[] = []
    let open = ''
    for (const { segment } of segmenter.segment(line)) {
      open += segment
      if (abbreviation.test(open)) continue
      sentences.push(open.trim())
      open = ''
    }
    if (open.trim()) sentences.push(open.trim())
    return sentences.filter((sentence) => sentence !== '')
  })
}
