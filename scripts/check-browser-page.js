// What `npm run check:browser` runs in Node and in a browser: a few steps of a small Mixer, from the same weights on the same pictures.
import { compile } from '../dist/compile/compile.js'
import * as ops from '../dist/ops/index.js'
import { AdamW } from '../dist/optim/index.js'
import { variantConfig } from '../dist/systems/mixer/config.js'
import { Mixer } from '../dist/systems/mixer/model.js'
import { manualSeed } from '../dist/tensor/random-state.js'
import { tensor } from '../dist/tensor/tensor.js'

const steps = 20
const [examples, side] = [32, 28]

const config = {
  ...variantConfig('S/16', { image: side, num_classes: 10 }),
  ...{ patch_size: [4, 4], in_channels: 1, num_blocks: 2, hidden_dim: 64, tokens_mlp_dim: 32, channels_mlp_dim: 256 },
}

const pixels = Float32Array.from({ length: examples * side * side }, (_, i) => Math.sin((i * i) % 1000))
const image = { dtype: 'float32', shape: [examples, 1, side, side], data: pixels }
const label = { dtype: 'int32', shape: [examples], data: Int32Array.from({ length: examples }, (_, i) => i % 10) }

/** The losses, the last one again after `undo`, a sum that no compiled function returns, and milliseconds a step. */
export async function train() {
  manualSeed(1)
  const model = new Mixer(config)
  const optimizer = new AdamW(model.parameters(), { lr: 1e-3 })
  const step = compile((x, y) => {
    const loss = ops.crossEntropy(model.forward(x), y)
    optimizer.minimize(loss)
    return loss
  })
  const losses = []
  let start = performance.now()
  for (let i = 0; i < steps; i++) {
    losses.push((await step(image, label)).item())
    if (i === 0) start = performance.now()
  }
  const milliseconds = (performance.now() - start) / (steps - 1)
  step.undo()
  const repeated = (await step(image, label)).item()
  await step.release()
  return { losses, repeated, sum: await ops.add(tensor([1, 2]), 1).numbers(), milliseconds }
}
