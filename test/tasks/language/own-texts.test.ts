/** Texts of one's own, opened by the recipes. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openPretraining, pretrainingDataSettings } from '../../../src/tasks/language/open.ts'
import { characterDataSettings, openCharacters } from '../../../src/tasks/language/open-characters.ts'
import { tokenizerSettings } from '../../../src/tasks/language/tokenizer.ts'
import { classificationFacts } from '../../../src/tasks/sequences/codec.ts'
import { labelledTextSettings, openClassification } from '../../../src/tasks/sequences/open.ts'
import { withFolder } from '../../data/support.ts'

const tokenizer = tokenizerSettings(120).parse({})
const words = ['rain', 'river', 'stone', 'garden', 'window', 'letter', 'summer', 'bread']
const text = (i: number) => words.map((_, k) => words[(i * 3 + k * (i + 1)) % words.length]).join(' ')
const russian = (i: number) => `дождь река камень ${'сад '.repeat(i)}`

describe('the share of <unk>', () => {
  test('is told of the rows to test with, of a run too', async () => {
    await withFolder(async (folder) => {
      const csv = (rows: readonly string[]) =>
        ['text,label', ...rows.map((row, i) => `${row},${i % 2 ? 'a' : 'b'}`)].join('\n')
      const [file, held] = [join(folder, 'train.csv'), join(folder, 'test.csv')]
      await writeFile(file, csv(words.map((_, i) => text(i))))
      await writeFile(held, csv(words.map((_, i) => russian(i))))
      const data = labelledTextSettings({ max_seq_length: 32 }).parse({ file, test: held })
      const first = await openClassification(data, tokenizer, undefined)
      expect(first.opening.summary).toMatch(/; 0\.00 % of the tokens are <unk>, 100 % of those to test with$/)
      const warning =
        '100 % of those to test with are <unk>, and few of those to train on: the vocabulary does not fit the text to test with'
      expect(first.opening.warnings).toContain(warning)
      const known = { facts: classificationFacts.parse(first.facts), record: first.opening.record }
      const again = await openClassification(data, tokenizer, undefined, known)
      expect(again.opening.summary).toBe(first.opening.summary)
      expect(again.opening.warnings).toContain(warning)
    })
  })

  test('is told of the text to test with', async () => {
    await withFolder(async (folder) => {
      for (const part of ['train', 'test']) await mkdir(join(folder, part))
      const lines = (line: (i: number) => string) => Array.from({ length: 20 }, (_, i) => `${line(i % 8)}.\n`).join('')
      await writeFile(join(folder, 'train', 'a.txt'), lines(text))
      await writeFile(join(folder, 'test', 'b.txt'), lines(russian))
      const data = pretrainingDataSettings.parse({ folder, max_seq_length: 32 })
      const { opening, facts } = await openPretraining(data, tokenizer, undefined)
      expect(opening.summary).toMatch(/; 0\.00 % of the tokens are <unk>, \d\d % of those to test with$/)
      const again = await openPretraining(data, tokenizer, undefined, { facts, record: opening.record })
      expect(again.opening).toEqual(opening)
    })
  })
})

test('one text without line breaks and sentences is cut at words, so that a share can be held out', async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, 'one.txt'), Array.from({ length: 200 }, (_, i) => text(i % 8)).join(' '))
    const { opening } = await openCharacters(characterDataSettings.parse({ folder }), 64, undefined)
    expect(Object.keys(opening.record.train).length).toBeGreaterThan(10)
    expect(Object.keys(opening.record.test).length).toBeGreaterThan(0)
  })
})

describe('a run that knows its texts', () => {
  test('does not test with one that it was trained on, moved onto a name to test with', async () => {
    await withFolder(async (folder) => {
      const many = Array.from({ length: 110 }, (_, i) => join(folder, `${i}.txt`))
      for (const [i, path] of many.entries()) await writeFile(path, `Number ${i}: ${text(i)}.\nThen ${text(i + 1)}.\n`)
      const data = pretrainingDataSettings.parse({ folder, max_seq_length: 32 })
      const { opening, facts } = await openPretraining(data, tokenizer, undefined)
      const { train, test: held } = opening.record
      const [trained = '', tested = ''] = [Object.keys(train)[0], Object.keys(held)[0]]
      await rename(join(folder, trained), join(folder, tested))
      const again = await openPretraining(data, tokenizer, undefined, { facts, record: opening.record })
      expect(again.opening.changes).toBe(
        `1 test text replaced by what was trained on, left out (${tested}); 1 text missing (${trained})`,
      )
    })
  })

  test('does not take a test/ that came later for its own', async () => {
    await withFolder(async (folder) => {
      const parts = ['train', 'val', 'test']
      for (const part of parts) {
        await mkdir(join(folder, part))
        for (let i = 0; i < 4; i++)
          await writeFile(join(folder, part, `${i}.txt`), `${part}: ${text(i)}.\n${text(i + 2)}.\n`)
      }
      await rename(join(folder, 'test'), join(folder, '..', 'later'))
      const data = pretrainingDataSettings.parse({ folder, max_seq_length: 32 })
      const { opening, facts } = await openPretraining(data, tokenizer, undefined)
      await rename(join(folder, '..', 'later'), join(folder, 'test'))
      const again = await openPretraining(data, tokenizer, undefined, { facts, record: opening.record })
      expect(again.opening.changes).toBeUndefined()
      expect(again.opening.summary).toContain('4 texts not in train/ or val/ not used')
      await rm(join(folder, 'test'), { recursive: true })
    })
  })
})
