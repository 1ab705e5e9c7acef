/** Processes that work together through MPI: Open MPI's library, called in place. */
import { setImmediate, setTimeout } from 'node:timers/promises'
import type * as Ffi from 'ffi-rs'
import type { Communicator } from '../../util/communicator.ts'
import { MissingPackageError, TenfoldError, UsageError } from '../../util/errors.ts'

const started = 'mpirun -n 2 npx tenfold train ... --distributed mpi'

/** Numbers of constants in Open MPI's Fortran interface; its `_f2c` functions give the handles that C has. */
const fortran = { world: 0, int32: 7, float32: 13, byte: 1, max: 1, sum: 3, returnErrors: 2 } as const
/** MPI_IN_PLACE and MPI_STATUS_IGNORE: addresses that stand for something. */
const inPlace = 1n
const ignored = 0n
/** MPI_THREAD_FUNNELED: only this thread calls. */
const funneled = 1

/** Milliseconds. When one of its processes has died, mpirun asks all others to end, and kills them a second later. */
const patience = 400

/**
 * Up to so many numbers are exchanged without blocking the thread, which stays open to signals if another process ends in the middle.
 * For more, MPI's blocking functions are faster (in Open MPI 4.1 by up to a third).
 */
const short = 65_536

/** Bytes of one message: MPI counts them in 32 bits. */
const longest = 2 ** 30

const libraries: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: ['libmpi.so.40', 'libmpi.so'],
  darwin: ['libmpi.40.dylib', 'libmpi.dylib', '/opt/homebrew/lib/libmpi.dylib'],
}

/** What `mpirun` tells the processes that it starts. */
interface Launch {
  readonly rank: number
  /** Processes on this machine. */
  readonly local: number
}

/** What Open MPI's `mpirun` has told this process; undefined if it was not started by it. */
export function mpiLaunch(environment: Readonly<Record<string, string | undefined>> = process.env): Launch | undefined {
  const { OMPI_COMM_WORLD_RANK: rank, OMPI_COMM_WORLD_LOCAL_SIZE: local = 1 } = environment
  return rank === undefined ? undefined : { rank: Number(rank), local: Number(local) }
}

async function loadFfi(): Promise<typeof Ffi> {
  try {
    return await import('ffi-rs')
  } catch (error) {
    throw new MissingPackageError('MPI is called through the package ffi-rs, which is not installed', {
      hint: 'npm install ffi-rs; it is left out by --omit=optional',
      cause: error,
    })
  }
}

/** Opens the first library that is there. */
function openLibrary(ffi: typeof Ffi, names: readonly string[]): string {
  const reasons: string[] = []
  for (const path of names) {
    try {
      ffi.open({ library: path, path })
      return path
    } catch (error) {
      reasons.push(error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error))
    }
  }
  throw new UsageError(
    `Open MPI's library cannot be loaded: ${reasons[0] ?? `there is none for ${process.platform}`}`,
    {
      hint: 'install Open MPI, for example: apt-get install openmpi-bin',
    },
  )
}

/** A function of the library that returns an error code, 0 if all is well. */
type Argument = number | bigint | Uint8Array | Ffi.JsExternal
type Call = (name: string, ...args: readonly Argument[]) => void

/** A buffer of the same memory. */
function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

/** How processes are joined. */
export interface MpiOptions {
  /** Once it is aborted, the communicator waits only briefly for the others, and throws then: they may have ended. Default: never. */
  readonly signal?: AbortSignal
  /** Names of Open MPI's library, of which the first that is there is taken. Default: those of this platform. */
  readonly libraries?: readonly string[]
}

/**
 * Joins the processes that `mpirun` has started. Throws a UsageError if this one is none of them or Open MPI is not there, a
 * MissingPackageError without the optional package ffi-rs. Only once in a process.
 */
export async function connectMpi(options: MpiOptions = {}): Promise<Communicator> {
  const { signal, libraries: names = libraries[process.platform] ?? [] } = options
  if (!mpiLaunch()) throw new UsageError("MPI: this process was not started by Open MPI's mpirun", { hint: started })
  const ffi = await loadFfi()
  return new MpiCommunicator(ffi, openLibrary(ffi, names), signal)
}

class MpiCommunicator implements Communicator {
  readonly rank: number
  readonly size: number
  readonly #call: Call
  readonly #handles: Record<'world' | 'int32' | 'float32' | 'byte' | 'max' | 'sum', Ffi.JsExternal>
  /** Memory that the library writes while it works: it must stay where it is. */
  readonly #lengths = new Int32Array(2)
  readonly #first = Buffer.alloc(8)
  readonly #second = Buffer.alloc(8)
  readonly #flag = Buffer.alloc(4)

