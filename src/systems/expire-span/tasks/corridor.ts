/** Corridor (section 5.2 of the paper, as a prediction task): an object at one end says which door to take at the other. */
import { QuestionWriter, viewNames, type Walk, type World, walkLength, wander } from './text.ts'

/** Sizes of corridors. */
export interface CorridorOptions {
  /** Colours of objects and doors. */
  readonly colors: number
  /** Steps of a corridor, at least. */
  readonly min_length: number
  readonly max_length: number
  /** Whether lengths are spread by their order of magnitude. */
  readonly log_lengths: boolean
  /** Different looks of a step in the corridor. */
  readonly views: number
}

const walkOf = ({ min_length, max_length, log_lengths }: CorridorOptions): Walk => ({
  min: min_length,
  max: max_length,
  log: log_lengths,
})

/**
 * Episodes of: an object of one colour; a corridor of random length, whose steps mean nothing; the doors, where the colour is asked for.
 * Tokens: the views, then the objects, then the doors.
 */
export const corridor: World<CorridorOptions> = {
  generate: (length, draws, options) => {
    const { colors, views } = options
    const text = new QuestionWriter(length)
    while (!text.isFull) {
      text.begin()
      const color = draws.integer(colors)
      const seen = text.position
      text.write(views + color)
      wander(text, walkLength(walkOf(options), draws), views, draws)
      text.ask(views + colors, color, seen)
    }
    return text
  },
  names: ({ colors, views }) => [
    ...viewNames(views),
    ...Array.from({ length: colors }, (_, color) => `object ${color}`),
    'doors',
  ],
  classes: ({ colors }) => colors,
}
