/** The systems, one line each. The command line and the checks use this list. */
import { UsageError } from '../util/errors.ts'
import { clipVideo } from './clip-video/index.ts'
import type { System } from './define.ts'
import { diffusion } from './diffusion/index.ts'
import { expireSpan } from './expire-span/index.ts'
import { fnet } from './fnet/index.ts'
import { frozenTransformer } from './frozen-transformer/index.ts'
import { involution } from './involution/index.ts'
import { mixer } from './mixer/index.ts'
import { perceiver } from './perceiver/index.ts'
import { selfSupervised } from './self-supervised/index.ts'
import { translationBias } from './translation-bias/index.ts'

const known: System[] = [
  mixer,
  fnet,
  perceiver,
  expireSpan,
  frozenTransformer,
  involution,
  diffusion,
  selfSupervised,
  clipVideo,
  translationBias,
]

/** Those of tenfold, and then those that were added. */
export const systems: readonly System[] = known

/**
 * Adds a system of one's own: its recipes and jobs are found by name, and so are its runs. Throws a UsageError if there is another one of that
 * name.
 */
export function addSystem(system: System): void {
  if (known.includes(system)) return
  if (known.some(({ name }) => name === system.name))
    throw new UsageError(`there is a system of the name "${system.name}" already`, { hint: 'give yours another name' })
  known.push(system)
}
