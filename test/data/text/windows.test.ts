import { describe, expect, test } from 'vitest'
import { DataLoader } from '../../../src/data/loader.ts'
import { tokenWindows } from '../../../src/data/text/windows.ts'
import { context, numbers, told } from '../support.ts'

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

  test('other targets than the next token', async () => {
    const targets = Int32Array.from({ length: 10 }, (_, i) => 10 * i)
    const dataset = tokenWindows(text, { length: 5, rows: 2, targets })
    const batch = await dataset.batch([0, 1], context)
    expect(letters(numbers(batch, 'input'))).toBe('abcdefghij')
    expect(numbers(batch, 'target')).toEqual([...targets])
    expect(await told(() => tokenWindows(text, { length: 2, targets: targets.subarray(1) }))).toMatchInlineSnapshot(
      `"UsageError: tokenWindows: there must be as many targets as tokens, found 9 and 10"`,
    )
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
