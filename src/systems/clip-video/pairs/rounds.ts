/** Several passes over a data set as one epoch: where a pass has only a few steps, evaluating after each would take most of the time. */
import type { BatchSource, DataLoader } from '../../../data/loader.ts'

/** The batches of `passes` passes of the loader as one epoch. */
export function inRounds<Name extends string>(loader: DataLoader<Name>, passes: number): BatchSource<Name> {
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
      while (epoch() === current) yield* loader
    },
  }
}
