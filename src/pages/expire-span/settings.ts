/** Sizes of the page's model and training, and what can be chosen. */

export const sizes = {
  width: 32,
  inner: 64,
  heads: 4,
  /** M, tokens of a block. */
  block: 16,
  rows: 16,
  steps: 1200,
  lr: 3e-3,
  warmup: 100,
  /** What is kept is noted after so many steps. */
  recorded: 5,
  /** Looks of a step that means nothing. */
  views: 10,
  /** Tokens of each row of the test text. */
  test: 960,
} as const

export const tasks = [
  { value: 'corridor', label: 'a corridor: one object' },
  { value: 'before', label: 'two objects: told before which matters' },
  { value: 'after', label: 'the same, told after them' },
] as const
export type TaskName = (typeof tasks)[number]['value']

export const memories = [
  { value: 'expire', label: 'Expire-Span' },
  { value: 'fixed-32', label: 'fixed span 32' },
  { value: 'fixed-128', label: 'fixed span 128' },
] as const
export type MemoryName = (typeof memories)[number]['value']

interface Shape {
  readonly layers: number
  /** S, the longest span. */
  readonly longest: number
  /** The span that memories begin with, as a part of it: shorter than episodes, or none fades. */
  readonly first: number
  /** Steps before a question, at most: of the texts that are learned, and of those that it is tested with. */
  readonly train: number
  readonly test: number
}

/** What belongs to a task. */
export const shapes: Readonly<Record<TaskName, Shape>> = {
  corridor: { layers: 1, longest: 256, first: 0.25, train: 100, test: 200 },
  // A second layer, so that a memory can know what was said before it.
  before: { layers: 2, longest: 128, first: 0.4, train: 80, test: 80 },
  after: { layers: 2, longest: 128, first: 0.4, train: 80, test: 80 },
}

/** How far back each token is seen; undefined where every memory says it itself. */
export function fixedSpan(memory: MemoryName): number | undefined {
  return memory === 'expire' ? undefined : Number(memory.slice('fixed-'.length))
}

/** What is made anew when it is changed. */
export interface ExpirePageSettings {
  readonly task: TaskName
  readonly memory: MemoryName
  /** R */
  readonly ramp: number
  /** Weight of the span loss, until another is set. */
  readonly price: number
  readonly seed: number
}

/** What remembering may cost: weights of the span loss, from which the slider chooses. */
export const prices: readonly number[] = [0, 1e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 1e-2]

const taskNames: Readonly<Record<TaskName, string>> = { corridor: '', before: ', told before', after: ', told after' }

/** The name of a training among others. */
export function nameOf({ task, memory, ramp }: Pick<ExpirePageSettings, 'task' | 'memory' | 'ramp'>): string {
  const label = memories.find(({ value }) => value === memory)?.label ?? memory
  return `${label}${fixedSpan(memory) === undefined ? `, R = ${ramp}` : ''}${taskNames[task]}`
}
