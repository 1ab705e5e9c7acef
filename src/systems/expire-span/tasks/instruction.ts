/** Instructions (section 5.2 of the paper, as a prediction task): told long before they are to be carried out, between irrelevant steps. */
import { QuestionWriter, viewNames, type World, walkLength, wander } from './text.ts'

/** Sizes of instructions. */
export interface InstructionOptions {
  /** Instructions of an episode. */
  readonly instructions: number
  /** Colours that an instruction may name. */
  readonly colors: number
  /** Irrelevant steps after each instruction, at least. */
  readonly min_walk: number
  readonly max_walk: number
  /** Different looks of an irrelevant step. */
  readonly views: number
}

/**
 * Episodes of: the instructions in their order, each with its number and a colour, and irrelevant steps after each; then the numbers
 * again in the same order, where the colour of each is asked for. Tokens: the views, every instruction with every colour, the numbers.
 */
export const instruction: World<InstructionOptions> = {
  generate: (length, draws, options) => {
    const { instructions, colors, views } = options
    const text = new QuestionWriter(length)
    const walk = { min: options.min_walk, max: options.max_walk }
    while (!text.isFull) {
      text.begin()
      const told = Array.from({ length: instructions }, (_, i) => {
        const [color, seen] = [draws.integer(colors), text.position]
        text.write(views + i * colors + color)
        wander(text, walkLength(walk, draws), views, draws)
        return { color, seen }
      })
      for (const [i, { color, seen }] of told.entries()) text.ask(views + instructions * colors + i, color, seen)
    }
    return text
  },
  names: ({ instructions, colors, views }) => {
    const numbers = Array.from({ length: instructions }, (_, i) => i)
    return [
      ...viewNames(views),
      ...numbers.flatMap((i) => Array.from({ length: colors }, (_, color) => `${i} is ${color}`)),
      ...numbers.map((i) => `do ${i}`),
    ]
  },
  classes: ({ colors }) => colors,
}
