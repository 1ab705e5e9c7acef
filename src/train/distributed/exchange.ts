/** What processes tell one another besides sums: arrays and facts of rank 0. */
import { allocate, elementCount, type NDArray } from '../../tensor/dtype.ts'
import type { Variable } from '../../tensor/variable.ts'
import type { Communicator } from '../../util/communicator.ts'
import { bytesOf } from '../../util/vectors.ts'
import type { Checkpoint, TrainingState } from '../store.ts'

/** Replaces the numbers of arrays, which have the same types and lengths on all processes, by those of rank 0: one message. */
async function broadcastArrays(communicator: Communicator, arrays: readonly ArrayBufferView[]): Promise<void> {
  const message = new Uint8Array(arrays.reduce((length, { byteLength }) => length + byteLength, 0))
  let end = 0
  const parts = arrays.map((array) => {
    const start = end
    end += array.byteLength
    return { own: bytesOf(array), sent: message.subarray(start, end) }
  })
  for (const { own, sent } of parts) sent.set(own)
  await communicator.broadcast(message)
  if (communicator.rank > 0) for (const { own, sent } of parts) own.set(sent)
}

/** Gives variables the numbers that they have on rank 0. All processes must name the same ones in the same order. */
export async function broadcastVariables(communicator: Communicator, variables: Iterable<Variable>): Promise<void> {
  await broadcastArrays(
    communicator,
    Array.from(variables, ({ data }) => data),
  )
}

/** The value of rank 0, as JSON has it. */
async function broadcastValue<T>(communicator: Communicator, value: T | undefined): Promise<T> {
  const text = new TextEncoder().encode(JSON.stringify(value ?? null))
  const length = Uint32Array.of(text.length)
  await broadcastArrays(communicator, [length])
  const bytes = communicator.rank === 0 ? text : new Uint8Array(length[0] ?? 0)
  await broadcastArrays(communicator, [bytes])
  return JSON.parse(new TextDecoder().decode(bytes)) as T
}

/** Numbers by name, of rank 0; NaN and infinity included. */
export async function broadcastNumbers(
  communicator: Communicator,
  found: Readonly<Record<string, number>> | undefined,
): Promise<Record<string, number>> {
  const names = await broadcastValue(communicator, found && Object.keys(found))
  const values = Float64Array.from(names, (name) => found?.[name] ?? 0)
  await broadcastArrays(communicator, [values])
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? Number.NaN]))
}

/** A checkpoint that rank 0 has read, and what it knows of the training. */
export interface Recovered {
  readonly checkpoint: Checkpoint
  /** Whether the training was extended at the checkpoint's step. */
  readonly isExtended: boolean
}

interface Described {
  readonly path: string
  readonly state: TrainingState
  readonly isExtended: boolean
  readonly tensors: readonly (readonly [string, Omit<NDArray, 'data'>])[]
}

/** The checkpoint of rank 0 on all processes; undefined if it has none. */
export async function broadcastCheckpoint(
  communicator: Communicator,
  found: Recovered | undefined,
): Promise<Recovered | undefined> {
  const described = await broadcastValue<Described | null>(
    communicator,
    found && {
      path: found.checkpoint.path,
      state: found.checkpoint.state,
      isExtended: found.isExtended,
      tensors: [...found.checkpoint.tensors].map(([name, { dtype, shape }]) => [name, { dtype, shape }]),
    },
  )
  if (!described) return undefined
  const tensors = new Map(
    described.tensors.map(([name, { dtype, shape }]) => {
      const own = found?.checkpoint.tensors.get(name)
      return [name, { dtype, shape, data: own?.data ?? allocate(dtype, elementCount(shape)) }] as const
    }),
  )
  await broadcastArrays(
    communicator,
    Array.from(tensors.values(), ({ data }) => data),
  )
  const { path, state, isExtended } = described
  return { checkpoint: { path, state, tensors }, isExtended }
}
