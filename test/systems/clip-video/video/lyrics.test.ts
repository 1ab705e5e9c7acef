import { describe, expect, test } from 'vitest'
import { readLyrics } from '../../../../src/systems/clip-video/video/lyrics.ts'
import { framePlaces, segmentsOf } from '../../../../src/systems/clip-video/video/timeline.ts'

const timed = (text: string): [number, string][] => readLyrics(text).map(({ time, text: words }) => [time, words])

describe('lyrics', () => {
  test("the original's lines, with fractions, hours and blank lines", () => {
    expect(timed('00:01 a fox\n\n00:02.5  an owl \r\n1:00:00 the end\n')).toEqual([
      [1, 'a fox'],
      [2.5, 'an owl'],
      [3600, 'the end'],
    ])
  })

  test('LRC: tags, offset, words with times, a line that is sung twice', () => {
    const text =
      '[ar:Somebody]\n[offset:+500]\n[00:01.00][00:09.00] again\n[00:04.20] <00:04.20> once <00:04.60> more\n[00:05.00]'
    expect(timed(text)).toEqual([
      [0.5, 'again'],
      [3.7, 'once more'],
      [8.5, 'again'],
    ])
  })

  test('SRT, its numbers, styles and several lines of text', () => {
    const text =
      '1\n00:00:01,250 --> 00:00:03,000\n<i>a fox</i>\nand an owl\n\n2\n00:00:04,000 --> 00:00:05,000\na star\n'
    expect(timed(text)).toEqual([
      [1.25, 'a fox and an owl'],
      [4, 'a star'],
    ])
  })

  test('an offset is of all lines, which begin at 0 at the earliest, in the order of the file', () => {
    expect(timed('[00:01.00] a\n[offset:+2500]\n[00:02.00] b\n[00:03.00] c')).toEqual([
      [0, 'a'],
      [0, 'b'],
      [0.5, 'c'],
    ])
    expect(timed('[offset: -500]\n[00:01.00] a')).toEqual([[1.5, 'a']])
    expect(timed('[offset:]\n[00:01.00][00:05.00] a\n[00:03.00] b')).toEqual([
      [1, 'a'],
      [3, 'b'],
      [5, 'a'],
    ])
  })

  test('a line without words is an empty one', () => {
    expect(timed('00:01 |\n00:02 | |\n00:03 a')).toEqual([[3, 'a']])
    expect(timed('1\n00:01 --> 00:02\n|\n\n2\n00:03 --> 00:04\na')).toEqual([[3, 'a']])
  })

  test('arrows in lyrics are text', () => {
    expect(timed('00:01 a fox --> an owl\n00:02 --> a star')).toEqual([
      [1, 'a fox --> an owl'],
      [2, '--> a star'],
    ])
    expect(timed('1\n00:01 --> 00:02\na fox --> an owl\n--> a star')).toEqual([[1, 'a fox --> an owl --> a star']])
  })

  test('several phrases, and pictures', () => {
    expect(readLyrics('00:01 a fox | a red fox | picture: fox.png')).toEqual([
      { time: 1, text: 'a fox', phrases: ['a fox', 'a red fox', 'picture: fox.png'], line: 1 },
    ])
  })

  test.each([
    ['a fox', 'lyrics: line 1 has no time: "a fox"'],
    ['00:01 a\nb\n00:75 c\n', 'lyrics: line 2 has no time: "b"; line 3 seconds must be below 60, found 75'],
    [
      '00:05 a\n\n00:05 b\n00:03 c',
      'lyrics: line 3 times must rise: 5.00 s is not after 5.00 s of line 1; line 4 times must rise: 3.00 s is not after 5.00 s of line 3',
    ],
    [
      '1\n00:01 --> x\na\n\n2\n00:02 --> 00:03\nb',
      'lyrics: line 2 must be HH:MM:SS,mmm --> HH:MM:SS,mmm, found "00:01 --> x"; line 3 is text without a time above it',
    ],
    ['[offset:soon]\n[00:01.00] a', 'lyrics: line 1 offset must be milliseconds, such as +500, found "soon"'],
    [
      '[offset:9000]\n[00:02.00] a\n[00:01.00] b',
      'lyrics: line 3 times must rise: 1.00 s is not after 2.00 s of line 2',
    ],
    ['00:01 |', 'lyrics: there is no line with a time and a text'],
    ['1\n00:00:09,000 --> 00:00:05,500\na', 'lyrics: line 2 must end after it begins, found 9.00 s to 5.50 s'],
    ['1\n00:00:09,000 --> 00:00:75,500\na', 'lyrics: line 2 seconds must be below 60, found 75'],
    ['\n\n', 'lyrics: there is no line with a time and a text'],
  ])('%j: each bad line by its number', (text, message) => {
    expect(() => readLyrics(text)).toThrow(message)
  })
})

test('frames: pictures between key pictures, by exact times', () => {
  const segments = segmentsOf([0, 2, 3], 2)
  expect(segments.map(({ weights }) => weights.length)).toEqual([4, 2])
  const places = framePlaces(segments, 14, 4).map(({ segment, picture }) => `${segment}.${picture}`)
  expect(places).toEqual([
    '0.0',
    '0.0',
    '0.1',
    '0.1',
    '0.2',
    '0.2',
    '0.3',
    '0.3',
    '1.0',
    '1.0',
    '1.1',
    '1.1',
    '1.1',
    '1.1',
  ])
  // 300 s at 24 frames a second: no drift, whatever 1 / 24 rounds to.
  const long = framePlaces(
    segmentsOf(
      Array.from({ length: 301 }, (_, i) => i),
      10,
    ),
    7200,
    24,
  )
  expect(long.every(({ segment }, k) => segment === Math.floor(k / 24))).toBe(true)
})
