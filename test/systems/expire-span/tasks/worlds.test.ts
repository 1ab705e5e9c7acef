import { describe, expect, test } from 'vitest'
import { collisions, generateCollisions, tokensPerStep } from '../../../../src/systems/expire-span/tasks/collisions.ts'
import { copy } from '../../../../src/systems/expire-span/tasks/copy.ts'
import { corridor } from '../../../../src/systems/expire-span/tasks/corridor.ts'
import { cue } from '../../../../src/systems/expire-span/tasks/cue.ts'
import { errorByDistance, shareBeyond } from '../../../../src/systems/expire-span/tasks/distances.ts'
import { instruction } from '../../../../src/systems/expire-span/tasks/instruction.ts'
import { portal } from '../../../../src/systems/expire-span/tasks/portal.ts'
import { guessingError } from '../../../../src/systems/expire-span/tasks/questions.ts'
import { drawsOf, type QuestionText, type World, walkLength } from '../../../../src/systems/expire-span/tasks/text.ts'

/** A text, each token by its name. */
function written<Options>(world: World<Options>, options: Options, length: number) {
  const text = world.generate(length, drawsOf(7), options)
  const names = world.names(options)
  expect([text.tokens.length, text.labels.length, text.distances.length]).toEqual([length, length, length])
  expect(text.tokens.every((token) => Number.isInteger(token) && token >= 0 && token < names.length)).toBe(true)
  const steps = text.tokens.map((token, i) => ({
    name: names[token] ?? '',
    label: text.labels[i] ?? 0,
    distance: text.distances[i] ?? 0,
    /** The token that the distance leads back to. */
    seen: names[text.tokens[i - (text.distances[i] ?? 0)] ?? 0] ?? '',
  }))
  // A label and a distance go together, and answers are of the classes.
  const classes = world.classes(options)
  expect(steps.every(({ label, distance }) => label > 0 === distance > 0 && label <= classes)).toBe(true)
  return { text, steps, asked: steps.filter(({ label }) => label > 0) }
}

test('object collisions are added up in float32, as the official generator does it', () => {
  let drawn = 0
  const draws = { uniform: () => (drawn++ < 2 ? 0.2 / 15 : 1), normal: () => 0.1, integer: () => 0 }
  const { tokens } = generateCollisions(6, draws, { num_particles: 1, grid_size: 16 })
  // 0.2 and six times 0.05: 0.49999999999999994 in double precision, above a half in single.
  expect([tokens[0], tokens[20], tokens[25]]).toEqual([0, 0, 1])
})

/** Runs of steps that mean nothing, between others. */
function walksIn(steps: readonly { readonly name: string }[]): number[] {
  const others = steps.flatMap(({ name }, i) => (name.startsWith('step ') ? [] : [i]))
  return others.slice(1).map((at, i) => at - (others[i] ?? 0) - 1)
}

describe('corridor', () => {
  const options = { colors: 3, min_length: 2, max_length: 9, log_lengths: false, views: 4 }

  test('the doors ask for the object before the corridor', () => {
    const { steps, asked } = written(corridor, options, 2000)
    expect(asked.every(({ name, label, seen }) => name === 'doors' && seen === `object ${label - 1}`)).toBe(true)
    const lengths = asked.map(({ distance }) => distance - 1)
    expect([Math.min(...lengths), Math.max(...lengths)]).toEqual([2, 9])
    // Nothing but objects, corridors and doors, in this order.
    const others = steps.filter(({ name }) => !name.startsWith('step ')).map(({ name }) => name.split(' ')[0])
    expect(others.every((name, i) => name === (i % 2 === 0 ? 'object' : 'doors'))).toBe(true)
    expect(new Set(asked.map(({ label }) => label))).toEqual(new Set([1, 2, 3]))
  })

  test('may be tens of thousands of steps long', () => {
    const { asked } = written(corridor, { ...options, min_length: 50_000, max_length: 50_000 }, 50_002)
    expect(asked).toMatchObject([{ name: 'doors', distance: 50_001 }])
  })

  test('lengths by their order of magnitude', () => {
    const draws = drawsOf(3)
    const lengths = Array.from({ length: 4000 }, () => walkLength({ min: 9, max: 999, log: true }, draws))
    expect([Math.min(...lengths), Math.max(...lengths)]).toEqual([9, expect.closeTo(999, -1.5)])
    const below = lengths.filter((length) => length < 99).length
    expect(below / 4000).toBeCloseTo(0.5, 1)
  })
})

test('portal: asked where the right door is known, which never changes within an episode', () => {
  const options = { rooms: 4, doors: 3, min_walk: 1, max_walk: 5, views: 4 }
  const { steps, asked } = written(portal, options, 6000)
  const events = steps.filter(({ name }) => !name.startsWith('step '))
  let room = 0
  const found = new Map<number, { right?: number; wrong: Set<number> }>()
  let episodes = 0
  for (let i = 0; i + 1 < events.length; i += 2) {
    const [at, through] = [events[i], events[i + 1]]
    expect(at?.name).toBe(`room ${room}`)
    const [, where, door, led] = /^(\d+): (\d+) (on|back)$/.exec(through?.name ?? '') ?? []
    expect(Number(where)).toBe(room)
    const known = found.get(room) ?? { wrong: new Set<number>() }
    const right = known.right ?? (known.wrong.size === 2 ? [0, 1, 2].find((each) => !known.wrong.has(each)) : undefined)
    expect(at?.label).toBe(right === undefined ? 0 : right + 1)
    // What is known is used; what led back is not tried again.
    if (right !== undefined) expect([Number(door), led]).toEqual([right, 'on'])
    expect(known.wrong.has(Number(door))).toBe(false)
    if (led === 'on') found.set(room, { ...known, right: Number(door) })
    else found.set(room, { ...known, wrong: known.wrong.add(Number(door)) })
    room = led === 'on' ? room + 1 : 0
    if (room === 4) {
      room = 0
      found.clear()
      episodes++
    }
  }
  expect(episodes).toBeGreaterThan(20)
  expect(asked.every(({ name, seen }) => seen.startsWith(`${name.replace('room ', '')}: `))).toBe(true)
  expect(Math.max(...walksIn(steps))).toBe(5)
})

