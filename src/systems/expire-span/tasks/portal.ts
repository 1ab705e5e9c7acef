/** Multi-room portal (section 5.2 of the paper, as a prediction task): in each room one door leads on, the others back to the start. */
import { QuestionWriter, viewNames, type World, walkLength, wander } from './text.ts'

/** Sizes of the rooms. */
export interface PortalOptions {
  readonly rooms: number
  /** Doors of a room. */
  readonly doors: number
  /** Steps through a room, at least. */
  readonly min_walk: number
  readonly max_walk: number
  /** Different looks of such a step. */
  readonly views: number
}

/**
 * Episodes in which an agent finds its way through all rooms. The right door of each is drawn for the episode. Walking through a room
 * means nothing; at its doors stands its number; then is seen which door was taken and whether it led on. An agent that knows the right
 * door (it took it before, or all others) takes it, else one that it has not tried; a wrong one leads back into the first room. Asked
 * at the doors, where the right one is known. Tokens: the views, the doors of each room, what each door of each room led to: back, on.
 */
export const portal: World<PortalOptions> = {
  generate: (length, draws, options) => {
    const text = new QuestionWriter(length)
    while (!text.isFull) episode(text, options, draws)
    return text
  },
  names: ({ rooms, doors, views }) => [
    ...viewNames(views),
    ...times(rooms, (room) => `room ${room}`),
    ...times(rooms, (room) => times(doors, (door) => [`${room}: ${door} back`, `${room}: ${door} on`]).flat()).flat(),
  ],
  classes: ({ doors }) => doors,
}

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))

function episode(text: QuestionWriter, options: PortalOptions, draws: Parameters<typeof wander>[3]): void {
  const { rooms, doors, views } = options
  text.begin()
  const right = times(rooms, () => draws.integer(doors))
  // Doors that were tried in each room and led back, and where it was last seen which one is right.
  const wrong = times(rooms, () => new Set<number>())
  const seen = new Map<number, number>()
  let room = 0
  while (room < rooms && !text.isFull) {
    wander(text, walkLength({ min: options.min_walk, max: options.max_walk }, draws), views, draws)
    const answer = right[room] ?? 0
    const at = seen.get(room)
    if (at === undefined) text.write(views + room)
    else text.ask(views + room, answer, at)
    const untried = times(doors, (door) => door).filter((door) => !wrong[room]?.has(door))
    const door = at === undefined ? (untried[draws.integer(untried.length)] ?? 0) : answer
    const isRight = door === answer
    if (!isRight) wrong[room]?.add(door)
    if (isRight || wrong[room]?.size === doors - 1) seen.set(room, text.position)
    text.write(views + rooms + 2 * (room * doors + door) + (isRight ? 1 : 0))
    room = isRight ? room + 1 : 0
  }
}
