import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseCsv, readCsv } from '../../../src/data/sources/csv.ts'
import { TenfoldError } from '../../../src/util/errors.ts'
import { numbers, told, withFolder } from '../support.ts'

describe('parseCsv', () => {
  test('typed columns, quoted cells, CRLF, a byte order mark, columns left out', () => {
    const text =
      '\ufeffname,age,"weight, kg",big,alive,kind,note\r\n' +
      '"Ann ""A"" B",31,6.05e1,9223372036854775807,true,rose,x\r\n' +
      '"two\nlines", 7 ,nan,-5,0,lily,\r\n'
    const table = parseCsv(text, {
      columns: { kind: 'category', age: 'uint8', 'weight, kg': 'float32', big: 'int64', alive: 'bool', name: 'string' },
    })
    expect(table).toEqual({
      length: 2,
      lines: [2, 3],
      broken: [],
      arrays: {
        kind: { dtype: 'int32', shape: [2], data: Int32Array.from([1, 0]) },
        age: { dtype: 'uint8', shape: [2], data: Uint8Array.from([31, 7]) },
        'weight, kg': { dtype: 'float32', shape: [2], data: Float32Array.from([60.5, Number.NaN]) },
        big: { dtype: 'int64', shape: [2], data: BigInt64Array.from([2n ** 63n - 1n, -5n]) },
        alive: { dtype: 'bool', shape: [2], data: Uint8Array.from([1, 0]) },
      },
      strings: { name: ['Ann "A" B', 'two\nlines'] },
      categories: { kind: ['lily', 'rose'] },
    })
  })

  test('other delimiters, a header alone', () => {
    expect(parseCsv('a;b\n1,5;2\n', { columns: { b: 'int32' }, delimiter: ';' }).arrays.b?.data).toEqual(
      Int32Array.from([2]),
    )
    expect(parseCsv('a,b', { columns: { b: 'int32' } }).length).toBe(0)
  })

  test.each([',', ';', '\t', '|'])('the delimiter "%s" is found by the header', (delimiter) => {
    const line = (...cells: string[]) => cells.join(delimiter)
    const text = [line('"id, of it"', 'text', 'label'), line('1', '"a; b, c|d\te"', 'x'), line('2', 'plain', 'y')].join(
      '\n',
    )
    const { strings } = parseCsv(text, { columns: { text: 'string', label: 'string' } })
    expect(strings).toEqual({ text: ['a; b, c|d\te', 'plain'], label: ['x', 'y'] })
  })

  test('what the files of spreadsheets have: a first line that names the delimiter, spaces, empty columns', () => {
    const { strings, lines } = parseCsv('sep=;\r\n text ; label;;\r\na;x;;\r\n', {
      columns: { text: 'string', label: 'string' },
    })
    expect(strings).toEqual({ text: ['a'], label: ['x'] })
    expect(lines).toEqual([3])
  })

  test.each([
    ['\n', '\r\n', '\r\n'],
    ['\r\n', '\n', '\n'],
    ['\n', '\r\n', '\n'],
    ['\r', '\r', '\r'],
    ['\r', '\n', '\r\n'],
  ])('lines end with LF, CRLF and CR, in one file too: %j %j %j', (a, b, c) => {
    const text = `text,label${a}one,ham${b}"t${c}wo",spam${c}${b}three,ham${a}`
    const { strings, lines } = parseCsv(text, { columns: { text: 'string', label: 'string' } })
    expect(strings).toEqual({ text: ['one', `t${c}wo`, 'three'], label: ['ham', 'spam', 'ham'] })
    expect(lines).toEqual([2, 3, 6])
  })

  test('broken records are left out, each by itself', () => {
    const rows = ['a,b', '1,2', '1', '', '"x"y,2', '3,4', 'u "v",w', '5,6,7', '"open,1', '7,8', ',', '"end,9']
    const { strings, broken, lines } = parseCsv(rows.join('\r\n'), {
      columns: { a: 'string', b: 'string' },
      onError: 'skip',
    })
    expect(strings.a).toEqual(['1', '3', '7', ''])
    expect(lines).toEqual([2, 6, 10, 11])
    const reasons = broken.map(({ line, reason }) => `${line}: ${reason}`)
    expect(reasons).toEqual([
      '3: a record must have 2 cells like the header, found 1',
      '5: a closing quote must be followed by a delimiter or the end of the line',
      '7: a cell with a quote in it must be quoted as a whole, found a quote in the middle',
      '8: a record must have 2 cells like the header, found 3',
      '9: a closing quote must be followed by a delimiter or the end of the line',
      '12: a quoted cell of this record must be closed, found the end of the file',
    ])
    const long = parseCsv(`a\nx\n"${'y'.repeat(2 ** 20 + 9)}"\nz\n`, { columns: { a: 'string' }, onError: 'skip' })
    expect(long.broken.map(({ line }) => line)).toEqual([3])
    expect(long.strings.a?.map((cell) => cell.slice(0, 9))).toEqual(['x', 'z'])
  })

  test('says file, line, column and cell', async () => {
    const types = { a: 'int32', b: 'float32' } as const
    const messages = [
      ['', types],
      ['a,c\n1,2\n', types],
      ['a,b,a\n1,2,3\n', types],
      ['a,b\n1,2\n3\n', types],
      ['a,b\n1,2\n\n3,4x\n', types],
      ['a,b\n1,\n', types],
      ['a,b\n1,-1e39\n', types],
      ['a,b\n"1\n",2\n3.5,1\n', types],
      ['a,b\n2147483648,1\n', types],
      ['a,b\n1,constructor\n', types],
      ['a\n256\n', { a: 'uint8' }],
      ['a\nyes\n', { a: 'bool' }],
      ['a\n9223372036854775808\n', { a: 'int64' }],
      ['a,b\n1,"2\n3,4', types],
      ['a,b\n1,2"3\n', types],
      ['a,b\n"1"2,3\n', types],
      [`a,b\n1,"${'2\n'.repeat(600_000)}`, types],
      [Buffer.from('a,b\n1,2\xff\n', 'latin1'), types],
    ] as const
    const failures = messages.map(([source, columns]) => told(() => parseCsv(source, { columns }, 'data.csv')))
    expect(await Promise.all(failures)).toMatchInlineSnapshot(`
      [
        "FormatError: data.csv: a CSV file must start with a header line, found nothing",
        "UsageError: data.csv: there is no column "b" | did you mean "a" or "c"?",
        "FormatError: data.csv:1: column "a" must be there once, found it twice",
        "FormatError: data.csv:3: a record must have 2 cells like the header, found 1",
        "FormatError: data.csv:4: column "b" must be float32, found "4x"",
        "FormatError: data.csv:2: column "b" must be float32, found "" | fill the gap, write nan into a float32 column, or read the column as string",
        "FormatError: data.csv:2: column "b" must be float32, found "-1e39"",
        "FormatError: data.csv:4: column "a" must be int32, found "3.5"",
        "FormatError: data.csv:2: column "a" must be int32, found "2147483648"",
        "FormatError: data.csv:2: column "b" must be float32, found "constructor"",
        "FormatError: data.csv:2: column "a" must be uint8, found "256"",
        "FormatError: data.csv:2: column "a" must be bool, found "yes"",
        "FormatError: data.csv:2: column "a" must be int64, found "9223372036854775808"",
        "FormatError: data.csv:2: a quoted cell of this record must be closed, found the end of the file",
        "FormatError: data.csv:2: a cell with a quote in it must be quoted as a whole, found a quote in the middle",
        "FormatError: data.csv:2: a closing quote must be followed by a delimiter or the end of the line",
        "FormatError: data.csv:2: a record must have at most 1048576 bytes",
        "FormatError: data.csv: must be UTF-8, found byte 0xff at 7 | iconv -f latin1 -t utf-8 data.csv > NEW",
      ]
    `)
  })

  test('options that are none', async () => {
    for (const [options, message] of [
      [
        undefined,
        "columns must be the types of columns by name, found undefined | parseCsv(text, { columns: { age: 'float32', name: 'string' } })",
      ],
      [
        { columns: { a: 'float' } },
        'the type of column "a" must be float32, int32, int64, bool, uint8, string or category, found "float"',
      ],
      [{ columns: {}, onError: 'ignore' }, 'onError must be stop or skip, found "ignore"'],
      [{ columns: {}, delimeter: ';' }, 'there is no option "delimeter" | did you mean "delimiter"?'],
    ] as const)
      expect(await told(() => parseCsv('a\n1\n', options as never))).toBe(`UsageError: parseCsv: ${message}`)
  })

  test('what was written is read back; damage gives a TenfoldError or a table', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é'), maxLength: 6 })
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
    const columns = { a: 'string', b: 'int32' } as const
    const rows = fc.array(fc.tuple(cell, fc.integer({ min: -1000, max: 1000 })), { maxLength: 6 })
    fc.assert(
      fc.property(rows, fc.nat(200), fc.constantFrom('"', ',', '\n', 'x', ''), (records, at, damage) => {
        const text = `a,b\n${records.map(([a, b]) => `${quote(a)},${b}\n`).join('')}`
        const table = parseCsv(text, { columns })
        expect(table.strings.a).toEqual(records.map(([a]) => a))
        expect(numbers(table.arrays, 'b')).toEqual(records.map(([, b]) => b))
        try {
          const damaged = parseCsv(text.slice(0, at) + damage + text.slice(at + 1), { columns })
          expect(damaged.strings.a?.length).toBe(damaged.length)
        } catch (error) {
          expect(error).toBeInstanceOf(TenfoldError)
        }
      }),
      { seed: 6, numRuns: 500 },
    )
  })
})

test('readCsv reads a file and bounds its size', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'data.csv')
    await writeFile(path, 'a\n1\n2\n')
    expect((await readCsv(path, { columns: { a: 'int32' } })).arrays.a?.data).toEqual(Int32Array.from([1, 2]))
    expect((await told(() => readCsv(path, { columns: {} }, 5))).replace(folder, '.')).toMatchInlineSnapshot(
      `"FormatError: ./data.csv: must have at most 5 bytes, found 6"`,
    )
  })
})
