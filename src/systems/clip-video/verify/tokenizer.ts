/** The reference case of CLIP's tokenizer. */
import type { NDArray } from '../../../tensor/dtype.ts'
import { FormatError } from '../../../util/errors.ts'
import { arrayOf } from '../../../verify/arrays.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  numberSetting,
  type ReferenceCase,
  requiredTensor,
  type Settings,
  withoutEffect,
} from '../../../verify/target.ts'
import { cleanText, readCLIPVocabulary } from '../clip/tokenizer.ts'
import { requireSame } from './arrays.ts'

function textsOf(fields: Settings, name: string): readonly string[] {
  const texts = fields[name]
  if (Array.isArray(texts) && texts.every((text) => typeof text === 'string')) return texts
  throw new FormatError(`"${name}" must be a list of texts`)
}

async function runTokenizer({ config, fields, tensors }: ReferenceCase): Promise<Map<string, NDArray>> {
  const { data } = requiredTensor(tensors, 'param/merges_gz')
  if (!(data instanceof Uint8Array)) throw new FormatError('tensor "param/merges_gz" must be uint8')
  const tokenizer = readCLIPVocabulary(data)
  // Where the vocabulary is from, and which texts an implementation without that repair may get wrong.
  withoutEffect(fields, 'needs_mojibake_repair')
  const about = (fields.vocabulary ?? {}) as Settings
  withoutEffect(about, ...Object.keys(about))
  const strings = textsOf(fields, 'strings')
  const contextLength = numberSetting(config, 'context_length', 77)
  const truncate = booleanSetting(config, 'truncate', false)
  for (const [i, expected] of textsOf(fields, 'cleaned').entries())
    requireSame(`text ${i}, cleaned,`, cleanText(strings[i] ?? ''), expected)
  for (const [i, expected] of textsOf(fields, 'decoded').entries())
    requireSame(`text ${i}, decoded,`, tokenizer.decode(tokenizer.encode(strings[i] ?? '')), expected)
  const counts = strings.map((text) => tokenizer.encode(text).length + 2)
  const shorter = [...tensors.keys()].flatMap((name) => {
    const [, length, count] = /^output\/tokens_context(\d+)_first(\d+)$/.exec(name) ?? []
    if (length === undefined || count === undefined) return []
    const options = { contextLength: Number(length), truncate }
    return [[name, tokenizer.tokenize(strings.slice(0, Number(count)), options)] as const]
  })
  return new Map([
    ['output/tokens', tokenizer.tokenize(strings, { contextLength, truncate })],
    ['output/count', arrayOf(counts, 'int64')],
    [
      'output/too_long',
      arrayOf(
        counts.map((count) => (count > contextLength ? 1 : 0)),
        'uint8',
      ),
    ],
    ...shorter,
  ])
}

export const tokenizerTargets: readonly CaseTargetRule[] = [{ target: 'tokenize', run: runTokenizer }]
