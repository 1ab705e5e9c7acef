/** What the peers in JavaScript share: their arguments, the weights and batch, and the protocol of bench/harness/worker.ts. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { readSafetensors } from '../../.bench/build/src/io/safetensors.js'

export const [name = '', measure = '', file = ''] = process.argv.slice(2)

/** Packages of `npm run bench:setup`. */
export const installed = createRequire(new URL('../../.bench/', import.meta.url))

/** How each workload is trained: what the harness's workloads and models.py say. */
const settings = {
  'transformer-lm': { input: 'ids', target: 'next', lr: 1e-3 },
  bert: { input: 'ids', target: 'original', lr: 1e-4, weightDecay: 0.01 },
  mixer: { input: 'image', target: 'label', lr: 1e-3, weightDecay: 0.05, labelSmoothing: 0.05 },
}

/** Settings, weights by name and batch of the workload; ends the process if no model for it is written here. */
export function open() {
  const kind = Object.keys(settings).find((key) => name.startsWith(key))
  if (!kind) {
    process.stderr.write(`no model of ${name} is written for this peer\n`)
    process.exit(1)
  }
  const { tensors } = readSafetensors(readFileSync(file))
  const weights = {}
  for (const [key, array] of tensors) if (key.startsWith('weights.')) weights[key.slice('weights.'.length)] = array
  const { input, target, ...training } = settings[kind]
  const blocks = 1 + Math.max(...Object.keys(weights).map((key) => Number(/^blocks\.(\d+)\./.exec(key)?.[1] ?? -1)))
  return {
    kind,
    blocks,
    weights,
    input: tensors.get(`batch.${input}`),
    target: tensors.get(`batch.${target}`),
    labelSmoothing: 0,
    weightDecay: 0,
    clipNorm: name === 'mixer-mnist' ? 1 : undefined,
    ...training,
  }
}

/** Side length of `sgemm-N`. */
export function productSize() {
  return Number(name.split('-')[1])
}

function answer(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** Three steps, then as many as each line of the input says. `step` gives its loss. */
export async function serve(step) {
  const losses = [await step()]
  answer({ started: true })
  losses.push(await step(), await step())
  answer({ losses })
  for await (const line of createInterface({ input: process.stdin })) {
    const times = []
    for (let i = 0; i < Number(line); i++) {
      const start = performance.now()
      await step()
      times.push(performance.now() - start)
    }
    answer({ times, peak: process.resourceUsage().maxRSS / 1024 })
  }
  process.exit()
}
