/** The curves of the runs on a page: asked for once, then grown line by line; of a part, when one is looked at closely. */
import type { Curves } from '../../protocol.ts'
import { getCurves, type StepRange } from '../api.ts'
import { live } from '../live.svelte.ts'
import { addLines } from './growing.ts'

const noCurves = (): Curves => ({
  step: { every: 1, rows: 0, x: [], series: {} },
  evaluation: { every: 1, rows: 0, x: [], series: {} },
})

export class WatchedCurves {
  /** Counts changes: the curves themselves grow in place. */
  version = $state(0)
  range = $state.raw<StepRange | undefined>(undefined)
  isLoaded = $state(false)
  #ids: readonly string[] = []
  #whole = new Map<string, Curves>()
  #part = new Map<string, Curves>()
  #timer: number | undefined

  /** Watches these runs, and no others any more. */
  watch(ids: readonly string[]): void {
    this.#ids = ids
    this.range = undefined
    this.isLoaded = false
    this.#whole.clear()
    live.watch(ids, {
      onLines: (lines) => {
        const curves = this.#whole.get(lines.id)
        if (curves && !addLines(curves, lines)) void this.#load(lines.id)
        else if (lines.steps.length > 0) this.#changed()
      },
      onReset: (id) => void this.#load(id),
    })
    for (const id of ids) void this.#load(id)
  }

  /** The curves of a run as they are to be drawn. */
  of(id: string): Curves {
    return (this.range && this.#part.get(id)) ?? this.#whole.get(id) ?? noCurves()
  }

  /** Looks closely at a part; undefined: at the whole. */
  async look(range: StepRange | undefined): Promise<void> {
    if (range) {
      const parts = await Promise.all(this.#ids.map(async (id) => [id, await getCurves(id, range)] as const))
      this.#part = new Map(parts)
    }
    this.range = range
    this.#changed()
  }

  async #load(id: string): Promise<void> {
    const curves = await getCurves(id).catch(noCurves)
    if (!this.#ids.includes(id)) return
    this.#whole.set(id, curves)
    this.isLoaded = this.#ids.every((each) => this.#whole.has(each))
    this.#changed()
  }

  /** Charts are drawn at most once a frame. */
  #changed(): void {
    this.#timer ??= requestAnimationFrame(() => {
      this.#timer = undefined
      this.version++
    })
  }
}
