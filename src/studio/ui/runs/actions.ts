/** What can be done with a run or job on its page. */
import type { RunSummary } from '../../protocol.ts'

export interface RunActions {
  readonly stop: boolean
  /** The name of the button that continues it; undefined: it cannot be. */
  readonly resume: 'Resume' | 'Train longer' | undefined
  /** Whether a form can begin with its settings. */
  readonly like: boolean
}

export function actionsOf({ state, isStartable }: RunSummary): RunActions {
  const stop = state === 'running'
  const canResume = isStartable && !stop && state !== 'damaged'
  return {
    stop,
    resume: canResume ? (state === 'finished' ? 'Train longer' : 'Resume') : undefined,
    like: isStartable,
  }
}
