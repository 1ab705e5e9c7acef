/** Float32 error of the Fourier mixing against float64. `node scripts/forms.js fourier-accuracy`. Decision: docs/decisions/012-fourier.md. */
import { compile } from '../../src/compile/compile.ts'
import { fft2Real } from '../../src/ops/kit.ts'
import { toNumbers } from '../../src/tensor/dtype.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { RandomStream } from '../../src/util/random.ts'

const width = 16

/** exp(-2 pi i j k / size) transforms of the columns of one matrix, in float64, from tables of exact angles. */
function transformRows(
  re: Float64Array,
  im: Float64Array,
  rows: number,
  columns: number,
): [Float64Array, Float64Array] {
  const cos = Float64Array.from({ length: columns }, (_, j) => Math.cos((2 * Math.PI * j) / columns))
  const sin = Float64Array.from({ length: columns }, (_, j) => Math.sin((2 * Math.PI * j) / columns))
  const [outRe, outIm] = [new Float64Array(re.length), new Float64Array(re.length)]
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < columns; k++) {
      let [sumRe, sumIm] = [0, 0]
      for (let n = 0; n < columns; n++) {
        const at = row * columns + n
        const [c = 0, s = 0] = [cos[(n * k) % columns], sin[(n * k) % columns]]
        sumRe += (re[at] ?? 0) * c + (im[at] ?? 0) * s
        sumIm += (im[at] ?? 0) * c - (re[at] ?? 0) * s
      }
      outRe[row * columns + k] = sumRe
      outIm[row * columns + k] = sumIm
    }
  }
  return [outRe, outIm]
}

function transposed(values: Float64Array, rows: number, columns: number): Float64Array {
  return Float64Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)] ?? 0)
}

for (const tokens of [509, 512, 1021, 4093, 4096, 8191, 16_384]) {
  // Mean 0.5, as the reference case has it: the first element is about half the count of numbers.
  const data = new RandomStream(0).normal(0, 0, tokens * width).map((value) => value + 0.5)
  const run = compile((x: Tensor) => fft2Real(x))
  const y = await run({ dtype: 'float32', shape: [tokens, width], data })
  const found = toNumbers(y.array.data)
  await run.release()
  const inner = transformRows(Float64Array.from(data), new Float64Array(data.length), tokens, width)
  const [re, im] = inner.map((part) => transposed(part, tokens, width)) as [Float64Array, Float64Array]
  const exact = transposed(transformRows(re, im, width, tokens)[0], width, tokens)
  let [worst, squares, errors, largest] = [0, 0, 0, 0]
  for (const [i, value] of exact.entries()) {
    const error = Math.abs((found[i] ?? Number.NaN) - value)
    worst = Math.max(worst, error)
    largest = Math.max(largest, Math.abs(value))
    squares += value ** 2
    errors += error ** 2
  }
  console.log(
    `[${tokens}, ${width}]: largest error ${worst.toExponential(1)}, of the largest element ${largest.toFixed(0)}: ${(worst / largest).toExponential(1)}; relative error of the whole (L2) ${Math.sqrt(errors / squares).toExponential(1)}`,
  )
}
