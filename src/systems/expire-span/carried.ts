/** A model that reads a text block by block, its memory carried from one block to the next. */
import { type Compiled, compile } from '../../compile/compile.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { ChangingState } from '../../train/store.ts'
import { UsageError } from '../../util/errors.ts'
import { mapValues } from '../../util/records.ts'
import type { LayerMemory } from './attention.ts'
import type { ExpireSpanConfig } from './config.ts'
import { aliveCount, type Stored } from './memory.ts'
import type { AnyModel, BlockOutput } from './model.ts'

/** What layers remember between blocks, as numbers. */
export type Memories = readonly Stored<LayerMemory>[]

/** The memory of some texts that are read at once, and its past for one block, so that a step can be undone. */
export class CarriedMemory implements ChangingState {
  readonly #model: AnyModel
  readonly #batch: number
  #present: Memories
  #before: Memories

  constructor(model: AnyModel, batch: number) {
    this.#model = model
    this.#batch = batch
    this.#present = this.#first()
    this.#before = this.#present
  }

  #first(): Memories {
    return this.#model.layers.map(() => this.#model.initialMemory(this.#batch))
  }

  get memories(): Memories {
    return this.#present
  }

  /** Memories of each layer. */
  get lengths(): number[] {
    return this.#present.map((memory) =>
      Object.values(memory).reduce((sum, { shape }) => Math.max(sum, sizeOf(shape, 1)), 0),
    )
  }

  /** As before the first block. */
  reset(): void {
    this.#present = this.#first()
  }

  /** Takes on what a block has left. */
  advance(next: Memories): void {
    this.#before = this.#present
    this.#present = next
  }

  /** Goes back by a block, once. */
  undo(): void {
    this.#present = this.#before
  }

  arrays(): ReadonlyMap<string, NDArray> {
    return new Map(
      this.#present.flatMap((memory, layer) =>
        Object.entries(memory).map(([part, array]) => [`memory.${layer}.${part}`, array] as const),
      ),
    )
  }

  restore(arrays: ReadonlyMap<string, NDArray>, path: string): void {
    this.#present = this.#first().map((memory, layer) =>
      mapValues(memory, (first, part) => {
        const name = `memory.${layer}.${part}`
        const saved = arrays.get(name)
        if (!saved || saved.shape[0] !== this.#batch || saved.shape.length !== first.shape.length)
          throw new UsageError(`${path}: has no "${name}" for ${this.#batch} rows of text`, {
            hint: 'the configuration was changed after the checkpoint was written',
          })
        return saved
      }),
    )
  }
}

/** What a block is given of what each layer has kept. */
export function reachableOf(model: AnyModel, memories: Memories): Memories {
  return memories.map((memory, layer) => model.reachable(memory, layer))
}

/** A block read: numbers of the function, and what is remembered of it. */
export interface ReadBlock<R> {
  readonly result: R
  readonly next: Memories
  /** Where memories expire, of each layer: those that have not, on average over the examples. What is kept is a whole number of blocks. */
  readonly alive: readonly number[]
}

/** Reads one block. */
export interface BlockReader<A, R> {
  (given: A, memories: Memories): Promise<ReadBlock<R>>
  /** The compiled function: one program, whatever the number of memories. */
  readonly compiled: Compiled<[A, LayerMemory[]], unknown>
}

/**
 * Compiles a function of a block. `body` calls `read` with the tokens [B, M] (random numbers, tokens since an episode began) once, and
 * returns tensors of its own. Where memories expire, and where spans are learned, their number is a dynamic axis of each layer: a step
 * costs what is kept, and there is one program.
 */
export function blockReader<A, R>(
  model: AnyModel,
  body: (given: A, read: (tokens: Tensor, draws?: Tensor, elapsed?: Tensor) => BlockOutput<LayerMemory>) => R,
  options: { readonly threads?: number } = {},
): BlockReader<A, R> {
  const axes = model.layers.flatMap((_, layer) => model.dynamicAxes(layer) ?? [])
  const compiled = compile(
    (given: A, memories: LayerMemory[]) => {
      let block: BlockOutput<LayerMemory> | undefined
      const result = body(given, (tokens, draws, elapsed) => {
        block = model.forward(tokens, memories, draws, elapsed)
        return block
      })
      const remaining = block?.layers.flatMap(({ spans }) => spans?.remaining ?? []) ?? []
      return { result, memories: block?.memories ?? [], remaining }
    },
    { ...options, ...(axes.length > 0 && { dynamic: [undefined, axes] as never }) },
  )
  const read = async (given: A, memories: Memories): Promise<ReadBlock<R>> => {
    const found = await compiled(given as never, reachableOf(model, memories) as never)
    const next = found.memories.map((memory, i) =>
      model.carry(
        mapValues(
          memory as unknown as Readonly<Record<string, Tensor>>,
          ({ array }) => array,
        ) as unknown as Stored<LayerMemory>,
        found.remaining[i]?.array,
        memories[i],
      ),
    )
    const { config } = model
    const alive = found.remaining.map(({ array }) => aliveCount(array, config as ExpireSpanConfig))
    return { result: found.result as R, next, alive }
  }
  return Object.assign(read, { compiled: compiled as unknown as Compiled<[A, LayerMemory[]], unknown> })
}
