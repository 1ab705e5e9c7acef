/**
 * Where deciding once hurts: many objects, of which one will be asked for. Which one is said before them, or after. The same facts in
 * another order; a span is decided when its memory is made, so only in the first case can the others be forgotten.
 */
import { QuestionWriter, viewNames, type World, walkLength, wander } from './text.ts'

/** Sizes of the world. */
export interface CueOptions {
  /** Objects of an episode, each of another kind. */
  readonly objects: number
  readonly colors: number
  /** Whether it is said before the objects or after them which kind matters. */
  readonly cue: 'before' | 'after'
  /** Steps between the last of it and the question, at least. */
  readonly min_length: number
  readonly max_length: number
  /** Different looks of a step that means nothing. */
  readonly views: number
}

/**
 * Episodes of: the objects in any order, each with its kind and a colour, and before or after them the kind that matters; steps that mean
 * nothing; that kind again, where its colour is asked for. Tokens: the views, each kind in each colour, the cues, the questions.
 */
export const cue: World<CueOptions> = {
  generate: (length, draws, options) => {
    const { objects, colors, views } = options
    const text = new QuestionWriter(length)
    const walk = { min: options.min_length, max: options.max_length }
    while (!text.isFull) {
      text.begin()
      const wanted = draws.integer(objects)
      const say = (): void => text.write(views + objects * colors + wanted)
      if (options.cue === 'before') say()
      let [answer, seen] = [0, 0]
      for (const kind of shuffled(objects, draws)) {
        const color = draws.integer(colors)
        if (kind === wanted) [answer, seen] = [color, text.position]
        text.write(views + kind * colors + color)
      }
      if (options.cue === 'after') say()
      wander(text, walkLength(walk, draws), views, draws)
      text.ask(views + objects * colors + objects + wanted, answer, seen)
    }
    return text
  },
  names: ({ objects, colors, views }) => {
    const kinds = Array.from({ length: objects }, (_, kind) => kind)
    return [
      ...viewNames(views),
      ...kinds.flatMap((kind) => Array.from({ length: colors }, (_, color) => `object ${kind}: ${color}`)),
      ...kinds.map((kind) => `${kind} matters`),
      ...kinds.map((kind) => `which ${kind}?`),
    ]
  },
  classes: ({ colors }) => colors,
}

/** 0, ..., count - 1 in any order. */
function shuffled(count: number, draws: Parameters<typeof wander>[3]): number[] {
  const left = Array.from({ length: count }, (_, i) => i)
  return left.map((_, i) => {
    const at = i + draws.integer(count - i)
    const [value, here] = [left[at] ?? 0, left[i] ?? 0]
    left[at] = here
    left[i] = value
    return value
  })
}
