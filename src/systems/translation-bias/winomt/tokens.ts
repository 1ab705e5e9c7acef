/** Words and punctuation apart, as the tokenizers of spaCy do it that the gender rules see. */

const opening = /^(?:\.\.\.|…|[,:;!?¿¡([{<*&"'“”„‚‘’«»`§%=—–+$€£#])/u
const closing = /(?:\.\.\.|…|[,:;!?)\]}>*&"'“”„‚‘’«»`%—–]|(?<=[\p{L}\p{N}%²"'“”’)\]])\.|(?<=\d)\+)$/u

/** Where a word is split inside: `word--word`, `word,word`, `end.Begin`, quotes and brackets between letters. */
const inside = /(\.\.+|…|(?<=\p{L})(?:--|——|[,!?:<>="“”„«»()[\]])(?=\p{L})|(?<=\p{Ll})\.(?=\p{Lu})|(?<=\d)[-–](?=\d))/u

/** Between letters: split in Hebrew, not in German. */
const hyphen = /((?<=\p{L})[-–—־](?=\p{L}))/u

/** Words that end in a full stop of their own. */
const abbreviation = /^(?:\p{L}\.)+$|^(?:Dr|Prof|Hr|Fr|St|Nr|bzw|usw|etc|ca|evtl|ggf|inkl|vgl|Str|Mr|Mrs|Ms)\.$/u

/** Splits a text. `hyphens`: whether a hyphen between letters is a token of its own. */
export function spacyTokens(text: string, { hyphens = false } = {}): string[] {
  return text
    .split(/\s+/)
    .filter(Boolean)
    .flatMap((chunk) => chunkTokens(chunk, hyphens))
}

function chunkTokens(chunk: string, hyphens: boolean): string[] {
  const [before, after]: [string[], string[]] = [[], []]
  let rest = chunk
  for (;;) {
    if (abbreviation.test(rest)) break
    const [first] = opening.exec(rest) ?? []
    const [last] = first ? [] : (closing.exec(rest) ?? [])
    if (first) before.push(first)
    if (last) after.unshift(last)
    if (!first && !last) break
    rest = first ? rest.slice(first.length) : rest.slice(0, -(last ?? '').length)
  }
  const split = abbreviation.test(rest) ? [rest] : rest.split(inside)
  const parts = hyphens ? split.flatMap((part) => part.split(hyphen)) : split
  return [...before, ...parts, ...after].filter(Boolean)
}
