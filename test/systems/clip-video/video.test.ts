import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as ops from '../../../src/ops/index.ts'
import { captionOf, wrapText } from '../../../src/systems/clip-video/video/captions.ts'
import { cutOut, cutoutPlaces, drawCutout } from '../../../src/systems/clip-video/video/cutouts.ts'
import { officialFrames, stretchedBytes } from '../../../src/systems/clip-video/video/frames.ts'
import { blendWeights, ease } from '../../../src/systems/clip-video/video/interpolation.ts'
import { officialLyrics } from '../../../src/systems/clip-video/video/official-lyrics.ts'
import { tensor } from '../../../src/tensor/tensor.ts'
import { Generator } from '../../../src/util/random.ts'
import { valuesOf } from '../../support/values.ts'

describe('lyrics of the original', () => {
  test('the title before the first line, and nine seconds after the last', () => {
    expect(officialLyrics('00:02 one\n01:00 two\n')).toEqual([
      { time: 0, text: 'start song' },
      { time: 2, text: 'one' },
      { time: 60, text: 'two' },
      { time: 69, text: 'end song' },
    ])
  })

  test('a bad line is named by its number', () => {
    expect(() => officialLyrics('00:01 a\n\n00:02 b')).toThrow(
      'lyrics, line 2: must have a time MM:SS, a space and a text, found ""',
    )
    expect(() => officialLyrics('60:00 an hour')).toThrow(
      'lyrics, line 1: minutes must be at most 59 and seconds at most 61, found 60:00',
    )
    expect(() => officialLyrics('')).toThrow('lyrics: there are no lines')
  })

  // What Python's re and strptime say to the same texts.
  test('all lines are looked at before their times, whose first digits are ASCII', () => {
    expect(() => officialLyrics('00:62 late\n\n')).toThrow('line 2: must have a time')
    expect(officialLyrics('0\u0661:5\u0662 x')[1]).toEqual({ time: 112, text: 'x' })
    expect(officialLyrics('59:61 x')[1]).toEqual({ time: 3601, text: 'x' })
    expect(() => officialLyrics('\u0660\u0661:00 x')).toThrow('minutes must be at most 59')
    expect(() => officialLyrics('00:6\u0660 x')).toThrow('seconds at most 61')
  })
})

describe('captions', () => {
  test('no line is longer than allowed, and no character but white space is lost', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z -]{0,60}$/), fc.integer({ min: 1, max: 20 }), (text, width) => {
        const lines = wrapText(text, width).split('\n')
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width)
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''))
      }),
      { seed: 1 },
    )
  })

  test('they break at dashes between words, before which or behind which there is room', () => {
    expect(wrapText('my hair\u2014smells like an old dishrag', 12)).toBe('my hair\u2014\nsmells like\nan old\ndishrag')
    expect(wrapText('my hair--smells', 8)).toBe('my hair\n--smells')
    expect(wrapText('a dash \u2014 alone', 8)).toBe('a dash \u2014\nalone')
  })

  test('before the first line there is none', () => {
    expect(captionOf('start song')).toBe(' ')
    expect(captionOf('end song')).toBe('end song')
  })
})

describe('cutouts', () => {
  test('drawn ones are within the picture', () => {
    const random = new Generator(1)
    for (let i = 0; i < 200; i++) {
      const { size, row, column, left, right, top, bottom } = drawCutout(random, 32)
      expect(row + size <= 32 && column + size <= 32 && size >= 11 && size <= 22).toBe(true)
      expect(left + right === top + bottom && left + right <= 3).toBe(true)
    }
  })

  test('white around a part of the picture, by the nearest neighbour', async () => {
    const box = { size: 2, row: 1, column: 0, left: 1, right: 0, top: 0, bottom: 1 }
    const picture = ops.reshape(tensor(Array.from({ length: 27 }, (_, i) => i)), [1, 3, 3, 3])
    const values = await valuesOf(() => cutOut(picture, tensor(cutoutPlaces([box], 3, 3)), -5))
    expect(values.slice(0, 9)).toEqual([-5, 3, 4, -5, 6, 7, -5, -5, -5])
    expect(() => cutoutPlaces([{ ...box, row: 2 }], 3, 3)).toThrow(
      'cutouts: a square of 2 pixels at 2, 0 is not within 3 pixels',
    )
  })
})

test('easing is symmetric and ends where it should', () => {
  expect([ease(0), ease(0.5), ease(1)]).toEqual([0, 0.5, 1])
  expect(ease(0.25)).toBeCloseTo(0.150326, 6)
  expect(ease(0.25) + ease(0.75)).toBeCloseTo(1, 12)
  expect([blendWeights(0), blendWeights(1), blendWeights(3)]).toEqual([[], [0], [0, 0.5, 1]])
})

test('frames: a sum of tenths is a little more than two seconds', () => {
  expect(officialFrames(20, 2, 24)).toHaveLength(49)
  expect(officialFrames(3, 1, 24).filter((i) => i === 1)).toHaveLength(8)
})

test('colours within 0 to 1 keep their values, others are stretched', () => {
  expect([...stretchedBytes([0, 0.5, 1], 1, 1)]).toEqual([0, 127, 255])
  expect([...stretchedBytes([-1, 0, 3], 1, 1)]).toEqual([0, 64, 255])
  expect([...stretchedBytes([1.7, 1.7, 1.7], 1, 1)]).toEqual([1, 1, 1])
})
