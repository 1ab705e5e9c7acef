/** `tenfold inspect RUN --text FILE`: what a trained character model remembers of a text. */
import { z } from 'zod'
import type { Dataset } from '../../data/dataset.ts'
import { readText as readFile } from '../../data/sources/text.ts'
import { requireNotInput } from '../../io/atomic.ts'
import type { Report } from '../../report/figures.ts'
import { defineUse } from '../../tasks/define.ts'
import { type CharacterFacts, encodeCharacters, unknownCharacters } from '../../tasks/language/characters.ts'
import { pathSetting } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { characterTokens, explainMemory, spaced, spanSection, type TokenNames } from './explain.ts'
import { type AnyModel, ExpireSpan } from './model.ts'
import { readText } from './read-text.ts'
import { firstRow, type StreamFields, type TokenText } from './stream.ts'

/** The use `inspect`: a page with memories over time, the text shaded by span, and the mask of a block. */
export const inspectText = defineUse({
  summary: 'a page: which characters of a text are remembered how long, and how much each layer keeps',
  inputs: '',
  options: z.strictObject({
    text: pathSetting('a text file; empty: the test text of the run'),
    characters: z.number().int().positive().default(2048).describe('characters that are read, at most'),
  }),
  run: async function* (
    { model, facts }: { readonly model: AnyModel; readonly facts: CharacterFacts },
    _inputs,
    { text, characters },
    { openData, out = '', writePage, say, step },
  ) {
    await requireNotInput(out, [text], 'give another file: --out')
    const expiring = expiringModel(model)
    const own = text ? [...(await readFile(text))].slice(0, characters).join('') : ''
    const strange = unknownCharacters(own, facts)
    if (strange !== undefined) say(`note: ${strange}`)
    const all = text
      ? encodeCharacters(own, facts)
      : (await firstRow((await openData()).test as Dataset<StreamFields>, characters)).tokens
    const read = { tokens: all.subarray(0, characters) }
    const page = await inspectionPage(expiring, characterTokens(facts), read, step)
    yield { file: await writePage('inspect.html', page) }
  },
})

/** A model of a generated text, and whether its memory is empty where an episode begins. */
export interface InspectedTokens {
  readonly model: AnyModel
  readonly facts: { readonly names: readonly string[] }
  readonly clears: boolean
}

/** The same of a generated text: which of its tokens are remembered how long. */
export const inspectTokens = defineUse({
  summary: 'a page: which tokens of the test text are remembered how long, and how much each layer keeps',
  inputs: '',
  options: z.strictObject({
    tokens: z.number().int().positive().default(512).describe('tokens that are read, at most'),
  }),
  run: async function* ({ model, facts, clears }: InspectedTokens, _inputs, { tokens }, { openData, writePage, step }) {
    const expiring = expiringModel(model)
    const row = await firstRow((await openData()).test as Dataset<StreamFields>, tokens)
    const read = clears ? row : { tokens: row.tokens }
    yield { file: await writePage('inspect.html', await inspectionPage(expiring, spaced(facts.names), read, step)) }
  },
})

function expiringModel(model: AnyModel): ExpireSpan {
  if (model instanceof ExpireSpan) return model
  throw new UsageError('inspect is for memories that expire: model.memory of this run is another one')
}

/** What a model remembers of a text. Throws a UsageError for one that fills no block. */
async function inspectionPage(
  model: ExpireSpan,
  names: TokenNames,
  text: TokenText,
  step: number,
): Promise<Omit<Report, 'footer'>> {
  const { mem_sz } = model.config
  const { tokens } = text
  if (tokens.length < mem_sz)
    throw new UsageError(`the text must have at least ${mem_sz} ${names.unit}s, a block, found ${tokens.length}`)
  const read = await readText(model, text)
  return {
    title: 'What is remembered',
    summary: [
      { label: `${names.unit}s`, value: tokens.length.toLocaleString('en') },
      { label: 'trained steps', value: step.toLocaleString('en') },
    ],
    sections: [explainMemory(read.lengths, model.config), spanSection(model, names, tokens, read)],
  }
}
