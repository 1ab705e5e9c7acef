/** Copy (section 5.3 of the paper): a long sequence of symbols, to be said again. */
import { QuestionWriter, type World } from './text.ts'

/** Sizes of what is copied. */
export interface CopyOptions {
  /** Symbols of a sequence. */
  readonly length: number
  /** Different symbols. */
  readonly symbols: number
}

/**
 * Episodes of: random symbols, a mark, the same symbols again. Asked from the mark on, for the symbol that follows; the last symbol asks
 * nothing. Tokens: the symbols, the mark.
 */
export const copy: World<CopyOptions> = {
  generate: (length, draws, options) => {
    const text = new QuestionWriter(length)
    while (!text.isFull) {
      text.begin()
      const start = text.position
      const sequence = Array.from({ length: Math.min(options.length, length - start) }, () =>
        draws.integer(options.symbols),
      )
      for (const symbol of sequence) text.write(symbol)
      const said = [options.symbols, ...sequence]
      for (const [i, token] of said.entries()) {
        const answer = sequence[i]
        if (answer === undefined) text.write(token)
        else text.ask(token, answer, start + i)
      }
    }
    return text
  },
  names: ({ symbols }) => [...Array.from({ length: symbols }, (_, i) => `symbol ${i}`), 'mark'],
  classes: ({ symbols }) => symbols,
}
