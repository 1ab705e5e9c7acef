/**
 * Which systems there are. A program that imports `index.ts` has all of them; the command line loads the one that it needs, for reading all
 * ten takes longer than most commands.
 */
import { UsageError } from '../util/errors.ts'
import type { System } from './define.ts'

/** Those of tenfold by their names, in their order. */
const builtIn: Readonly<Record<string, () => Promise<System>>> = {
  mixer: async () => (await import('./mixer/index.ts')).mixer,
  fnet: async () => (await import('./fnet/index.ts')).fnet,
  perceiver: async () => (await import('./perceiver/index.ts')).perceiver,
  'expire-span': async () => (await import('./expire-span/index.ts')).expireSpan,
  'frozen-transformer': async () => (await import('./frozen-transformer/index.ts')).frozenTransformer,
  involution: async () => (await import('./involution/index.ts')).involution,
  diffusion: async () => (await import('./diffusion/index.ts')).diffusion,
  'self-supervised': async () => (await import('./self-supervised/index.ts')).selfSupervised,
  'clip-video': async () => (await import('./clip-video/index.ts')).clipVideo,
  'translation-bias': async () => (await import('./translation-bias/index.ts')).translationBias,
}

const names = Object.keys(builtIn)
const known: System[] = []

/** Those that are loaded: of tenfold, and then those that were added. */
export const systems: readonly System[] = known

/** A system of tenfold: before those that come after it in their order. */
function register(system: System): void {
  if (known.includes(system)) return
  const place = known.findIndex(({ name }) => !names.includes(name) || names.indexOf(name) > names.indexOf(system.name))
  known.splice(place === -1 ? known.length : place, 0, system)
}

/** Loads the system of this name, if tenfold has one. */
export async function loadSystem(name: string): Promise<void> {
  if (known.some((system) => system.name === name) || !Object.hasOwn(builtIn, name)) return
  const system = await builtIn[name]?.()
  if (system) register(system)
}

/** Loads all of tenfold, and returns them with those that were added. */
export async function loadSystems(): Promise<readonly System[]> {
  for (const name of names) await loadSystem(name)
  return systems
}

/**
 * Adds a system of one's own: its recipes and jobs are found by name, and so are its runs. Throws a UsageError if there is another one of that
 * name.
 */
export function addSystem(system: System): void {
  if (known.includes(system)) return
  if (names.includes(system.name) || known.some(({ name }) => name === system.name))
    throw new UsageError(`there is a system of the name "${system.name}" already`, { hint: 'give yours another name' })
  known.push(system)
}
