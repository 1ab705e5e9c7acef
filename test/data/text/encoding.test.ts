import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeUtf8 } from '../../../src/data/text/encoding.ts'
import { told, withFolder } from '../support.ts'

describe('decodeUtf8', () => {
  test('decodes, without a byte order mark', () => {
    expect(decodeUtf8(Buffer.from('\ufeffgrün 🌷'), 'a.txt')).toBe('grün 🌷')
  })

  test('names the byte at which the first wrong character starts, and the encoding', async () => {
    const messages = [
      Buffer.from('gr\xfcn', 'latin1'),
      Buffer.from('caf\xe9 au lait.', 'latin1'),
      Buffer.from('caf\xe9', 'latin1'),
      Buffer.from('it\x92s', 'latin1'),
      Buffer.from('🌷').subarray(0, 3),
      Buffer.from([0x61, 0xed, 0xa0, 0x80, ...Buffer.from(' and so on')]),
      Buffer.from('\ufeffhello', 'utf16le'),
      Buffer.from('hello', 'utf16le'),
      Buffer.from([0, 1, 2, 0x61, 0x62, 0x63, 0x64]),
    ].map((bytes) => told(() => decodeUtf8(bytes, 'my text.csv')))
    expect(await Promise.all(messages)).toEqual([
      "FormatError: my text.csv: must be UTF-8, found byte 0xfc at 2 | iconv -f latin1 -t utf-8 'my text.csv' > NEW",
      "FormatError: my text.csv: must be UTF-8, found byte 0xe9 at 3 | iconv -f latin1 -t utf-8 'my text.csv' > NEW",
      "FormatError: my text.csv: must be UTF-8, found byte 0xe9 at 3 | iconv -f latin1 -t utf-8 'my text.csv' > NEW",
      "FormatError: my text.csv: must be UTF-8, found byte 0x92 at 2 | iconv -f cp1252 -t utf-8 'my text.csv' > NEW",
      'FormatError: my text.csv: must be UTF-8, found byte 0xf0 at 0, where it ends in the middle of a character | it seems to be cut off',
      "FormatError: my text.csv: must be UTF-8, found byte 0xed at 1 | its encoding is not recognised; if you know it: iconv -f ENCODING -t utf-8 'my text.csv' > NEW",
      "FormatError: my text.csv: must be UTF-8, found the byte order mark of utf-16 | iconv -f utf-16 -t utf-8 'my text.csv' > NEW",
      "FormatError: my text.csv: must be UTF-8, found byte 0x00 at 1 | iconv -f utf-16le -t utf-8 'my text.csv' > NEW",
      'FormatError: my text.csv: must be UTF-8, found byte 0x00 at 0 | it does not seem to be text',
    ])
  })

  test('the place is right whatever stands around it', async () => {
    const valid = fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.replaceAll('\0', ' '))
    await fc.assert(
      fc.asyncProperty(valid, valid, async (before, after) => {
        const start = Buffer.from(before)
        const error = await told(() => decodeUtf8(Buffer.concat([start, Buffer.from([0xff]), Buffer.from(after)]), 'x'))
        expect(error).toContain(`found byte 0xff at ${start.length} |`)
      }),
      { seed: 7, numRuns: 30 },
    )
  })

  test('a text that is cut off after the first byte of a character is told so', async () => {
    const cutOff = Buffer.from('café, été').subarray(0, -1)
    expect(await told(() => decodeUtf8(cutOff, 'x.txt'))).toBe(
      'FormatError: x.txt: must be UTF-8, found byte 0xc3 at 10, where it ends in the middle of a character | it seems to be cut off',
    )
  })

  test.each([
    ['a row of Chinese in an English table', 'b9a7cfb2c4fabbf1b5c3b4f3bdb12cc7ebd6c2b5e7c1ecc8a1'],
    ["the old Mac's accents", '6361668e207472 8f73 6167728e61626c65'],
  ])('weak evidence is none: %s', async (_, hex) => {
    const bytes = Buffer.concat([
      Buffer.from('text,label\nhello,a\n'.repeat(9)),
      Buffer.from(hex.replaceAll(' ', ''), 'hex'),
    ])
    expect(await told(() => decodeUtf8(bytes, 'x.csv'))).toContain('its encoding is not recognised')
  })

  test('an encoding that cannot be told is not guessed', async () => {
    const noise = Uint8Array.from({ length: 400 }, (_, i) => 0x80 + ((i * 7919 + ((i * i) % 31)) % 128))
    expect(await told(() => decodeUtf8(noise, 'x.txt'))).toMatch(
      / \| its encoding is not recognised; if you know it: iconv -f ENCODING -t utf-8 x\.txt > NEW$/,
    )
  })

  const iconv = process.platform === 'linux' || process.platform === 'darwin'
  test.skipIf(!iconv).each([
    ['latin1', 'Ça été déjà vu à Genève'],
    ['cp1252', 'He said “it’s done”'],
    ['utf-16', 'plain words'],
    ['gb18030', '国家主席今天在北京会见了来访的客人'],
    ['big5', '國家主席今天在北京會見了來訪的客人'],
    ['cp932', '今日は天気がいいので、公園へ散歩に行きました。'],
    ['cp949', '오늘은 날씨가 좋아서 공원에 산책하러 갔습니다.'],
    ['cp1251', 'Сегодня хорошая погода и мы пошли гулять'],
    ['cp932', 'テスト'],
    ['cp932', 'text,label\nこんにちは,a\n'],
    ['gb18030', 'text,label\n今天天气很好,weather\n我们去公园散步,leisure\n这个电影不好看,film\n'],
    ['cp949', 'text,label\n오늘은 날씨가 좋다,weather\n이 영화는 재미가 없다,film\n'],
    ['euc-jp', '今日は天気がいいので、公園へ散歩に行きました。'],
    ['koi8-r', 'text,label\nСегодня хорошая погода,weather\nмы пошли гулять,leisure\n'],
    ['cp866', 'Сегодня хорошая погода и мы пошли гулять'],
    ['cp1253', 'Σήμερα ο καιρός είναι καλός'],
    ['cp1255', 'היום מזג האוויר יפה מאוד'],
    ['cp1256', 'الطقس اليوم جميل جدا'],
    ['cp874', 'วันนี้อากาศดีมาก'],
    ['cp1250', 'Dziś jest ładna pogoda, więc poszliśmy się przejść. Zażółć gęślą jaźń'],
    ['latin1', 'text,label\nÜbergrößenträger,a\nmañana,b\n'],
  ])('the hint turns %s into what was written', async (encoding, text) => {
    await withFolder(async (folder) => {
      const path = join(folder, "it's.txt")
      const bytes = execFileSync('iconv', ['-f', 'utf-8', '-t', encoding], { input: text })
      writeFileSync(path, bytes)
      const hint = (await told(() => decodeUtf8(bytes, path))).split(' | ')[1] ?? ''
      expect(hint).toMatch(/ > NEW$/)
      expect(execFileSync('sh', ['-c', hint.replace(/ > NEW$/, '')], { encoding: 'utf8' })).toBe(text)
    })
  })
})
