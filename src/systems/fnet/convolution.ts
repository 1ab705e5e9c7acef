/**
 * Fourier mixing as convolution. The paper (section 3.2) notes that multiplying in the frequency domain is convolving in the time
 * domain, with kernels as long as the sequence. For the real part that FNet takes, with A x = `fft2Real(x)`, exactly:
 *
 *   A(g . A(x)) = A(g) * (x + reversed x) / 2       two mixings with weights g between them: one circular convolution
 *   F(x)[k] = w(k) (w x * conj w)[k]                one transform: a circular convolution with a chirp w, between two chirps
 *
 * where . multiplies elements, * convolves circularly over tokens and width, and reversal is n -> (-n) mod size on both axes.
 */
import { compile } from '../../compile/compile.ts'
import * as ops from '../../ops/index.ts'
import type { Section } from '../../report/figures.ts'
import { toNumbers } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { largest } from '../../util/lists.ts'
import { Generator } from '../../util/random.ts'

/** A matrix of numbers, row by row. */
interface Grid {
  readonly rows: number
  readonly columns: number
  readonly values: readonly number[]
}

const wrap = (index: number, size: number): number => ((index % size) + size) % size
const at = ({ rows, columns, values }: Grid, row: number, column: number): number =>
  values[wrap(row, rows) * columns + wrap(column, columns)] ?? Number.NaN

function gridOf(rows: number, columns: number, value: (row: number, column: number) => number): Grid {
  const values = Array.from({ length: rows * columns }, (_, i) => value(Math.floor(i / columns), i % columns))
  return { rows, columns, values }
}

/** (x + x reversed on both axes) / 2: the part of x that the real part of a Fourier transform sees. */
function evenPart(x: Grid): Grid {
  return gridOf(x.rows, x.columns, (row, column) => (at(x, row, column) + at(x, -row, -column)) / 2)
}

/** Circular convolution over both axes by its definition, in float64. */
function circularConvolution(kernel: Grid, x: Grid): Grid {
  return gridOf(x.rows, x.columns, (row, column) => {
    let sum = 0
    for (let m = 0; m < x.rows; m++)
      for (let n = 0; n < x.columns; n++) sum += at(kernel, row - m, column - n) * at(x, m, n)
    return sum
  })
}

/** Real part of the discrete Fourier transform of a real sequence, as a circular convolution with a chirp (Bluestein 1970). */
function chirpTransform(x: readonly number[]): number[] {
  const size = x.length
  // n k = q(n + k) - q(n) - q(k), and exp(2 pi i q(j) / size) repeats after `size`: with squares for even sizes, with
  // triangular numbers for odd ones. The sequence is reversed, so that n + k becomes k - n.
  const quarter = (j: number): number => (size % 2 === 0 ? (j * j) / 2 : (j * (j + 1)) / 2)
  const angle = (j: number): number => (2 * Math.PI * (quarter(j) % size)) / size
  return x.map((_, k) => {
    let [re, im] = [0, 0]
    for (const [n, value] of x.entries()) {
      // (x w)[n] conj(w)[n + k] with w(j) = exp(i angle(j))
      const phase = angle(n) - angle(wrap(n + k, size))
      re += value * Math.cos(phase)
      im += value * Math.sin(phase)
    }
    return re * Math.cos(angle(k)) - im * Math.sin(angle(k)) // times w(k)
  })
}

/** Both identities, computed. */
export interface ConvolutionCheck {
  readonly x: Grid
  /** g, what the frequencies are multiplied by. */
  readonly weights: Grid
  /** A(g), as large as the sequence. */
  readonly kernel: Grid
  /** A(g . A(x)) by the engine, and the convolution by its definition. */
  readonly mixedTwice: Grid
  readonly convolved: Grid
  /** Largest difference of the two, relative to the largest element. */
  readonly convolutionError: number
  /** The same for one transform over the tokens and the chirp's. */
  readonly chirpError: number
}

function relativeError(found: readonly number[], wanted: readonly number[]): number {
  const differences = wanted.map((value, i) => Math.abs((found[i] ?? Number.NaN) - value))
  return largest(differences) / largest(wanted.map(Math.abs))
}

