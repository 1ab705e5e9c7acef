import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readText } from '../../../src/data/sources/text.ts'
import { openTexts, readTextFolder, readTexts } from '../../../src/data/sources/text-files.ts'
import { told, withFolder } from '../support.ts'

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
    expect((await readTexts(join(folder, 'a.md'))).map(({ text }) => text)).toEqual(['eins'])
    const failures = [
      told(() => readTextFolder(folder, { extensions: ['.csv', '.tsv'] })),
      told(() => readTextFolder(folder, { maxBytes: 7 })),
      told(() => readTextFolder(join(folder, 'absent'))),
      told(() => readText(join(folder, 'b'))),
    ]
    expect((await Promise.all(failures)).map((message) => message.replace(folder, '.'))).toMatchInlineSnapshot(`
      [
        "UsageError: .: must have files ending in .csv, .tsv, found none; 2 .txt, 1 .md not read",
        "FormatError: ./c.txt: must have at most 3 bytes, found 4",
        "UsageError: ./absent: no such file or folder",
        "UsageError: ./b: must be a regular file",
      ]
    `)
  })
})

test.skipIf(process.platform === 'win32')('a pipe is not waited for', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'pipe')
    execFileSync('mkfifo', [path])
    await expect(readTexts(path)).rejects.toThrow(`${path}: must be a regular file`)
  })
})

test('endings in any case; hidden files left out; what is not read is told', async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, 'BOOK.TXT'), 'one')
    await writeFile(join(folder, 'b.Txt'), 'two')
    await writeFile(join(folder, '._BOOK.TXT'), Buffer.from([0, 5, 0xff]))
    await writeFile(join(folder, 'notes.md'), '')
    await mkdir(join(folder, '.git'))
    await writeFile(join(folder, '.git', 'x.txt'), 'hidden')
    const { texts, summary } = await openTexts(folder)
    expect(texts.map(({ name, text }) => [name, text])).toEqual([
      ['BOOK.TXT', 'one'],
      ['b.Txt', 'two'],
    ])
    expect(summary).toBe('2 texts; 1 .md not read; 2 hidden')
  })
})

test('all files that are no UTF-8 are named at once, or left out', async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, 'a.txt'), 'good')
    for (const name of ['b.txt', 'c.txt']) await writeFile(join(folder, name), Buffer.from('caf\xe9 ', 'latin1'))
    expect((await told(() => openTexts(folder))).replaceAll(folder, '.')).toBe(
      'UsageError: .: 2 entries cannot be used: ' +
        'b.txt: must be UTF-8, found byte 0xe9 at 3 (iconv -f latin1 -t utf-8 ./b.txt > NEW), ' +
        'c.txt: must be UTF-8, found byte 0xe9 at 3 (iconv -f latin1 -t utf-8 ./c.txt > NEW) | convert or remove them',
    )
    const { texts, summary } = await openTexts(folder, { onError: 'skip' })
    expect(texts).toHaveLength(1)
    expect(summary).toMatch(/^1 text; 2 left out \(b\.txt: /)
  })
})
