/** perceiver-pytorch's network where it is unlike ours. */
import { expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import { type LucidConfig, LucidPerceiver } from '../../../src/systems/perceiver/lucid.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { constant, type Tensor } from '../../../src/tensor/tensor.ts'
import { Generator } from '../../../src/util/random.ts'

const config: LucidConfig = {
  num_freq_bands: 2,
  depth: 4,
  max_freq: 8,
  input_channels: 3,
  input_axis: 1,
  num_latents: 4,
  latent_dim: 8,
  latent_heads: 2,
  cross_dim_head: 4,
  latent_dim_head: 4,
  num_classes: 5,
}
const data = constant(new Generator(3).normal(42), [2, 7, 3], 'float32')

async function logitsOf(model: LucidPerceiver): Promise<number[]> {
  const run = compile((x: Tensor) => model.eval().forward(x), { threads: 1 })
  const logits = await (await run(data)).numbers()
  await run.release()
  return logits
}

test('tied layers share their weights, not how they read', async () => {
  manualSeed(5)
  const inverted_cross_attn = [false, true, true, false]
  const tied = new LucidPerceiver({ ...config, inverted_cross_attn, weight_tie_layers: true })
  const apart = new LucidPerceiver({ ...config, inverted_cross_attn })
  apart.loadStateDict(tied.stateDict()) // it has the shared weights under each layer's name
  expect(await logitsOf(tied)).toEqual(await logitsOf(apart))
  const last = new LucidPerceiver({ ...config, inverted_cross_attn: [false, true, true, true] })
  last.loadStateDict(tied.stateDict())
  expect(await logitsOf(tied)).not.toEqual(await logitsOf(last))
})

test.each([[[true]], [[true, false, true, false, true]]])(
  '%s is not one value for each layer',
  (inverted_cross_attn) => {
    expect(() => new LucidPerceiver({ ...config, inverted_cross_attn })).toThrow(
      `Perceiver: inverted_cross_attn must be one value or one for each of the 4 layers, found ${inverted_cross_attn.length}`,
    )
  },
)
