/** A learner on WebGPU, and where the runtime computes the nodes of its graphs: it says so in its log. */
import { env, InferenceSession } from 'onnxruntime-web/webgpu'
import { serve } from '../../../src/web/serve.ts'
import { type LearnerName, newLearner } from './learners.ts'

/** What the runtime writes on the console. */
const lines: string[] = []
for (const level of ['log', 'warn', 'info', 'error', 'debug'] as const)
  console[level] = (...texts) => {
    lines.push(texts.join(' '))
  }

env.logLevel = 'verbose'
const create = InferenceSession.create.bind(InferenceSession) as (
  model: Uint8Array,
  options: InferenceSession.SessionOptions,
) => Promise<InferenceSession>
Object.assign(InferenceSession, {
  create: (model: Uint8Array, options: InferenceSession.SessionOptions) =>
    create(model, { ...options, logSeverityLevel: 0 }),
})

export async function place({ name }: { readonly name: LearnerName }) {
  const learner = newLearner(name)
  return {
    step: async () => ({ loss: await learner.step() }),
    requests: {
      stays: learner.stays,
      /** Types of the nodes that run on each device, of all graphs so far. */
      placements: () => {
        const found: Record<string, string[]> = {}
        let types: string[] = []
        for (const line of lines) {
          const device = /placed on \[(\w+)\]/.exec(line)?.[1]
          if (device !== undefined) {
            types = found[device] ?? []
            found[device] = types
          }
          const type = /VerifyEachNodeIsAssignedToAnEp\] {3}(\w+) \(/.exec(line)?.[1]
          if (type !== undefined) types.push(type)
        }
        return found
      },
    },
    release: learner.release,
  }
}

serve(place)
