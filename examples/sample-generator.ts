/**
 * Pictures from an exported generator, as a PNG file: of a GAN, a VAE or a BigGAN. Noise goes in, and classes where the model takes some.
 *
 *   npx tenfold export RUN --format onnx --model generator --out generator.onnx    (of a VAE: --model decoder)
 *   npm run example -- sample-generator generator.onnx samples.png [--width 64] [--classes 10]
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
    width: { type: 'string', default: '64' }, // numbers of noise for a picture
    classes: { type: 'string', default: '10' },
    count: { type: 'string', default: '40' },
    seed: { type: 'string', default: '0' },
  },
})
const [file = 'generator.onnx', out = 'samples.png'] = positionals
const [count, width, classes] = [Number(given.count), Number(given.width), Number(given.classes)]
const model = await OnnxModel.load(readFileSync(file), file)

const random = new Generator(Number(given.seed))
const array = (data: Float32Array, width: number): NDArray => ({ dtype: 'float32', shape: [count, width], data })
const oneHot = Float32Array.from({ length: count * classes }, (_, i) =>
  Number(Math.floor(i / classes) % classes === i % classes),
)
// Noise comes first, by whatever name.
const [noise = 'z', labels] = model.inputs
const { picture } = model.run({
  [noise]: array(random.normal(count * width), width),
  ...(labels !== undefined && { [labels]: array(oneHot, classes) }),
})
model.release()
if (!picture) throw new Error(`${file} has no output "picture"`)
const { pixels, width: across, height, channels } = pictureSheet(picturesOf(picture), Math.min(10, count))
writeFileSync(out, encodePng(pixels, across, height, channels))
console.log(`${out}: ${count} pictures`)