/** Checks the identities for random numbers and weights that keep slow changes: any sizes. */
export async function checkConvolution(tokens: number, width: number, seed = 0): Promise<ConvolutionCheck> {
  const random = Array.from(new Generator(seed).normal(tokens * width))
  const x = gridOf(tokens, width, (row, column) => random[row * width + column] ?? 0)
  const isSlow = (index: number, size: number): boolean => Math.min(index, size - index) <= size / 8
  const weights = gridOf(tokens, width, (row, column) =>
    isSlow(row, tokens) && isSlow(column, width) ? 1 / (tokens * width) : 0,
  )
  const run = compile((value: Tensor, weight: Tensor) => ({
    mixedTwice: ops.fft2Real(ops.mul(weight, ops.fft2Real(value))),
    kernel: ops.fft2Real(weight),
    mixed: ops.fft2Real(ops.slice(value, [0, 1], 1)),
  }))
  const array = ({ rows, columns, values }: Grid) =>
    ({ dtype: 'float32', shape: [rows, columns], data: Float32Array.from(values) }) as const
  const outputs = await run(array(x), array(weights))
  await run.release()
  const grid = (tensor: Tensor): Grid => ({ rows: tokens, columns: width, values: toNumbers(tensor.array.data) })
  const [mixedTwice, kernel] = [grid(outputs.mixedTwice), grid(outputs.kernel)]
  const convolved = circularConvolution(kernel, evenPart(x))
  const firstColumn = gridOf(tokens, 1, (row) => at(x, row, 0)).values
  return {
    x,
    weights,
    kernel,
    mixedTwice,
    convolved,
    convolutionError: relativeError(mixedTwice.values, convolved.values),
    chirpError: relativeError(toNumbers(outputs.mixed.array.data), chirpTransform(firstColumn)),
  }
}

/** The check as a part of a page. */
export function convolutionSection(check: ConvolutionCheck): Section {
  const { x, weights, kernel, mixedTwice, convolved, convolutionError, chirpError } = check
  const column = (grid: Grid) => Array.from({ length: grid.rows }, (_, row) => ({ x: row, y: at(grid, row, 0) }))
  // The kernel's middle stands in the middle of the picture.
  const centred = gridOf(kernel.rows, kernel.columns, (row, col) =>
    at(kernel, row - Math.floor(kernel.rows / 2), col - Math.floor(kernel.columns / 2)),
  )
  const tile = ({ rows, columns, values }: Grid, caption: string) => ({ values, width: columns, height: rows, caption })
  return {
    title: 'Fourier mixing is convolution with a kernel as long as the sequence',
    intro: `Two mixings with weights g between them are one circular convolution with the kernel that the mixing makes of g: checked on ${x.rows} tokens of width ${x.columns}, largest difference ${convolutionError.toExponential(1)} of the largest element. One transform is a circular convolution with a chirp: ${chirpError.toExponential(1)}.`,
    figures: [
      {
        kind: 'heatmaps',
        title: 'Weights, kernel and result',
        caption:
          'Rows are tokens, columns the width. The weights keep slow changes; their kernel reaches over the whole sequence.',
        matrices: [
          tile(weights, 'weights g'),
          tile(centred, 'kernel A(g), centred'),
          tile(evenPart(x), 'what is convolved'),
          tile(mixedTwice, 'two mixings'),
          tile(convolved, 'the convolution'),
        ],
        size: 130,
      },
      {
        kind: 'lines',
        title: 'The two sides for the first feature',
        caption: 'The two lines coincide.',
        x: { label: 'token' },
        y: { label: 'value' },
        series: [
          { name: 'two mixings', points: column(mixedTwice) },
          { name: 'convolution', points: column(convolved) },
        ],
      },
      {
        kind: 'lines',
        title: 'The chirp that one transform convolves with',
        caption: 'Real part. Every token reaches every other with the same strength.',
        x: { label: 'distance between tokens' },
        y: { label: 'kernel' },
        series: [
          {
            name: 'chirp',
            points: Array.from({ length: x.rows }, (_, j) => ({ x: j, y: Math.cos((Math.PI * j * j) / x.rows) })),
          },
        ],
      },
    ],
  }
}
