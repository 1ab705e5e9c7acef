/** The decoders of `tokenizer.json`, each by the rules of the Python library `tokenizers`. */
import { z } from 'zod'
import { bytesOfCharacters } from './byte-characters.ts'
import { metaspaceOf } from './pre-tokenizers.ts'
import { type Makers, type Part, partOf, partsOf, patternOf, patternSetting, settingsOf } from './settings.ts'

/** Tokens as the parts of a text, one after the other. */
export type Decoder = (tokens: readonly string[]) => readonly string[]

const each =
  (change: (token: string, i: number) => string): Decoder =>
  (tokens) =>
    tokens.map(change)

function bpeDecoder(settings: Part): Decoder {
  const { suffix } = settingsOf(z.object({ suffix: z.string() }), settings, 'decoder BPEDecoder:')
  return (tokens) => tokens.map((token, i) => token.replaceAll(suffix, i === tokens.length - 1 ? '' : ' '))
}

/** A token that is not written in GPT-2's characters stands for its own bytes. */
const byteLevel: Decoder = (tokens) => {
  const bytes = tokens.flatMap((token) => bytesOfCharacters(token) ?? [...new TextEncoder().encode(token)])
  return [new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes))]
}

/** Bytes are tokens such as `<0xE2>`; those that are no text are unknown characters. */
const byteFallback: Decoder = (tokens) => {
  const parts: string[] = []
  let bytes: number[] = []
  const write = (): void => {
    if (bytes.length > 0) parts.push(textOf(bytes))
    bytes = []
  }
  for (const token of tokens) {
    const [, byte] = /^<0x([\da-f]{2})>$/i.exec(token) ?? []
    if (byte !== undefined) bytes.push(Number.parseInt(byte, 16))
    else {
      write()
      parts.push(token)
    }
  }
  write()
  return parts
}

function textOf(bytes: readonly number[]): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes))
  } catch {
    return '\ufffd'.repeat(bytes.length)
  }
}

const cleanups: readonly (readonly [string, string])[] = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [' do not', " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
]

/** Takes away the spaces that English has not. */
const cleaned = (text: string): string => cleanups.reduce((result, [from, to]) => result.replaceAll(from, to), text)

function wordPiece(settings: Part): Decoder {
  const fields = z.object({ prefix: z.string(), cleanup: z.boolean() })
  const { prefix, cleanup } = settingsOf(fields, settings, 'decoder WordPiece:')
  return each((token, i) => {
    const joined = i === 0 ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`
    return cleanup ? cleaned(joined) : joined
  })
}

function metaspace(settings: Part): Decoder {
  const { mark, prepend } = metaspaceOf(settings, 'decoder Metaspace:')
  return each((token, i) => token.replaceAll(mark, i === 0 && prepend !== 'never' ? '' : ' '))
}

function ctc(settings: Part): Decoder {
  const fields = z.object({ pad_token: z.string(), word_delimiter_token: z.string(), cleanup: z.boolean() })
  const { pad_token, word_delimiter_token, cleanup } = settingsOf(fields, settings, 'decoder CTC:')
  return (tokens) =>
    tokens
      .filter((token, i) => token !== tokens[i - 1])
      .map((token) => token.replaceAll(pad_token, ''))
      .map((token) => (cleanup ? cleaned(token).replaceAll(word_delimiter_token, ' ') : token))
      .filter((token) => token !== '')
}

function replace(settings: Part): Decoder {
  const fields = z.object({ pattern: patternSetting, content: z.string() })
  const { pattern, content } = settingsOf(fields, settings, 'decoder Replace:')
  const found = patternOf(pattern)
  return each((token) => token.replace(found, () => content))
}

function strip(settings: Part): Decoder {
  const fields = z.object({ content: z.string(), start: z.number(), stop: z.number() })
  const { content, start, stop } = settingsOf(fields, settings, 'decoder Strip:')
  return each((token) => {
    const characters = [...token]
    let [first, last] = [0, characters.length]
    while (first < Math.min(start, characters.length) && characters[first] === content) first++
    while (last > Math.max(0, characters.length - stop) && characters[last - 1] === content) last--
    return characters.slice(first, last).join('')
  })
}

const makers: Makers<Decoder> = new Map<string, (settings: Part) => Decoder>([
  ['BPEDecoder', bpeDecoder],
  ['ByteFallback', () => byteFallback],
  ['ByteLevel', () => byteLevel],
  ['CTC', ctc],
  ['Fuse', () => (tokens) => [tokens.join('')]],
  ['Metaspace', metaspace],
  ['Replace', replace],
  [
    'Sequence',
    (settings) => {
      const steps = partsOf(makers, settings, 'decoders', 'decoder')
      return (tokens) => steps.reduce((parts, step) => step(parts), tokens)
    },
  ],
  ['Strip', strip],
  ['WordPiece', wordPiece],
])

/** The decoder that the settings ask for. null: tokens are words with spaces between. Throws a FormatError for wrong settings. */
export function decoderOf(settings: unknown): (tokens: readonly string[]) => string {
  const decode = partOf(makers, settings, 'decoder')
  return (tokens) => (decode ? decode(tokens).join('') : tokens.join(' '))
}
