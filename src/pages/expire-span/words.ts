/** The words of the page's texts as tokens of the tasks (src/systems/expire-span/tasks). Any text can be read: a word without a meaning is a step. */
import { sizes, type TaskName } from './settings.ts'

export const colors = ['red', 'blue', 'green', 'yellow'] as const
export const kinds = ['hat', 'key'] as const
/** A step of each look; other words look like one of them. */
const steps = ['stone', 'wall', 'arch', 'dust', 'echo', 'draft', 'rope', 'crate', 'shadow', 'corner']

/** What a word means: a step nothing, an object its colour, a cue which kind matters; a question wants an answer. */
export type Role = 'step' | 'object' | 'cue' | 'question'

/** A word of a text, or two that mean one thing. */
export interface Word {
  readonly text: string
  readonly token: number
  readonly role: Role
  /** Words of its episode before it. */
  readonly elapsed: number
  /** Of a question, the colour that is right; undefined where the text does not say it. */
  readonly answer: number | undefined
}

/** Words of a text that are read at most. */
export const longest = 256

const at = (list: readonly string[], word: string | undefined): number => list.indexOf(word ?? '')

/** The look of a word without a meaning. */
function viewOf(word: string): number {
  const own = at(steps, word)
  return own >= 0 ? own : [...word].reduce((sum, character) => sum + (character.codePointAt(0) ?? 0), 0) % sizes.views
}

/** Token, role and colour or kind of the first word of some, and how many of them it takes. */
function meaningOf(task: TaskName, [first = '', second]: readonly string[]) {
  const objects = sizes.views + (task === 'corridor' ? colors.length : kinds.length * colors.length)
  const [word, mark] = [first.replace(/[^\p{L}\d]/gu, ''), first.at(-1)]
  const color = at(colors, word)
  const step = { token: viewOf(word), role: 'step', of: -1, takes: 1 } as const
  if (task === 'corridor') {
    if (color >= 0) return { token: sizes.views + color, role: 'object', of: 0, color, takes: 1 } as const
    return word === 'door' && mark === '?' ? ({ token: objects, role: 'question', of: 0, takes: 1 } as const) : step
  }
  const [kind, next] = [at(kinds, word), at(kinds, second?.replace(/[^\p{L}\d]/gu, ''))]
  if (kind >= 0 && mark === '!') return { token: objects + kind, role: 'cue', of: kind, takes: 1 } as const
  if (kind >= 0 && mark === '?')
    return { token: objects + kinds.length + kind, role: 'question', of: kind, takes: 1 } as const
  if (color < 0 || next < 0 || /[?!]$/.test(second ?? '')) return step
  return { token: sizes.views + next * colors.length + color, role: 'object', of: next, color, takes: 2 } as const
}

/**
 * A text as the model reads it. An episode, which begins with an empty memory, ends with its question; another begins, too, with what texts of the
 * task begin with: the object of a corridor, the cue that is told before.
 */
export function wordsOf(text: string, task: TaskName): Word[] {
  const parts = text.split(/\s+/).filter((part) => part !== '')
  const first: Role | undefined = { corridor: 'object', before: 'cue', after: undefined }[task] as Role | undefined
  const found: Word[] = []
  let start = 0
  let seen = new Map<number, number>()
  for (let i = 0; i < parts.length && found.length < longest; ) {
    const { token, role, of, color, takes } = {
      color: undefined,
      ...meaningOf(
        task,
        parts.slice(i, i + 2).map((part) => part.toLowerCase()),
      ),
    }
    if (role === first) [start, seen] = [found.length, new Map()]
    if (color !== undefined) seen.set(of, color)
    const answer = role === 'question' ? seen.get(of) : undefined
    found.push({ text: parts.slice(i, i + takes).join(' '), token, role, elapsed: found.length - start, answer })
    if (role === 'question') [start, seen] = [found.length, new Map()]
    i += takes
  }
  return found
}

/** Words as numbers, padded to whole blocks by steps, which nothing before them sees. */
export function encode(words: readonly Word[]): { tokens: Int32Array; elapsed: Int32Array } {
  const length = Math.max(1, Math.ceil(words.length / sizes.block)) * sizes.block
  const last = words.at(-1)?.elapsed ?? -1
  const tokens = Int32Array.from({ length }, (_, i) => words[i]?.token ?? 0)
  const elapsed = Int32Array.from({ length }, (_, i) => words[i]?.elapsed ?? last + 1 + i - words.length)
  return { tokens, elapsed }
}

/** A text of the task whose question comes after so many steps. `random`: in [0, 1). */
export function compose(task: TaskName, length: number, random: () => number): string {
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? ''
  const walk = Array.from({ length }, () => pick(steps))
  if (task === 'corridor') return [pick(colors), ...walk, 'door?'].join(' ')
  const wanted = pick(kinds)
  const order = kinds.map((kind) => ({ kind, at: random() })).sort((a, b) => a.at - b.at)
  const objects = order.map(({ kind }) => `${pick(colors)} ${kind}`)
  const told = task === 'before' ? [`${wanted}!`, ...objects] : [...objects, `${wanted}!`]
  return [...told, ...walk, `${wanted}?`].join(' ')
}

const facts = 'There is a green hat and a red key.'
const way =
  'Now we walk along the wall, under an arch, past a crate and a rope, through dust and shadow, around one corner and the next; we hear an echo, feel a draft, count our steps, lose count of them, and'

/** What a visitor finds first. */
export const examples: Readonly<Record<TaskName, string>> = {
  corridor: `green stands at the entrance. ${way} at the other end we have to know which is the right door?`,
  before: `hat! ${facts} ${way} then somebody asks about the hat?`,
  after: `${facts} hat! ${way} then somebody asks about the hat?`,
}

const objects = 'A colour (red, blue, green, yellow) before hat or key is an object.'
const others = 'Every other word is a step that means nothing.'

/** What the words mean. */
export const rules: Readonly<Record<TaskName, string>> = {
  corridor: `A colour (red, blue, green, yellow) is the object, and begins an episode; "door?" asks which colour it was. ${others}`,
  before: `${objects} First of all "key!" says that the key matters; "key?" asks for its colour. ${others}`,
  after: `${objects} After them "key!" says that the key matters; "key?" asks for its colour. ${others}`,
}
