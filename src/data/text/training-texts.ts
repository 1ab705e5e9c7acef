/** The texts that a vocabulary is learned from. */
import { requireText, shown } from '../../util/check.ts'
import { UsageError } from '../../util/errors.ts'

/** Several texts. A single string is refused: it would be as many texts as it has characters. */
export type Texts = Iterable<string> & object

/** The texts, one after the other. Throws a UsageError for a single string, and for what is no text. */
export function* eachText(owner: string, texts: Texts): Generator<string> {
  if (typeof texts !== 'object' || texts === null || !(Symbol.iterator in texts)) {
    throw new UsageError(`${owner}: texts must be a list of strings, found ${shown(texts)}`, {
      ...(typeof texts === 'string' && { hint: 'a single text goes into brackets: [text]' }),
    })
  }
  let index = 0
  for (const text of texts) {
    requireText(owner, `text ${index++}`, text, UsageError)
    yield text
  }
}
