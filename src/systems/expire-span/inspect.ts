/** `tenfold inspect RUN --text FILE`: what a trained character model remembers of a text. */
import { z } from 'zod'
import type { Dataset } from '../../data/dataset.ts'
import { readText as readFile } from '../../data/sources/text.ts'
import { defineUse } from '../../tasks/define.ts'
import { type CharacterFacts, encodeCharacters } from '../../tasks/language/characters.ts'
import { pathSetting } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { explainMemory, readText, spanSection } from './explain.ts'
import { type AnyModel, ExpireSpan } from './model.ts'
import { firstRow, type StreamFields } from './stream.ts'

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
    { openData, writePage, step },
  ) {
    if (!(model instanceof ExpireSpan))
      throw new UsageError('inspect is for memories that expire: model.memory of this run is another one')
    const all = text
      ? encodeCharacters(await readFile(text), facts)
      : await firstRow((await openData()).test as Dataset<StreamFields>, characters)
    const numbers = all.subarray(0, characters)
    const { mem_sz } = model.config
    if (numbers.length < mem_sz)
      throw new UsageError(`the text must have at least ${mem_sz} characters, a block, found ${numbers.length}`)
    const read = await readText(model, numbers)
    const page = {
      title: 'What is remembered',
      summary: [
        { label: 'characters', value: numbers.length.toLocaleString('en') },
        { label: 'trained steps', value: step.toLocaleString('en') },
      ],
      sections: [explainMemory(read.lengths, model.config), spanSection(model, facts, numbers, read)],
    }
    yield { file: await writePage('inspect.html', page) }
  },
})