  readonly #signal: AbortSignal | undefined

  constructor(ffi: typeof Ffi, library: string, signal: AbortSignal | undefined) {
    this.#signal = signal
    const { DataType } = ffi
    const typeOf = (value: unknown): Ffi.DataType => {
      if (typeof value === 'number') return DataType.I32
      if (typeof value === 'bigint') return DataType.BigInt
      return value instanceof Uint8Array ? DataType.U8Array : DataType.External
    }
    this.#call = (name, ...args) => {
      const code: unknown = ffi.load({
        library,
        funcName: name,
        retType: DataType.I32,
        paramsType: args.map(typeOf),
        paramsValue: [...args],
      })
      if (code !== 0) throw new TenfoldError(`${name} failed with code ${String(code)}: another process may have ended`)
    }
    const handle = (name: string, number: number): Ffi.JsExternal => {
      const found: unknown = ffi.load({
        library,
        funcName: name,
        retType: DataType.External,
        paramsType: [DataType.I32],
        paramsValue: [number],
      })
      return found as Ffi.JsExternal
    }
    this.#call('MPI_Init_thread', 0n, 0n, funneled, this.#flag)
    this.#handles = {
      world: handle('MPI_Comm_f2c', fortran.world),
      int32: handle('MPI_Type_f2c', fortran.int32),
      float32: handle('MPI_Type_f2c', fortran.float32),
      byte: handle('MPI_Type_f2c', fortran.byte),
      max: handle('MPI_Op_f2c', fortran.max),
      sum: handle('MPI_Op_f2c', fortran.sum),
    }
    const { world } = this.#handles
    this.#call('MPI_Comm_set_errhandler', world, handle('MPI_Errhandler_f2c', fortran.returnErrors))
    this.#call('MPI_Comm_rank', world, this.#flag)
    this.rank = this.#flag.readInt32LE()
    this.#call('MPI_Comm_size', world, this.#flag)
    this.size = this.#flag.readInt32LE()
  }

  async sum(values: Float32Array): Promise<void> {
    const { float32, sum, world } = this.#handles
    await this.#exchange(values.length, 'allreduce', inPlace, bytesOf(values), values.length, float32, sum, world)
  }

  async broadcast(bytes: Uint8Array): Promise<void> {
    const { byte, world } = this.#handles
    for (let start = 0; start === 0 || start < bytes.length; start += longest) {
      const part = bytesOf(bytes.subarray(start, start + longest))
      await this.#exchange(part.length, 'bcast', part, part.length, byte, 0, world)
    }
  }

  async close(): Promise<void> {
    await this.#meet(0)
    this.#call('MPI_Finalize')
  }

  /** Calls a collective function of MPI once all processes are here. */
  async #exchange(length: number, name: string, ...args: readonly Argument[]): Promise<void> {
    if (length > short) {
      await this.#meet(length)
      return this.#call(`MPI_${name.charAt(0).toUpperCase()}${name.slice(1)}`, ...args)
    }
    const met = this.#meet(length)
    this.#call(`MPI_I${name}`, ...args, this.#second)
    await met
    await this.#finish(this.#second)
  }

  /** Waits until all processes are here. Throws if they do not mean to exchange as much. */
  async #meet(length: number): Promise<void> {
    const { int32, max, world } = this.#handles
    this.#lengths.set([length, -length])
    this.#call('MPI_Iallreduce', inPlace, bytesOf(this.#lengths), 2, int32, max, world, this.#first)
    await this.#finish(this.#first)
    const [most = 0, least = 0] = this.#lengths
    if (most === -least) return
    throw new TenfoldError(`MPI: the processes do not do the same: one exchanges ${-least} numbers, another ${most}`, {
      hint: 'all of them must run the same program on parts of the same data',
    })
  }

  /**
   * Waits for an exchange, which may take long (rank 0 evaluates, another process is slow), without keeping a core busy and deaf to
   * signals, as MPI's own waiting does.
   */
  async #finish(request: Uint8Array): Promise<void> {
    const start = performance.now()
    let abortedAt: number | undefined
    for (;;) {
      this.#call('MPI_Test', request, this.#flag, ignored)
      if (this.#flag.readInt32LE() !== 0) return
      const now = performance.now()
      if (this.#signal?.aborted) abortedAt ??= now
      if (abortedAt !== undefined && now - abortedAt > patience) {
        throw new TenfoldError(`stopped: another of the ${this.size} processes has ended or does not answer`, {
          hint: 'checkpoints are intact: resume continues from the last one',
        })
      }
      const waited = now - start
      if (waited > 50) await setTimeout(1)
      else if (waited > 0.2) await setImmediate()
    }
  }
}
