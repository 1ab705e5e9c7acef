/** Cross attention from the inputs themselves, and latent transformers that are computed again: the same numbers and gradients. */
import { describe, expect, test } from 'vitest'
import { gradient } from '../../../src/autodiff/gradient.ts'
import { compile } from '../../../src/compile/compile.ts'
import * as ops from '../../../src/ops/index.ts'
import { PerceiverLayer } from '../../../src/systems/perceiver/attention.ts'
import type { PerceiverConfig } from '../../../src/systems/perceiver/config.ts'
import { Perceiver } from '../../../src/systems/perceiver/model.ts'
import { readsDirectly } from '../../../src/systems/perceiver/reading.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { constant, type Tensor } from '../../../src/tensor/tensor.ts'
import { Generator } from '../../../src/util/random.ts'

const random = (seed: number, shape: readonly number[]): Tensor =>
  constant(new Generator(seed).normal(shape.reduce((a, b) => a * b, 1)), shape, 'float32')

/** The same attention with keys and values, as the paper writes it. */
function withKeysAndValues(layer: PerceiverLayer, x: Tensor, context: Tensor, mask: Tensor, heads: number): Tensor {
  const { layernorm1, layernorm2, query, key, value } = layer.attention.self
  const read = layernorm2?.forward(context) ?? context
  const [q, k, v] = [query.forward(layernorm1.forward(x)), key.forward(read), value.forward(read)].map((rows) =>
    ops.splitHeads(rows, heads),
  ) as [Tensor, Tensor, Tensor]
  const found = ops.scaledDotProductAttention(q, k, v, { mask: ops.reshape(mask, [2, 1, 1, -1]) })
  const y = ops.add(x, layer.attention.output.dense.forward(ops.mergeHeads(found)))
  const hidden = ops.gelu(layer.mlp.dense1.forward(layer.layernorm.forward(y)), { approximate: 'tanh' })
  return ops.add(y, layer.mlp.dense2.forward(hidden))
}

test.each([
  [1, false],
  [2, false],
  [1, true],
])('%s heads, recompute %s: results and all gradients are those with keys and values', async (heads, recompute) => {
  manualSeed(3)
  const layer = new PerceiverLayer({ width: 8, contextWidth: 6, heads, qkChannels: 12, vChannels: 10 })
  for (const [i, variable] of layer.parameters().entries()) {
    variable.set(new Generator(i + 1).normal(variable.size))
  }
  const [x, context] = [random(1, [2, 3, 8]), random(2, [2, 40, 6])]
  const mask = constant(
    Uint8Array.from({ length: 80 }, (_, i) => Number(i % 3 > 0)),
    [2, 40],
    'bool',
  )
  let direct = false
  const run = compile((x: Tensor, context: Tensor) => {
    direct = readsDirectly({ heads, queries: 3, channels: 6, qkChannels: 12, vChannels: 10 })
    const both = [layer.forward(x, context, mask, recompute).output, withKeysAndValues(layer, x, context, mask, heads)]
    return both.map((y) => [y, ...gradient(ops.sum(ops.sin(y)), [x, context, ...layer.parameters()])])
  })
  const [found = [], expected = []] = await run(x, context)
  expect(direct).toBe(true)
  for (const [i, tensor] of found.entries()) {
    const wanted = await expected[i]?.numbers()
    for (const [j, number] of (await tensor.numbers()).entries())
      expect(number).toBeCloseTo(wanted?.[j] ?? Number.NaN, 3)
  }
  await run.release()
})

test('keys and values are made where they cost less, and in graphs that are not for running', async () => {
  const answers: boolean[] = []
  const ask = (x: Tensor): Tensor => {
    answers.push(readsDirectly({ heads: 1, queries: 50, channels: 60, qkChannels: 2, vChannels: 2 }))
    return x
  }
  const run = compile(ask)
  await run(random(1, [1]))
  answers.push(readsDirectly({ heads: 1, queries: 3, channels: 2, qkChannels: 9, vChannels: 9 }))
  expect(answers).toEqual([false, false])
  await run.release()
})

describe('latent transformers that are computed again', () => {
  const config: PerceiverConfig = {
    input_channels: 5,
    num_latents: 4,
    num_latent_channels: 8,
    num_cross_attends: 2,
    num_blocks: 2,
    num_self_attends_per_block: 2,
    num_cross_attend_heads: 1,
    num_self_attend_heads: 2,
    share_weights: true,
    arrangement: 'interleaved',
    num_classes: 3,
  }

  test('have the same results, maps and gradients', async () => {
    const found = await Promise.all(
      [false, true].map(async (recompute) => {
        manualSeed(1)
        const model = new Perceiver({ ...config, recompute })
        const parameters = model.parameters()
        const run = compile((x: Tensor) => {
          const { logits, attentions } = model.outputs(x)
          return [
            logits,
            ...attentions.map(({ weights }) => weights),
            ...gradient(ops.sum(ops.sin(logits)), parameters),
          ]
        })
        const numbers = await Promise.all((await run(random(7, [2, 7, 5]))).map((tensor) => tensor.numbers()))
        await run.release()
        return numbers.flatMap((each) => [...each])
      }),
    )
    const [kept = [], again = []] = found
    expect(again).toHaveLength(kept.length)
    for (const [i, value] of kept.entries()) expect(again[i]).toBeCloseTo(value, 5)
  })
})
