/**
 * tenfold's side of a measurement, a process of its own: `worker.js NAME MEASURE FILE THREADS`. Every peer speaks the
 * same protocol: a line when the first step is done, a line with the first three losses, then for each number on the
 * input that many steps, their times in ms and the process's peak memory.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { compile } from '../../src/compile/compile.ts'
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.ts'
import * as ops from '../../src/ops/index.ts'
import { Adam, AdamW, SGD } from '../../src/optim/index.ts'
import type { NDArray } from '../../src/tensor/dtype.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { products, workloads } from '../workloads/index.ts'
import { randomFloats } from '../workloads/random.ts'
import type { Trainable } from './workload.ts'

const [name = '', measure = '', file = '', threads = '2'] = process.argv.slice(2)
const options = { threads: Number(threads) }

/** A step, and its loss where it has one. */
type Step = () => Promise<number>

function answer(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function trainable(): Trainable {
  const found = workloads.find((workload) => workload.name === name)
  if (!found) throw new Error(`no workload ${name}`)
  return found.build()
}

/** Weights and batch, for all peers. */
function prepare(): void {
  const { model, batch } = trainable()
  const tensors = new Map<string, NDArray>()
  for (const [key, array] of model.stateDict()) tensors.set(`weights.${key}`, array)
  for (const [key, array] of Object.entries(batch)) tensors.set(`batch.${key}`, array)
  writeFileSync(file, writeSafetensors(tensors))
}

function withPrefix(tensors: ReadonlyMap<string, NDArray>, prefix: string): Map<string, NDArray> {
  const chosen = [...tensors].filter(([key]) => key.startsWith(prefix))
  return new Map(chosen.map(([key, array]) => [key.slice(prefix.length), array]))
}

function load(): Trainable {
  const prepared = trainable()
  const { tensors } = readSafetensors(readFileSync(file))
  prepared.model.loadStateDict(withPrefix(tensors, 'weights.'))
  return { ...prepared, batch: Object.fromEntries(withPrefix(tensors, 'batch.')) }
}

function trainingStep({ model, batch, loss, optimizer: chosen }: Trainable): Step {
  const parameters = model.parameters()
  const optimizer =
    chosen.kind === 'sgd'
      ? new SGD(parameters, chosen.options)
      : new (chosen.kind === 'adam' ? Adam : AdamW)(parameters, chosen.options)
  const clip = 'clipNorm' in chosen && chosen.clipNorm !== undefined ? { clipNorm: chosen.clipNorm } : {}
  const step = compile((arrays: Record<string, Tensor>) => {
    const value = loss(arrays)
    optimizer.minimize(value, clip)
    return { loss: value }
  }, options)
  return async () => (await step(batch)).loss.item()
}

function inferenceStep({ model, batch, forward }: Trainable): Step {
  model.eval()
  const run = compile((arrays: Record<string, Tensor>) => forward(arrays), { ...options, frozen: true })
  return async () => {
    await run(batch)
    return 0
  }
}

function productStep(): Step {
  const size = products.find((product) => product.name === name)?.size ?? 0
  const [a, b, c] = [1, 2, 3].map((seed) => new Variable([size, size], { data: randomFloats([size, size], seed).data }))
  const run = compile(() => {
    if (a && b) c?.assign(ops.matmul(a.value, b.value))
    return {}
  }, options)
  return async () => {
    await run()
    return 0
  }
}

async function serve(step: Step): Promise<void> {
  const losses = [await step()]
  answer({ started: true })
  losses.push(await step(), await step())
  answer({ losses })
  for await (const line of createInterface({ input: process.stdin })) {
    const times: number[] = []
    for (let i = 0; i < Number(line); i++) {
      const start = performance.now()
      await step()
      times.push(performance.now() - start)
    }
    answer({ times, peak: process.resourceUsage().maxRSS / 1024 })
  }
}

if (measure === 'prepare') prepare()
else if (measure === 'product') await serve(productStep())
else await serve(measure === 'train' ? trainingStep(load()) : inferenceStep(load()))
