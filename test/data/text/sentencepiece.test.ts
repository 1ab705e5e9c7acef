import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readSentencePiece, readTokenizer, sentencePieceTokenizer, TextTokenizer } from '../../../src/data/index.ts'
import { FormatError } from '../../../src/util/errors.ts'
import { told, withFolder } from '../support.ts'
import parts from './hugging-face/reference.json' with { type: 'json' }
import reference from './sentencepiece.json' with { type: 'json' }
import merging from './sentencepiece-merging.json' with { type: 'json' }

const bytesOf = (kind: string): Uint8Array => readFileSync(new URL(`${kind}.model`, import.meta.url))

describe.each(['bpe', 'unigram'] as const)('%s', (kind) => {
  test('gives the ids and texts of the official library', () => {
    const model = readSentencePiece(bytesOf(kind))
    const tokenizer = new TextTokenizer(sentencePieceTokenizer(model))
    const ids = reference.texts.map((text) => tokenizer.encode(text))
    expect(ids).toEqual(reference.ids[kind])
    const unknown = tokenizer.token(model.types.indexOf('unknown'))
    const decoded = ids.map((row) => tokenizer.decode(row, { special: true }).replaceAll(unknown, ' \u2047 '))
    expect(decoded).toEqual(reference.decoded[kind])
  })

  test('as a file: control pieces in a text are recognised', async () => {
    const tokenizer = await readTokenizer(new URL(`${kind}.model`, import.meta.url).pathname)
    const { cls, mask } = tokenizer.specialIds()
    const ids = tokenizer.encode('[CLS] the [MASK]')
    expect([ids[0], ids.at(-1)]).toEqual([cls, mask])
    expect(ids).toHaveLength(3)
    expect(tokenizer.decode(ids)).toBe('the')
  })

  test('damage gives a FormatError or a model', () => {
    const bytes = bytesOf(kind)
    const damaged = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length))
    const property = fc.property(damaged, ([place, value, length]) => {
      const copy = Uint8Array.from(bytes)
      copy[place] = value
      try {
        readSentencePiece(copy.subarray(0, length))
      } catch (error) {
        if (!(error instanceof FormatError)) throw error
      }
    })
    fc.assert(property, { seed: 3, numRuns: 300 })
  })
})

describe('BPE merges as the official library does', () => {
  const bpe = (pieces: string[], scores: number[], types = ['unknown', ...pieces.slice(1).map(() => 'normal')]) =>
    new TextTokenizer(sentencePieceTokenizer({ kind: 'bpe', pieces, scores, types }))

  test('equal scores from the left, not by id', () => {
    expect(bpe(['<unk>', '▁', 'a', 'b', 'c', 'bc', 'ab'], [0, -5, -6, -7, -8, -1, -1]).encode('abc')).toEqual([1, 6, 4])
  })

  test('characters that are no pieces', () => {
    const tokenizer = bpe(['<unk>', '▁', 'a', 'ab'], [0, -5, -6, -1])
    expect(tokenizer.encode('ab')).toEqual([1, 3])
    expect(tokenizer.encode('abb b')).toEqual([1, 3, 0, 1, 0])
  })

  test('unknown neighbours are one, across words too', () => {
    expect(bpe(['<unk>', 'a', 'b'], [0, -1, -2]).encode('ax xb')).toEqual([0, 1, 0, 2])
  })

  test('unused pieces are taken apart in the end', () => {
    const types = ['unknown', 'normal', 'normal', 'normal', 'normal', 'unused', 'normal']
    const tokenizer = bpe(['<unk>', '▁', 'a', 'b', 'c', 'ab', 'abc'], [0, -5, -6, -7, -8, -1, -2], types)
    expect(tokenizer.encode('ab abc')).toEqual([1, 2, 3, 1, 6])
  })

  test.each(merging.models.map((model, i) => ({ ...model, i })))(
    'model $i',
    ({ pieces, scores, types, texts, ids }) => {
      const tokenizer = bpe(pieces, scores, types)
      expect(texts.map((text) => tokenizer.encode(text))).toEqual(ids)
    },
  )
})

test('rules of normalisation of its own are applied as the official library does, by the longest match', () => {
  const tokenizer = new TextTokenizer(sentencePieceTokenizer(readSentencePiece(bytesOf('rules'))))
  expect(parts.charsmap.texts.map((text) => tokenizer.encode(text))).toEqual(parts.charsmap.ids)
})

test('spaces that are written in another way are refused', async () => {
  // trainer_spec { treat_whitespace_as_suffix: true }; normalizer_spec { escape_whitespaces: false }
  for (const bytes of [Uint8Array.of(0x12, 3, 0xc0, 1, 1), Uint8Array.of(0x1a, 2, 0x28, 0)]) {
    expect(await told(() => readSentencePiece(bytes))).toBe(
      'FormatError: SentencePiece model: must write a space as ▁ in front of a word, as SentencePiece does by default',
    )
  }
})

test('other files and kinds are refused', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'text.model')
    await writeFile(path, 'no model at all')
    expect((await told(() => readTokenizer(path))).replace(folder, 'DIR')).toMatchInlineSnapshot(
      `"FormatError: DIR/text.model: must be a SentencePiece model, found damaged fields"`,
    )
    // trainer_spec { model_type: WORD }, in protobuf's wire format
    expect(await told(() => readSentencePiece(Uint8Array.of(0x12, 2, 0x18, 3)))).toMatchInlineSnapshot(
      `"FormatError: SentencePiece model: must be a BPE or unigram model, found kind 3"`,
    )
    expect(
      await told(() => new TextTokenizer(sentencePieceTokenizer(readSentencePiece(new Uint8Array())))),
    ).toMatchInlineSnapshot(`"FormatError: a SentencePiece model must have a piece of type "unknown""`)
  }))
