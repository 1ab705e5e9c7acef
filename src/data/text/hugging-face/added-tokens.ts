/** The tokens that are found in a text before it is cut into words: special ones, and words that were added to a vocabulary. */
import { z } from 'zod'
import type { Normalizer } from './normalizers.ts'
import { escaped } from './settings.ts'

export const addedToken = z.looseObject({
  id: z.number(),
  content: z.string(),
  special: z.boolean().default(false),
  /** Whether it is looked for in the normalised text. Default: unless it is special. */
  normalized: z.boolean().optional(),
  /** Only found where no letter or digit stands beside it. */
  single_word: z.boolean().default(false),
  /** The white space before it, and after it, belongs to it. */
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
})

type AddedToken = z.infer<typeof addedToken>

/** A part of a text: the id of an added token, or a text between two, with the place in the whole that it starts at. */
export type Section = number | { readonly text: string; readonly start: number }

const wordBefore = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u
const wordAfter = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u
const isWhite = (text: string, at: number): boolean => /\p{White_Space}/u.test(text.charAt(at))

/** Whether the character that ends, or starts, at a place belongs to a word. */
const endsWord = (text: string, at: number): boolean => wordBefore.test(text.slice(Math.max(0, at - 2), at))
const startsWord = (text: string, at: number): boolean => wordAfter.test(text.slice(at, at + 2))

/** Finds tokens in a text; of those that start at a place, the longest. */
class Finder {
  readonly #tokens: ReadonlyMap<string, AddedToken>
  readonly #pattern: RegExp | undefined

  /** Tokens by how the text has them. */
  constructor(tokens: ReadonlyMap<string, AddedToken>) {
    this.#tokens = tokens
    const contents = [...tokens.keys()].filter((content) => content !== '').toSorted((a, b) => b.length - a.length)
    this.#pattern = contents.length > 0 ? new RegExp(contents.map(escaped).join('|'), 'g') : undefined
  }

  split(text: string): Section[] {
    if (text === '') return []
    if (!this.#pattern) return [{ text, start: 0 }]
    const sections: Section[] = []
    let last = 0
    for (const { index, 0: content } of text.matchAll(this.#pattern)) {
      const token = this.#tokens.get(content)
      let [start, end] = [index, index + content.length]
      if (!token || (token.single_word && (endsWord(text, start) || startsWord(text, end)))) continue
      while (token.lstrip && start > last && isWhite(text, start - 1)) start--
      while (token.rstrip && end < text.length && isWhite(text, end)) end++
      if (start > last) sections.push({ text: text.slice(last, start), start: last })
      sections.push(token.id)
      last = end
    }
    if (last < text.length) sections.push({ text: text.slice(last), start: last })
    return sections
  }
}

/** The added tokens of a vocabulary. */
export class AddedTokens {
  readonly #tokens: readonly AddedToken[]
  readonly #normalize: Normalizer
  readonly #asWritten: Finder
  readonly #normalized: Finder

  constructor(tokens: readonly AddedToken[], normalize: Normalizer) {
    const isNormalized = ({ normalized, special }: AddedToken): boolean => normalized ?? !special
    this.#tokens = tokens
    this.#normalize = normalize
    this.#asWritten = new Finder(
      new Map(tokens.filter((token) => !isNormalized(token)).map((token) => [token.content, token])),
    )
    this.#normalized = new Finder(
      new Map(tokens.filter(isNormalized).map((token) => [normalize(token.content), token])),
    )
  }

  /** Their ids and texts. */
  get contents(): readonly (readonly [id: number, content: string])[] {
    return this.#tokens.map(({ id, content }) => [id, content])
  }

  /** The texts of those that are special. */
  get special(): ReadonlySet<string> {
    return new Set(this.#tokens.filter(({ special }) => special).map(({ content }) => content))
  }

  /** Cuts a text at the tokens in it; what stands between is normalised. */
  split(text: string): Section[] {
    return this.#asWritten.split(text).flatMap((section) => {
      if (typeof section === 'number') return [section]
      const inner = this.#normalized.split(this.#normalize(section.text))
      return inner.map((part) => (typeof part === 'number' ? part : { ...part, start: section.start + part.start }))
    })
  }
}
