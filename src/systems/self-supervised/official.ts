/** Official state dicts: PyTorch's under their own names, and BYOL's of Haiku, whose layout differs. */
import type { Module } from '../../nn/index.ts'
import { fromNumbers, type NDArray, toNumbers } from '../../tensor/dtype.ts'
import type { LoadOptions, StateDifference } from '../../tensor/state-dict.ts'

/** What checkpoints and DistributedDataParallel put before the names. */
const wrappers = /^(?:(?:state_dict|model)\.)?(?:module\.)?/

/**
 * Loads a PyTorch state dict by its own names: without what wraps it (`state_dict.`, `model.`, `module.`), and with scalars that were stored as
 * vectors of one element. `below`: the part of the checkpoint that is meant, such as `teacher` of DINO's.
 */
export function loadOfficial(
  model: Module,
  state: ReadonlyMap<string, NDArray>,
  { below, ...options }: LoadOptions & { readonly below?: string } = {},
): StateDifference {
  const wanted = model.stateDict()
  const prefix = below === undefined ? '' : `${below}.`
  const named = [...state]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, array]) => {
      const own = name.slice(prefix.length).replace(wrappers, '')
      const isScalar = wanted.get(own)?.shape.length === 0 && array.data.length === 1
      return [own, isScalar ? { ...array, shape: [] } : array] as const
    })
  return model.loadStateDict(new Map(named), options)
}

/** Haiku's names of the parts of a head: linear, batch norm, ReLU, linear. */
const haikuParts: readonly (readonly [ours: RegExp, haiku: string])[] = [
  [/\.0\.weight$/, '/linear/w'],
  [/\.0\.bias$/, '/linear/b'],
  [/\.1\.weight$/, '/batch_norm/scale'],
  [/\.1\.bias$/, '/batch_norm/offset'],
  [/\.3\.weight$/, '/linear_1/w'],
]

/** The name of a parameter of BYOL's heads in Haiku, `projector/linear/w`; undefined for what Haiku keeps elsewhere. */
export function haikuName(name: string): string | undefined {
  const part = haikuParts.find(([ours]) => ours.test(name))
  return part && name.replace(part[0], part[1])
}

function transposed({ dtype, shape: [rows = 0, columns = 0], data }: NDArray): NDArray {
  const values = toNumbers(data)
  const turned = Array.from(
    { length: values.length },
    (_, k) => values[(k % rows) * columns + Math.floor(k / rows)] ?? 0,
  )
  return { dtype, shape: [columns, rows], data: fromNumbers(dtype, turned) }
}

/** BYOL's heads as Haiku has them: matrices [in, out], scales and offsets [1, C]. */
export function toHaiku(state: ReadonlyMap<string, NDArray>): Map<string, NDArray> {
  return new Map(
    [...state].flatMap(([name, array]) => {
      const haiku = haikuName(name)
      if (haiku === undefined) return []
      if (haiku.endsWith('/w')) return [[haiku, transposed(array)] as const]
      return [[haiku, haiku.includes('/batch_norm/') ? { ...array, shape: [1, array.data.length] } : array] as const]
    }),
  )
}

/** The reverse, for a module with these variables: what Haiku has under the names that belong to them. */
export function fromHaiku(model: Module, state: ReadonlyMap<string, NDArray>): Map<string, NDArray> {
  const rest = new Map(state)
  const found = [...model.namedParameters().keys()].flatMap((name) => {
    const haiku = haikuName(name) ?? name
    const array = rest.get(haiku)
    rest.delete(haiku)
    if (!array) return []
    if (haiku.endsWith('/w')) return [[name, transposed(array)] as const]
    return [[name, { ...array, shape: [array.data.length] }] as const]
  })
  return new Map([...found, ...rest])
}
