import { describe, expect, test } from 'vitest'
import { decoderOf } from '../../../../src/data/text/hugging-face/decoders.ts'
import { normalizerOf } from '../../../../src/data/text/hugging-face/normalizers.ts'
import { preTokenizerOf } from '../../../../src/data/text/hugging-face/pre-tokenizers.ts'
import { TextTokenizer } from '../../../../src/data/text/tokenizer.ts'
import { told } from '../../support.ts'
import reference from './reference.json' with { type: 'json' }

const { texts, tokens, normalizers, preTokenizers, decoders, charsmap, models } = reference
const named = <T extends { settings: object }>(cases: T[]) =>
  cases.map((each) => ({ ...each, name: JSON.stringify(each.settings) }))

describe('each part does what it does in the Python library `tokenizers`', () => {
  test.each(named(normalizers))('normalizer $name', ({ settings, results }) => {
    expect(texts.map(normalizerOf(settings))).toEqual(results)
  })

  test.each(named(preTokenizers))('pre-tokenizer $name', ({ settings, results }) => {
    const preTokenize = preTokenizerOf(settings)
    expect(texts.map((text) => preTokenize(text, true))).toEqual(results)
  })

  test.each(named(decoders))('decoder $name', ({ settings, results }) => {
    expect(tokens.map(decoderOf(settings))).toEqual(results)
  })

  test.each(models.files)('model $tokenizer.model.type', ({ tokenizer, ids }) => {
    const words = new TextTokenizer(tokenizer)
    expect(models.texts.map((text) => words.encode(text))).toEqual(ids)
  })

  test('the table of a normalisation, by graphemes', () => {
    const normalize = normalizerOf({ type: 'Precompiled', precompiled_charsmap: charsmap.table })
    expect(charsmap.texts.map(normalize)).toEqual(charsmap.graphemes)
  })
})

test('null and an empty table change nothing', () => {
  expect(normalizerOf(null)(' Ab')).toBe(' Ab')
  expect(normalizerOf({ type: 'Precompiled', precompiled_charsmap: '' })('½')).toBe('½')
  expect(preTokenizerOf(null)(' Ab', true)).toEqual([' Ab'])
  expect(decoderOf(null)(['a', 'b'])).toBe('a b')
})

test('what cannot be used is refused, and named', async () => {
  const file = (parts: object) => () => new TextTokenizer({ model: { type: 'WordLevel', vocab: { a: 0 } }, ...parts })
  const messages = [
    file({ normalizer: { type: 'Nonsense' } }),
    file({ normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend' }] } }),
    file({ normalizer: { type: 'Precompiled', precompiled_charsmap: '%' } }),
    file({ normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAAA' } }),
    file({ pre_tokenizer: { type: 'Split', pattern: { String: 'a' }, behavior: 'Cut' } }),
    file({ pre_tokenizer: { type: 'constructor' } }),
    file({ decoder: 'Fuse' }),
    file({ model: { type: 'BPE', vocab: { a: 0 }, merges: [], continuing_subword_prefix: '##' } }),
    file({ model: { type: 'BPE', vocab: { a: 0 }, merges: [], unk_token: 'a', scores: { ab: 1 } } }),
    file({ model: { type: 'BPE', vocab: { a: 0 }, merges: [], unk_token: 'b', scores: [] } }),
    () => file({})().encode('b'),
  ].map(told)
  expect((await Promise.all(messages)).join('\n')).toMatchInlineSnapshot(`
    "FormatError: tokenizer: must be a tokenizer that can be used here: there is no normalizer of type "Nonsense"
    FormatError: tokenizer: must be a tokenizer that can be used here: normalizer Prepend: prepend Invalid input: expected string, received undefined
    FormatError: tokenizer: must be a tokenizer that can be used here: precompiled_charsmap must be in base64
    FormatError: tokenizer: must be a tokenizer that can be used here: precompiled_charsmap must be a table of SentencePiece, found damaged bytes
    FormatError: tokenizer: must be a tokenizer that can be used here: pre_tokenizer Split: behavior Invalid option: expected one of "Removed"|"Isolated"|"MergedWithPrevious"|"MergedWithNext"|"Contiguous"
    FormatError: tokenizer: must be a tokenizer that can be used here: there is no pre_tokenizer of type "constructor"
    FormatError: tokenizer: must be a tokenizer that can be used here: decoder Invalid input: expected object, received string
    FormatError: tokenizer: must be a tokenizer that can be used here: a BPE model must have no continuing_subword_prefix, found "##"
    FormatError: tokenizer: must be a tokenizer that can be used here: model BPE: scores Invalid input: expected array, received object
    FormatError: tokenizer: must be a tokenizer that can be used here: model BPE: unk_token must be in vocab, found "b"
    FormatError: "b" is not in the vocabulary, which has no token for unknown words either"
  `)
})
