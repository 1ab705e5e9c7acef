import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { emojiCategories, loadEmoji } from '../../../src/data/sources/emoji.ts'
import { context, numbers, told, withFolder } from '../support.ts'

const svg = (colour: string): string =>
  `<svg viewBox="0 0 72 72" xmlns="http://www.w3.org/2000/svg"><rect width="36" height="72" fill="${colour}"/></svg>`

async function makePackage(root: string, catalogue: unknown): Promise<void> {
  await mkdir(join(root, 'data'), { recursive: true })
  await mkdir(join(root, 'color', 'svg'), { recursive: true })
  await writeFile(join(root, 'data', 'openmoji.json'), JSON.stringify(catalogue))
  await writeFile(join(root, 'color', 'svg', '1F34E.svg'), svg('#ff0000'))
  await writeFile(join(root, 'color', 'svg', '1F3F4.svg'), svg('#000000'))
}

const apple = { hexcode: '1F34E', group: 'food-drink', skintone: '' }
const flag = { hexcode: '1F3F4', group: 'flags', skintone: '' }

test('emoji are drawn on white; skin tones and other groups are left out', () =>
  withFolder(async (root) => {
    const others = [
      { ...apple, skintone: '1' },
      { ...apple, group: 'component' },
    ]
    await makePackage(root, [apple, ...others, flag])
    const dataset = await loadEmoji({ size: 8, folder: root })
    expect(dataset.length).toBe(2)
    const batch = await dataset.batch([0, 1], context)
    expect(numbers(batch, 'label').map((label) => emojiCategories[label])).toEqual(['food-drink', 'flags'])
    const image = numbers(batch, 'image')
    const pixel = (picture: number, x: number) => [0, 1, 2].map((c) => image[(picture * 3 + c) * 64 + x])
    expect([pixel(0, 0), pixel(0, 7), pixel(1, 0)]).toEqual([
      [255, 0, 0],
      [255, 255, 255],
      [0, 0, 0],
    ])
  }))

test('a broken catalogue', () =>
  withFolder(async (root) => {
    await makePackage(root, [{ hexcode: '../../secret', group: 'flags', skintone: '' }])
    const message = await told(() => loadEmoji({ size: 8, folder: root }))
    expect(message.replace(root, 'ROOT')).toBe(
      'FormatError: ROOT/data/openmoji.json: must be a list of records with hexcode, group and skintone',
    )
  }))
