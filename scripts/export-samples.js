// Writes models and their results for scripts/check_onnx.py: `node scripts/export-samples.js FOLDER`.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compile, exportOnnx, manualSeed, nn, ops } from '../dist/index.js'
import { Mixer } from '../dist/systems/mixer/model.js'

const folder = process.argv[2] ?? 'runs/onnx-check'
mkdirSync(folder, { recursive: true })

const mixer = new Mixer({
  patch_size: [4, 4],
  image_size: [8, 12],
  in_channels: 3,
  num_classes: 5,
  num_blocks: 2,
  hidden_dim: 16,
  tokens_mlp_dim: 8,
  channels_mlp_dim: 24,
  stoch_depth: 0,
  gelu: 'tanh',
})
manualSeed(3)
mixer.head.weight.set(nn.init.normal(mixer.head.weight.shape))
const convolutional = new nn.Sequential(new nn.Conv2d(3, 8, 3, { padding: 1 }), new nn.GroupNorm(2, 8), new nn.SiLU())
const embedding = new nn.Embedding(11, 8)

/** name -> sizes of one example, dtype, and the function. */
const models = {
  mixer: [[3, 8, 12], 'float32', (x) => mixer.forward(x)],
  convolutional: [[3, 8, 12], 'float32', (x) => ops.adaptiveAvgPool2d(ops.maxPool2d(convolutional.forward(x), 2), 2)],
  attention: [[2, 6, 8], 'float32', (x) => ops.scaledDotProductAttention(x, x, x, { causal: true })],
  embedding: [[7], 'int64', (x) => ops.logSoftmax(ops.mean(embedding.forward(x), 1))],
  resize: [[2, 5, 6], 'float32', (x) => ops.interpolate(x, [7, 4], { mode: 'bicubic' })],
}

function example(batch, sizes, dtype) {
  const shape = [batch, ...sizes]
  const count = shape.reduce((product, size) => product * size, 1)
  if (dtype === 'int64')
    return { dtype, shape, data: BigInt64Array.from({ length: count }, (_, i) => BigInt((5 * i) % 11)) }
  return { dtype, shape, data: Float32Array.from({ length: count }, (_, i) => Math.sin(1 + i * i)) }
}

const plain = ({ dtype, shape, data }) => ({ dtype, shape, data: Array.from(data, Number) })

for (const [name, [sizes, dtype, forward]] of Object.entries(models)) {
  const bytes = await exportOnnx({
    inputs: { x: { dtype, shape: [1, ...sizes] } },
    forward: ({ x }) => ({ y: forward(x) }),
    name,
  })
  writeFileSync(join(folder, `${name}.onnx`), bytes)
  const run = compile(forward)
  const cases = []
  for (const batch of [1, 4]) {
    const x = example(batch, sizes, dtype)
    cases.push({ inputs: { x: plain(x) }, outputs: { y: plain((await run(x)).array) } })
  }
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(cases))
}
