/** Several passes over a data set as one epoch: where a pass has only a few steps, evaluating after each would take most of the time. */
import type { BatchSource, DataLoader } from '../../../data/loader.ts'

/** The batches of `passes` passes of the loader as one epoch. `first` is done before the first batch of all, not in a resumed run. */
export function inRounds<Name extends string>(
  loader: DataLoader<Name>,
  passes: number,
  first?: () => Promise<void>,
): BatchSource<Name> {
  const epoch = (): number => Math.floor(loader.state().epoch / passes)
  return {
    stepsPerEpoch: passes * loader.stepsPerEpoch,
    state: () => {
      const { epoch: pass, position } = loader.state()
      return { epoch: epoch(), pass, position }
    },
    restore: (state, options) =>
      loader.restore({ epoch: Number(state.pass ?? 0), position: Number(state.position ?? 0) }, options),
    async *[Symbol.asyncIterator]() {
      const current = epoch()
      const { epoch: pass, position } = loader.state()
      if (pass === 0 && position === 0) await first?.()
      while (epoch() === current) yield* loader
    },
  }
}
