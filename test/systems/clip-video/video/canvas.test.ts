import { describe, expect, test } from 'vitest'
import { findDataSet, isFetched } from '../../../../src/data/catalog/cache.ts'
import { captionFont, drawCaption } from '../../../../src/systems/clip-video/video/canvas.ts'

const hasFont = isFetched(findDataSet('caption-font'))

describe('captions', () => {
  test.each([
    '',
    ' ',
    '\u00a0 \u200b',
    '\u2060',
    '\u2800',
    '\u3164',
    '\u00ad\ufe0f',
    '\u0007\u0000',
    '\u202e',
    '\ufffc',
  ])('there is nothing to see of %j', async (text) => {
    expect(await drawCaption(text, 720, 'no.ttf')).toBeUndefined()
  })

  test.skipIf(!hasFont)('letters are of at least a pixel, however small the canvas', async () => {
    for (const canvas of [2, 8, 720]) {
      const { alpha } = (await drawCaption('an owl', canvas, captionFont())) ?? { alpha: [] }
      expect(alpha.some((white) => white > 0)).toBe(true)
    }
  })

  test.skipIf(!hasFont)('control characters are not drawn', async () => {
    const plain = await drawCaption('a fox', 720, captionFont())
    expect(await drawCaption('\u0000a \u0007fox', 720, captionFont())).toEqual(plain)
  })
})
