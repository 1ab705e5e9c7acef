/** Functions that several processes run together: stages with sums over the processes between them. */
import type { NDArray } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import type { Communicator } from '../util/communicator.ts'
import { type CutGraph, cutAtSums, type Sum } from './cut.ts'
import { mergeCommonSubexpressions, simplify } from './passes.ts'
import { type CompileOptions, Program, pull } from './program.ts'

/** What runs, in one piece or in stages. */
export type Runnable = Pick<Program, 'run' | 'undo' | 'release' | 'statistics' | 'endProfiling' | 'originOf'>

interface Stage {
  readonly program: Program
  readonly given: readonly Tensor[]
  /** With their places in the buffer. */
  readonly sums: readonly (Sum & { readonly view: Float32Array })[]
  /** All that is summed, in one piece: few large messages. */
  readonly buffer: Float32Array
}

/** A program in stages. Results are given and variables assigned after the last sum. */
export class StagedProgram implements Runnable {
  readonly statistics: Runnable['statistics']
  readonly #stages: readonly Stage[]
  readonly #last: Program
  readonly #feeds: CutGraph['feeds']
  readonly #communicator: Communicator
  #retreats: ReadonlySet<(() => void) | undefined> = new Set()

  private constructor(stages: readonly Stage[], last: Program, feeds: CutGraph['feeds'], communicator: Communicator) {
    this.#stages = stages
    this.#last = last
    this.#feeds = feeds
    this.#communicator = communicator
    const all = [...stages.map(({ program }) => program), last].map(({ statistics }) => statistics)
    this.statistics = {
      nodes: all.reduce((total, { nodes }) => total + nodes, 0),
      bytes: all.reduce((total, { bytes }) => total + bytes, 0),
      passes: last.statistics.passes,
    }
  }

  /** Cuts, optimises and loads the graph of `results` and the values that variables are assigned. */
  static async build(
    results: readonly Tensor[],
    assignments: ReadonlyMap<Variable, Tensor>,
    { communicator, ...options }: CompileOptions & { readonly communicator: Communicator },
  ): Promise<StagedProgram> {
    // Before the cut, so that less is carried over it.
    const counts = { simplified: 0, merged: 0, folded: 0, fused: 0 }
    const cut = cutAtSums(mergeCommonSubexpressions(simplify([...results, ...assignments.values()], counts), counts))
    const optimize = options.optimize ?? assignments.size === 0
    const stages: Stage[] = []
    for (const { roots, given, sums } of cut.stages) {
      const program = await Program.build(roots, new Map(), { ...options, optimize })
      stages.push({ program, given, ...inOneBuffer(sums) })
    }
    const assigned = [...assignments.keys()].flatMap((variable, i) => {
      const value = cut.roots[results.length + i]
      return value ? [[variable, value] as const] : []
    })
    const last = await Program.build(cut.roots.slice(0, results.length), new Map(assigned), options)
    return new StagedProgram(stages, last, cut.feeds, communicator)
  }

  /** Runs once, together with the other processes. `inputOf` gives the numbers of the call's input leaves. */
  async run(inputOf: (leaf: Tensor) => NDArray): Promise<Tensor[]> {
    const values = new Map<Tensor, NDArray>()
    const feeds = this.#feeds.map(({ feed }) => feed)
    for (const [lane, { feed, leaf }] of this.#feeds.entries()) values.set(leaf, pull(feed, lane, leaf))
    const numbersOf = (leaf: Tensor): NDArray => {
      const { source } = leaf
      if (source.kind === 'variable') return source.variable.array
      return values.get(leaf) ?? (source.kind === 'constant' ? leaf.array : inputOf(leaf))
    }
    for (const { program, given, sums, buffer } of this.#stages) {
      const outputs = await program.run(numbersOf)
      for (const [i, leaf] of given.entries()) {
        const output = outputs[i]
        if (output) values.set(leaf, output.array)
      }
      for (const { own, view } of sums) view.set(float32Of(numbersOf(own)))
      await this.#communicator.sum(buffer)
      for (const { leaf, view } of sums) values.set(leaf, { dtype: leaf.dtype, shape: leaf.shape, data: view })
    }
    const results = await this.#last.run(numbersOf)
    for (const advance of new Set(feeds.map((feed) => feed.advance))) advance?.()
    this.#retreats = new Set(feeds.map((feed) => feed.retreat))
    return results
  }

  undo(): void {
    this.#last.undo()
    for (const retreat of this.#retreats) retreat?.()
  }

  async release(): Promise<void> {
    for (const { program } of this.#stages) await program.release()
    await this.#last.release()
  }

  endProfiling(): ReturnType<Program['endProfiling']> {
    return [...this.#stages.map(({ program }) => program), this.#last].flatMap((program) => program.endProfiling())
  }

  originOf(name: string): ReturnType<Program['originOf']> {
    for (const { program } of this.#stages) {
      const found = program.originOf(name)
      if (found) return found
    }
    return this.#last.originOf(name)
  }
}

/** Lays the numbers of all sums side by side. */
function inOneBuffer(sums: readonly Sum[]): Pick<Stage, 'sums' | 'buffer'> {
  const buffer = new Float32Array(sums.reduce((length, { own }) => length + own.size, 0))
  let end = 0
  const placed = sums.map((sum) => {
    const start = end
    end += sum.own.size
    return { ...sum, view: buffer.subarray(start, end) }
  })
  return { sums: placed, buffer }
}

/** The op takes no other dtype. */
function float32Of({ data }: NDArray): Float32Array {
  return data as Float32Array
}