test('instruction: carried out in the order in which they were told', () => {
  const options = { instructions: 3, colors: 5, min_walk: 2, max_walk: 6, views: 3 }
  const { steps, asked } = written(instruction, options, 3000)
  const events = steps.filter(({ name }) => !name.startsWith('step ')).map(({ name }) => name)
  for (const [i, name] of events.entries()) {
    const number = i % 3
    expect(name).toMatch(i % 6 < 3 ? new RegExp(`^${number} is \\d$`) : new RegExp(`^do ${number}$`))
  }
  expect(asked.every(({ name, label, seen }) => seen === `${name.replace('do ', '')} is ${label - 1}`)).toBe(true)
  const walks = walksIn(steps).filter((length) => length > 0)
  expect([Math.min(...walks), Math.max(...walks)]).toEqual([2, 6])
})

test('copy: the same symbols again, in order', () => {
  const { steps, asked } = written(copy, { length: 5, symbols: 8 }, 11 * 30)
  for (let start = 0; start < steps.length; start += 11) {
    const names = steps.slice(start, start + 11).map(({ name }) => name)
    expect(names[5]).toBe('mark')
    expect(names.slice(6)).toEqual(names.slice(0, 5))
    // The mark asks for the first symbol, each symbol for the one after it, the last for nothing.
    const answers = steps.slice(start + 5, start + 11).map(({ label }) => (label > 0 ? `symbol ${label - 1}` : ''))
    expect(answers).toEqual([...names.slice(0, 5), ''])
  }
  expect(asked.every(({ distance, seen, label }) => distance === 5 && seen === `symbol ${label - 1}`)).toBe(true)
})

test.each(['before', 'after'] as const)('cue: said %s the objects which one will be asked for', (order) => {
  const options = { objects: 4, colors: 3, cue: order, min_length: 1, max_length: 4, views: 3 }
  const { steps, asked } = written(cue, options, 2000)
  const events = steps.filter(({ name }) => !name.startsWith('step ')).map(({ name }) => name)
  for (let i = 0; i + 6 <= events.length; i += 6) {
    const episode = events.slice(i, i + 6)
    const said = order === 'before' ? episode[0] : episode[4]
    const objects = order === 'before' ? episode.slice(1, 5) : episode.slice(0, 4)
    const wanted = said?.replace(' matters', '')
    expect(episode[5]).toBe(`which ${wanted}?`)
    expect(objects.map((name) => name.split(':')[0]).sort()).toEqual([0, 1, 2, 3].map((kind) => `object ${kind}`))
  }
  expect(asked.every(({ name, label, seen }) => seen === `object ${/\d/.exec(name)?.[0]}: ${label - 1}`)).toBe(true)
})

describe('object collision', () => {
  const world = { num_particles: 3, num_colors: 4, grid_size: 5, speed: 0.5, color_change_prob: 0.05, easy_q: 0.4 }
  const { tokens, labels, distances } = generateCollisions(400, drawsOf(5), world)

  test('the labels follow from the tokens', () => {
    const width = tokensPerStep(3)
    const met = new Map<string, { readonly quadrant: number; readonly step: number }>()
    for (let step = 0; step < 400; step++) {
      const row = tokens.slice(step * width, (step + 1) * width)
      const objects = [0, 1, 2].map((p) => row.slice(3 * p, 3 * p + 3) as [number, number, number])
      for (const [p, [r, c, color]] of objects.entries()) {
        expect([r >= 0 && r < 5, c >= 5 && c < 10, color >= 10 && color < 14]).toEqual([true, true, true])
        for (const [otherRow, otherColumn, otherColor] of objects.slice(p + 1))
          if (r === otherRow && c === otherColumn) {
            const quadrant = 1 + 2 * ((r + 0.5) / 5 > 0.5 ? 1 : 0) + ((c - 4.5) / 5 > 0.5 ? 1 : 0)
            met.set(`${color},${otherColor}`, { quadrant, step })
          }
      }
      const query = met.get(
        row
          .slice(-2)
          .map((token) => token - 4)
          .join(),
      )
      expect(labels.slice(step * width, (step + 1) * width - 1).every((label) => label === 0)).toBe(true)
      const last = (step + 1) * width - 1
      expect([labels[last], distances[last]]).toEqual(
        query ? [query.quadrant, (step - query.step) * width + 2] : [0, 0],
      )
    }
    expect(met.size).toBeGreaterThan(4)
  })

  test('as a text of any length', () => {
    expect(written(collisions, world, 3001).asked.length).toBeGreaterThan(20)
  })
})

test('errors by distance, and what a span cannot reach', () => {
  const text: QuestionText = {
    tokens: [0, 0, 0, 0],
    labels: [1, 0, 2, 1],
    distances: [5, 0, 7, 9],
    elapsed: [5, 6, 7, 9],
  }
  expect(errorByDistance([text], [[1, 0, 0, 1]])).toEqual([
    { from: 4, questions: 2, error: 0.5 },
    { from: 8, questions: 1, error: 1 },
  ])
  expect(shareBeyond([text], 6)).toBeCloseTo(2 / 3)
  expect(guessingError([text])).toBeCloseTo(1 / 3)
})
