import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openLabelledTexts, readLabelledRows } from '../../../src/data/sources/labelled-texts.ts'
import { told, withFolder } from '../support.ts'

const columns = { textColumn: 'text', labelColumn: 'label', onError: 'stop' } as const
const options = { source: 'rows.csv', share: 0.3, seed: 0 }

const read = (content: string, changed: Partial<Parameters<typeof readLabelledRows>[1]> = {}) =>
  withFolder(async (folder) => {
    const path = join(folder, 'rows.csv')
    await writeFile(path, content)
    return await readLabelledRows(path, { ...columns, ...changed })
  })

const failure = async (content: string) => (await told(() => read(content))).replace(/\S*rows\.csv/, 'rows.csv')

const lines = Array.from({ length: 40 }, (_, i) => `text number ${i},${i % 2 ? 'ham' : 'spam'}`)
const csv = (rows: readonly string[]) => ['text,label', ...rows].join('\n')

describe('rows', () => {
  test('without a label they are named by line, or left out; without a text they are counted', async () => {
    const content = 'text,label\na,x\nb,\n"two\nlines", \n,y\nc,y\n'
    expect(await failure(content)).toBe(
      'UsageError: rows.csv: 2 rows without a label in column "label": line 3, 4 | fill the gaps, or leave these rows out with --set data.on_error=skip',
    )
    const { rows, leftOut } = await read(content, { onError: 'skip' })
    expect(rows.map(({ text, label }) => [text, label])).toEqual([
      ['a', 'x'],
      ['c', 'y'],
    ])
    expect(leftOut).toEqual(['2 rows without a label left out', '1 row without a text left out'])
  })

  test('that are broken are named at once, or left out', async () => {
    const content = 'text,label\na,x\nb\n"c"d,y\ne,\nf,y\n'
    expect(await failure(content)).toBe(
      'UsageError: rows.csv: 3 rows cannot be used: line 3: a record must have 2 cells like the header, found 1, line 4: a closing quote must be followed by a delimiter or the end of the line, line 5: has no label | leave these rows out with --set data.on_error=skip',
    )
    const { rows, leftOut } = await read(content, { onError: 'skip' })
    expect(rows.map(({ text }) => text)).toEqual(['a', 'f'])
    expect(leftOut).toEqual(['2 broken rows left out (line 3, 4)', '1 row without a label left out'])
  })

  test('none', async () => {
    expect(await failure('text,label\n')).toBe(
      'UsageError: rows.csv: there must be rows below the header line, found none',
    )
  })
})

describe('divided', () => {
  test('by their texts: equal ones are on one side, order and other rows do not matter', async () => {
    const first = openLabelledTexts(await read(csv([...lines, ...lines])), undefined, options)
    const texts = (list: readonly { text: string }[]) => new Set(list.map(({ text }) => text))
    for (const text of texts(first.test)) expect(texts(first.train).has(text)).toBe(false)
    const other = openLabelledTexts(await read(csv(lines.slice(5).reverse())), undefined, options)
    for (const { text } of other.test) expect(texts(first.test).has(text)).toBe(true)
    expect(first.opening.summary).toBe(
      `80 rows in 2 classes; ${first.train.length} rows to train on, ${first.test.length} to test with`,
    )
  })

  test('a run keeps its rows on their sides', async () => {
    const first = openLabelledTexts(await read(csv(lines)), undefined, options)
    const known = { labels: first.labels, record: first.opening.record }
    const trained = first.train.at(3)?.text ?? ''
    const rest = lines.filter((line) => !line.startsWith(`${trained},`))
    const now = [...rest, 'something new,ham', 'other class,eggs'].reverse()
    const again = openLabelledTexts(await read(csv(now)), undefined, { ...options, known })
    expect(new Set(again.test.map(({ text }) => text))).toEqual(new Set(first.test.map(({ text }) => text)))
    expect(again.train).toHaveLength(first.train.length - 1)
    expect(again.opening.changes).toBe('1 row missing; 2 rows new, left out')
    const relabelled = lines.map((line, i) => (i === 0 ? line.replace('spam', 'ham') : line))
    expect(openLabelledTexts(await read(csv(relabelled)), undefined, { ...options, known }).opening.changes).toBe(
      '1 row changed',
    )
  })

  test('of a run whose rows have changed too much it is said what has changed', async () => {
    const first = openLabelledTexts(await read(csv(lines)), undefined, options)
    const known = { labels: first.labels, record: first.opening.record }
    const failureOf = async (changed: readonly string[]) => {
      const rows = await read(csv(changed))
      return told(() => openLabelledTexts(rows, undefined, { ...options, known }))
    }
    expect(await failureOf(lines.map((line) => line.replace(',', ' ,')))).toBe(
      'UsageError: rows.csv: there are no rows that the run knows: 40 rows missing; 40 rows new, left out | put the data back as they were, or train a new run on them',
    )
    expect(await failureOf(lines.map((line) => line.replace('spam', 'junk')))).toBe(
      'UsageError: rows.csv: there must be at least two classes, found only "ham" (20 rows): 20 rows changed; 20 rows of a class that the run does not know: left out ("junk") | put the data back as they were, or train a new run on them',
    )
  })

  test('labels with invisible characters, equal texts of different classes', async () => {
    const rows = await read(csv([...lines, 'x,ham\u200b', 'text number 0,ham']))
    expect(openLabelledTexts(rows, undefined, options).opening.warnings).toEqual(
      expect.arrayContaining([
        'the classes "ham" and "ham\u200b" only differ in invisible characters',
        'the class "ham\u200b" has invisible characters: U+200B',
        '1 text with rows of different classes, such as "text number 0": ham, spam',
      ]),
    )
  })

  test('a test file of its own; classes that are not trained on', async () => {
    const rows = await read(csv(lines))
    const given = await read(csv(['new one,ham', 'text number 0,spam', 'new two,spam']))
    const { train, test: held, opening } = openLabelledTexts(rows, given, options)
    expect([train.length, held.length]).toEqual([40, 3])
    expect(opening.warnings).toEqual(['1 test row with the same content as one to train on'])
    const other = await read(csv(['new one,eggs']))
    expect(await told(() => openLabelledTexts(rows, other, options))).toBe(
      'UsageError: data.test: test rows must be of the classes trained on, found also "eggs" | trained on: ham, spam',
    )
  })

  test('one class; labels that only differ in space or case', async () => {
    const one = await read(csv(lines.map((line) => line.replace('spam', 'ham'))))
    expect(await told(() => openLabelledTexts(one, undefined, options))).toBe(
      'UsageError: rows.csv: there must be at least two classes, found only "ham" (40 rows)',
    )
    const { opening } = openLabelledTexts(await read(csv([...lines, 'x,Ham', 'y,"ham "'])), undefined, options)
    expect(opening.warnings).toContain('the classes "Ham" and "ham" and "ham " only differ in space or case')
  })
})
