/**
 * Pictures from an exported denoiser, as a PNG file: the reverse process of diffusion (Ho et al. 2020; DDIM with eta 0, Song et al. 2021) around a
 * network that predicts noise, with the cosine schedule that diffusion/denoiser has by default.
 *
 *   npx tenfold export RUN --format onnx --out denoiser.onnx
 *   npm run example -- sample-diffusion denoiser.onnx samples.png [--size 28] [--channels 1] [--steps 100] [--eta 1] [--classes 10]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Generator, type NDArray } from 'tenfold'
import { encodePng } from 'tenfold/data'
import { pictureSheet, picturesOf } from 'tenfold/report'
import { OnnxModel } from 'tenfold/runtime'

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '28' },
    channels: { type: 'string', default: '1' },
    steps: { type: 'string', default: '100' },
    times: { type: 'string', default: '1000' }, // T of the training
    eta: { type: 'string', default: '1' }, // 1: ancestral sampling, 0: DDIM
    classes: { type: 'string', default: '10' },
    count: { type: 'string', default: '20' },
    seed: { type: 'string', default: '0' },
  },
})
const [file = 'denoiser.onnx', out = 'samples.png'] = positionals
const numbers = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, Number(value)]))
const { size = 28, channels = 1, steps = 100, times = 1000, eta = 1, classes = 10, count = 20, seed = 0 } = numbers
const model = await OnnxModel.load(readFileSync(file), file)
const random = new Generator(seed)
const [shape, area] = [[count, channels, size, size], channels * size * size]

/** What is left of a picture after t + 1 of the training's steps: the product of all 1 - beta. */
const kept: number[] = []
for (let t = 0; t < times; t++) {
  const f = (u: number) => Math.cos((((u + 0.008) / 1.008) * Math.PI) / 2) ** 2
  kept.push((kept.at(-1) ?? 1) * (1 - Math.min(1 - f((t + 1) / times) / f(t / times), 0.999)))
}

let x = random.normal(count * area)
for (let i = steps - 1; i >= 0; i--) {
  const [time, earlier] = [i, i - 1].map((step) => Math.round((step * (times - 1)) / Math.max(1, steps - 1)))
  const [now, before] = [kept[time ?? 0] ?? 1, i > 0 ? (kept[earlier ?? 0] ?? 1) : 1]
  const inputs: Record<string, NDArray> = {
    x: { dtype: 'float32', shape, data: x },
    timesteps: { dtype: 'float32', shape: [count], data: new Float32Array(count).fill(time ?? 0) },
    ...(model.inputs.includes('y') && {
      y: { dtype: 'int64', shape: [count], data: BigInt64Array.from({ length: count }, (_, n) => BigInt(n % classes)) },
    }),
  }
  const { output } = model.run(inputs)
  if (!output) throw new Error(`${file} has no output "output"`)
  const stride = output.data.length / count // the noise, and perhaps a variance, which is not used here
  const sigma = eta * Math.sqrt(((1 - before) / (1 - now)) * (1 - now / before))
  const noise = random.normal(x.length)
  x = x.map((value, at) => {
    const predicted = Number(output.data[Math.floor(at / area) * stride + (at % area)])
    const clean = Math.min(1, Math.max(-1, (value - Math.sqrt(1 - now) * predicted) / Math.sqrt(now)))
    const direction = (value - Math.sqrt(now) * clean) / Math.sqrt(1 - now)
    return Math.sqrt(before) * clean + Math.sqrt(1 - before - sigma ** 2) * direction + sigma * (noise[at] ?? 0)
  })
}
model.release()
const sheet = pictureSheet(picturesOf({ dtype: 'float32', shape, data: x }), Math.min(10, count))
writeFileSync(out, encodePng(sheet.pixels, sheet.width, sheet.height, sheet.channels))
console.log(`${out}: ${count} pictures in ${steps} steps`)
