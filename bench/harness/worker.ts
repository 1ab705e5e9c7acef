/**
 * tenfold's side of a measurement, a process of its own: `worker.js NAME MEASURE FILE THREADS`. Every peer speaks the
 * same protocol: a line when the first step is done, a line with the first three losses, then for each number on the
 * input that many steps, their times in ms and the process's peak memory.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { compile } from '../../src/compile/compile.ts'
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.ts'
import { Decoder, type Decoding, GPT2LMHeadModel, maximumOf } from '../../src/models/index.ts'
import * as ops from '../../src/ops/index.ts'
import { Adam, AdamW, SGD } from '../../src/optim/index.ts'
import type { NDArray } from '../../src/tensor/dtype.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { promptTokens, textTokens } from '../workloads/gpt2.ts'
import { decodings, products, workloads } from '../workloads/index.ts'
import { randomFloats, randomIndices } from '../workloads/random.ts'
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

/** The model and batch of the workload, of a GPT-2 the prompt. */
function described(): Pick<Trainable, 'model' | 'batch'> {
  const config = decodings.find((decoding) => decoding.name === name)?.config
  if (!config) return trainable()
  const { vocab_size = 50_257 } = config
  return { model: new GPT2LMHeadModel(config), batch: { ids: randomIndices([1, promptTokens], vocab_size, 1) } }
}

/** Weights and batch, for all peers. */
function prepare(): void {
  const { model, batch } = described()
  const tensors = new Map<string, NDArray>()
  for (const [key, array] of model.stateDict()) tensors.set(`weights.${key}`, array)
  for (const [key, array] of Object.entries(batch)) tensors.set(`batch.${key}`, array)
  writeFileSync(file, writeSafetensors(tensors))
}

function withPrefix(tensors: ReadonlyMap<string, NDArray>, prefix: string): Map<string, NDArray> {
  const chosen = [...tensors].filter(([key]) => key.startsWith(prefix))
  return new Map(chosen.map(([key, array]) => [key.slice(prefix.length), array]))
}

function load<T extends Pick<Trainable, 'model' | 'batch'>>(prepared: T): T {
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

/** The likeliest token follows; the number is its logit. */
function decodingStep({ model, batch }: Pick<Trainable, 'model' | 'batch'>): Step {
  const decoder = new Decoder(model.eval() as GPT2LMHeadModel, options)
  const prompt = Array.from(batch.ids?.data ?? [], Number)
  let decoding: Decoding | undefined
  return async () => {
    if (!decoding || (decoding.lengths[0] ?? 0) >= textTokens) decoding = await decoder.start([prompt])
    const [logits = new Float32Array()] = decoding.logits
    const largest = maximumOf(logits)
    await decoding.append([[logits.indexOf(largest)]])
    return largest
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
else if (measure === 'decode') await serve(decodingStep(load(described())))
else await serve(measure === 'train' ? trainingStep(load(trainable())) : inferenceStep(load(trainable())))
