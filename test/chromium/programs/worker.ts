/** The worker of the acceptance page: a learner that trains and answers. */
import { serve } from '../../../src/web/serve.ts'
import { type LearnerName, newLearner } from './learners.ts'

export async function learn({ name }: { readonly name: LearnerName }) {
  const learner = newLearner(name)
  return {
    step: async () => ({ loss: await learner.step() }),
    requests: {
      hashes: () => learner.hashes(),
      predict: () => learner.predict(),
      /** Collects garbage. */
      collect: () => (globalThis as { gc?: () => void }).gc?.(),
      fail: () => {
        throw new Error('a mistake\n  at line 1')
      },
    },
    release: learner.release,
  }
}

serve(learn)
