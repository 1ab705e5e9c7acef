import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DataLoader } from '../../../src/data/loader.ts'
import { decodeUtf8, readText, readTextFolder, tokenWindows } from '../../../src/data/sources/text.ts'
import { context, numbers, told, withFolder } from '../support.ts'

describe('decodeUtf8', () => {
  test('decodes, without a byte order mark', () => {
    expect(decodeUtf8(Buffer.from('\ufeffgrün 🌷'), 'a.txt')).toBe('grün 🌷')
  })

  test('names the first invalid byte', async () => {
    expect(await told(() => decodeUtf8(Buffer.from('gr\xfcn', 'latin1'), 'a.txt'))).toMatchInlineSnapshot(
      `"FormatError: a.txt: must be UTF-8, found byte 0xfc at 2 | convert it with iconv -t utf-8"`,
    )
    expect(await told(() => decodeUtf8(Buffer.from('🌷').subarray(0, 3), 'a.txt'))).toMatchInlineSnapshot(
      `"FormatError: a.txt: must be UTF-8, found a text cut off within a character | convert it with iconv -t utf-8"`,
    )
    const valid = fc.string({ unit: 'binary', maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(valid, valid, async (before, after) => {
        const start = Buffer.from(before)
        const error = await told(() => decodeUtf8(Buffer.concat([start, Buffer.from([0xff]), Buffer.from(after)]), 'x'))
        expect(error).toContain(`found byte 0xff at ${start.length} |`)
      }),
      { seed: 7, numRuns: 100 },
    )
  })
})

test('text files and folders', async () => {
  await withFolder(async (folder) => {
    await mkdir(join(folder, 'b'))
    await writeFile(join(folder, 'b', 'two.txt'), 'zwei')
    await writeFile(join(folder, 'c.txt'), 'drei')
    await writeFile(join(folder, 'a.md'), 'eins')
    expect(await readText(join(folder, 'c.txt'))).toBe('drei')
    const texts = await readTextFolder(folder, { extensions: ['.txt', '.md'] })
    expect(texts.map(({ path, text }) => [path.slice(folder.length + 1), text])).toEqual([
      ['a.md', 'eins'],
      [join('b', 'two.txt'), 'zwei'],
      ['c.txt', 'drei'],
    ])
    expect((await readTextFolder(folder)).length).toBe(2)
    const failures = [
      told(() => readTextFolder(folder, { extensions: ['.csv', '.tsv'] })),
      told(() => readTextFolder(folder, { maxBytes: 7 })),
      told(() => readTextFolder(join(folder, 'absent'))),
      told(() => readText(join(folder, 'b'))),
    ]
    expect((await Promise.all(failures)).map((message) => message.replace(folder, '.'))).toMatchInlineSnapshot(`
      [
        "UsageError: .: must have files ending in .csv, .tsv, found none",
        "FormatError: ./c.txt: must have at most 3 bytes, found 4",
        "UsageError: ./absent: no such file or folder",
        "UsageError: ./b: must be a regular file",
      ]
    `)
  })
})

describe('tokenWindows', () => {
  const text = Buffer.from('abcdefghij')
  const letters = (values: number[]) => String.fromCharCode(...values)

  test('windows with the next token of each', async () => {
    const dataset = tokenWindows(text, { length: 3 })
    expect(dataset.length).toBe(3)
    const batch = await dataset.batch([2, 0], context)
    expect(letters(numbers(batch, 'input'))).toBe('ghiabc')
    expect(letters(numbers(batch, 'target'))).toBe('hijbcd')
    expect(batch.input?.shape).toEqual([2, 3])
    expect(tokenWindows(text, { length: 3, stride: 1 }).length).toBe(7)
    expect(
      numbers(await tokenWindows(Int32Array.from([70_000, 5]), { length: 1 }).batch([0], context), 'input'),
    ).toEqual([70_000])
  })

  test('rows: each row of the next batch goes on where it ended', async () => {
    const loader = new DataLoader(tokenWindows(text, { length: 2, rows: 2 }), { batchSize: 2 })
    const batches: string[] = []
    for await (const batch of loader)
      batches.push(`${letters(numbers(batch, 'input'))}>${letters(numbers(batch, 'target'))}`)
    expect(batches).toEqual(['abef>bcfg', 'cdgh>dehi'])
  })

  test('refuses what gives no window', async () => {
    expect(await told(() => tokenWindows(text, { length: 10 }))).toMatchInlineSnapshot(
      `"UsageError: tokenWindows: 1 rows of length 10 need 11 tokens, found 10"`,
    )
    expect(await told(() => tokenWindows(text, { length: 5, rows: 2 }))).toMatchInlineSnapshot(
      `"UsageError: tokenWindows: 2 rows of length 5 need 11 tokens, found 10"`,
    )
    expect(await told(() => tokenWindows(text, { length: 2, stride: 0 }))).toMatchInlineSnapshot(
      `"UsageError: tokenWindows: stride must be a whole number of at least 1, found 0"`,
    )
  })
})
