/**
 * Pictures from an exported energy, as a PNG file: Langevin dynamics, x <- x - step dE/dx + noise, from uniform noise (Grathwohl et al. 2019,
 * arXiv 1912.03263). The model file has the gradient inside.
 *
 *   npx tenfold export RUN --format onnx --model slope --out slope.onnx    (a run of self-supervised/energy or jem)
 *   npm run example -- sample-energy slope.onnx samples.png [--size 28] [--channels 1] [--steps 200]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Generator } from 'tenfold'
import { encodePng } from 'tenfold/data'
import { pictureSheet, picturesOf } from 'tenfold/report'
import { OnnxModel } from 'tenfold/runtime'

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '28' },
    channels: { type: 'string', default: '1' },
    steps: { type: 'string', default: '200' },
    step: { type: 'string', default: '1' },
    noise: { type: 'string', default: '0.01' },
    count: { type: 'string', default: '20' },
    seed: { type: 'string', default: '0' },
  },
})
const [file = 'slope.onnx', out = 'samples.png'] = positionals
const [count, channels, size] = [Number(given.count), Number(given.channels), Number(given.size)]
const model = await OnnxModel.load(readFileSync(file), file)
const random = new Generator(Number(given.seed))
const shape = [count, channels, size, size]
let x = random.uniform(count * channels * size * size).map((value) => 2 * value - 1)
for (let i = 0; i < Number(given.steps); i++) {
  const { slope } = model.run({ x: { dtype: 'float32', shape, data: x } })
  const noise = random.normal(x.length)
  x = x.map(
    (value, at) => value - Number(given.step) * Number(slope?.data[at]) + Number(given.noise) * (noise[at] ?? 0),
  )
}
model.release()
const sheet = pictureSheet(picturesOf({ dtype: 'float32', shape, data: x }), Math.min(10, count))
writeFileSync(out, encodePng(sheet.pixels, sheet.width, sheet.height, sheet.channels))
console.log(`${out}: ${count} pictures after ${given.steps} steps`)
