/**
 * Object collision (section 5.1): coloured particles wander on a grid; where did the last two of these colours meet? The answer may be
 * thousands of tokens back. Rules of the official generator, in its float32: a place half-way between cells rounds as there.
 */
import { roundHalfEven } from '../../../util/rounding.ts'
import type { Draws, QuestionText, World } from './text.ts'

/** The world; defaults are the paper's. */
export interface CollisionOptions {
  readonly num_particles?: number
  readonly num_colors?: number
  /** Rows and columns. */
  readonly grid_size?: number
  /** Standard deviation of velocities, cells a step. */
  readonly speed?: number
  readonly color_change_prob?: number
  /** Part of the queries that ask for the particles that met last, by the colours that they have now. */
  readonly easy_q?: number
}

interface Particle {
  place: readonly [number, number]
  velocity: readonly [number, number]
  color: number
}

/** Tokens of one step: row, column and colour of each particle, and the two colours of a query. */
export function tokensPerStep(particles: number): number {
  return 3 * particles + 2
}

/**
 * `steps` steps of one world. Labels are 1 to 4, the quadrant, at the last token of a query whose colours have met; else 0: not to be
 * answered.
 */
export function generateCollisions(steps: number, draws: Draws, options: CollisionOptions = {}): QuestionText {
  const {
    num_particles = 2,
    num_colors = 5,
    grid_size = 16,
    speed = 0.5,
    color_change_prob = 0.05,
    easy_q = 0.4,
  } = options
  const scaled = (draw: number, factor: number): number => Math.fround(Math.fround(draw) * Math.fround(factor))
  const velocity = (): readonly [number, number] => [scaled(draws.normal(), speed), scaled(draws.normal(), speed)]
  const last = grid_size - 1
  const places = times(num_particles, () => [scaled(draws.uniform(), last), scaled(draws.uniform(), last)] as const)
  const velocities = times(num_particles, velocity)
  const colors = times(num_particles, () => draws.integer(num_colors))
  const particles: Particle[] = places.map((place, i) => ({
    place,
    velocity: velocities[i] ?? [0, 0],
    color: colors[i] ?? 0,
  }))
  const isInside = (value: number): boolean => value > 0 && value < last
  const tokens: number[] = []
  const labels: number[] = []
  const distances: number[] = []
  const width = tokensPerStep(num_particles)
  // By the colours of the first and of the second particle.
  const meetings = new Map<string, { readonly cell: readonly [number, number]; readonly seen: number }>()
  let latest: readonly [Particle, Particle] | undefined

  for (let step = 0; step < steps; step++) {
    for (const particle of particles) {
      let next = moved(particle)
      while (!next.every(isInside)) {
        particle.velocity = velocity()
        next = moved(particle)
      }
      particle.place = next
      if (draws.uniform() < color_change_prob) particle.color = draws.integer(num_colors)
    }
    const cells = particles.map(({ place: [row, column] }) => [roundHalfEven(row), roundHalfEven(column)] as const)
    for (const [p, first] of particles.entries()) {
      for (const [q, second] of particles.entries()) {
        const [cell, other] = [cells[p], cells[q]]
        if (q <= p || !cell || cell.join() !== other?.join()) continue
        latest = [first, second]
        meetings.set([first.color, second.color].join(), { cell, seen: step * width + 3 * num_particles - 1 })
      }
    }
    // Before anybody has met, the easy question is for the color -1, whose token is that of the last particle color.
    const query =
      draws.uniform() < easy_q
        ? [latest?.[0].color ?? -1, latest?.[1].color ?? -1]
        : [draws.integer(num_colors), draws.integer(num_colors)]
    const meeting = meetings.get(query.join())
    for (const [i, [row, column]] of cells.entries())
      tokens.push(row, grid_size + column, 2 * grid_size + (particles[i]?.color ?? 0))
    tokens.push(...query.map((color) => 2 * grid_size + num_colors + color))
    const nothing = times(width - 1, () => 0)
    labels.push(...nothing, meeting ? quadrant(meeting.cell, grid_size) : 0)
    distances.push(...nothing, meeting ? (step + 1) * width - 1 - meeting.seen : 0)
  }
  return { tokens, labels, distances, elapsed: tokens.map((_, i) => i) }
}

/** Sizes of a world, all of them set. */
export type CollisionWorld = Required<CollisionOptions>

/** The same for a number of tokens. */
export const collisions: World<CollisionWorld> = {
  generate: (length, draws, options) => {
    const steps = Math.ceil(length / tokensPerStep(options.num_particles))
    const { tokens, labels, distances, elapsed } = generateCollisions(steps, draws, options)
    return {
      tokens: tokens.slice(0, length),
      labels: labels.slice(0, length),
      distances: distances.slice(0, length),
      elapsed: elapsed.slice(0, length),
    }
  },
  names: ({ grid_size, num_colors }) => [
    ...times(grid_size, (i) => `row ${i}`),
    ...times(grid_size, (i) => `column ${i}`),
    ...times(num_colors, (i) => `colour ${i}`),
    ...times(num_colors, (i) => `where ${i}`),
  ],
  classes: () => 4,
}

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))

function moved({ place, velocity }: Particle): readonly [number, number] {
  return [Math.fround(place[0] + velocity[0]), Math.fround(place[1] + velocity[1])]
}

function quadrant([row, column]: readonly [number, number], grid: number): number {
  return 1 + 2 * roundHalfEven((row + 0.5) / grid) + roundHalfEven((column + 0.5) / grid)
}
