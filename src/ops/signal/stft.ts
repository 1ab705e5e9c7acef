/** The short-time Fourier transform and its inverse, as PyTorch's. */
import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireCount, requireFlag } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { checked, type Operand, requireDType, toTensor } from '../define.ts'
import { div, mul } from '../elementwise/binary.ts'
import { type Complex, type ComplexOperand, partsOf } from '../fourier/complex.ts'
import { halfWeights } from '../fourier/fft.ts'
import { transformRows } from '../fourier/rows.ts'
import { select } from '../indexing/selection.ts'
import { expand, reshape, slice } from '../movement/movement.ts'
import { type PadMode, pad, padAxis } from '../movement/padding.ts'
import { stack } from '../movement/rearrange.ts'
import { frameCount, framesOf, overlapAdd } from './frames.ts'

/** Options of `stft` and `istft`. */
export interface StftOptions {
  /** Samples from one frame to the next. Default: floor(nFft / 4). */
  readonly hopLength?: number
  /** Length of the window, which stands in the middle of a frame. Default: nFft. */
  readonly winLength?: number
  /** [winLength]. Default: ones. */
  readonly window?: Operand
  /** Frame f has its middle at sample f hopLength: nFft / 2 samples are added at both ends. Default: true. */
  readonly center?: boolean
  /** What is added. Default: reflect. */
  readonly padMode?: PadMode
  /** Multiplies by nFft^-1/2. Default: false. */
  readonly normalized?: boolean
  /** Frequencies up to nFft / 2, which make up the whole. Default: true. */
  readonly onesided?: boolean
}

/** Options of `istft`: those that the transform was made with. */
export interface IstftOptions extends Omit<StftOptions, 'padMode'> {
  /** Samples of the result. Default: what the frames cover. */
  readonly length?: number
}

function settingsOf(op: string, nFft: number, options: IstftOptions) {
  requireCount(op, 'nFft', nFft, 1)
  const {
    hopLength = Math.floor(nFft / 4),
    winLength = nFft,
    center = true,
    normalized = false,
    onesided = true,
  } = options
  requireCount(op, 'hopLength', hopLength, 1)
  requireCount(op, 'winLength', winLength, 1)
  for (const [name, flag] of Object.entries({ center, normalized, onesided })) requireFlag(op, name, flag)
  if (winLength > nFft) throw new ShapeError(`${op}: winLength must be at most nFft ${nFft}, found ${winLength}`)
  return { hopLength, winLength, center, normalized, onesided, window: windowOf(op, nFft, winLength, options.window) }
}

/** The window as long as a frame: numbers where they are known, a tensor where they are computed. */
function windowOf(op: string, nFft: number, winLength: number, given: Operand | undefined): Float32Array | Tensor {
  const before = Math.floor((nFft - winLength) / 2)
  const inFrame = new Float32Array(nFft)
  if (given === undefined || given === null) return inFrame.fill(1, before, before + winLength)
  const window = toTensor(op, given)
  requireDType(op, 'window', window, ['float32'])
  if (window.rank !== 1 || window.size !== winLength)
    throw new ShapeError(`${op}: window must be [${winLength}], found ${formatShape(window.shape)}`)
  if (window.source.kind !== 'constant') return padAxis(window, 0, before, nFft - winLength - before)
  inFrame.set(window.source.data as Float32Array, before)
  return inFrame
}

const binsOf = (nFft: number, onesided: boolean): number => (onesided ? Math.floor(nFft / 2) + 1 : nFft)

/**
 * Transforms of windowed frames: x [..., length] -> [..., frequencies, frames], frequency k of frame f being the sum over n of
 * window[n] x[n + hopLength f] exp(-2 pi i k n / nFft). `torch.stft(..., return_complex=True)`, of any number of leading axes.
 */
export function stft(x: Operand, nFft: number, options?: StftOptions): Complex {
  const input = toTensor('stft', x)
  return checked(() => {
    const given = optionsOf('stft', options, {
      hopLength: true,
      winLength: true,
      window: true,
      center: true,
      padMode: true,
      normalized: true,
      onesided: true,
    })
    const { hopLength, center, normalized, onesided, window } = settingsOf('stft', nFft, given)
    requireDType('stft', 'x', input, ['float32'])
    if (input.rank === 0) throw new ShapeError('stft: x must be [..., length], found a scalar')
    const leading = input.shape.slice(0, -1)
    const half = Math.floor(nFft / 2)
    const rows = reshape(input, [elementCount(leading), sizeOf(input.shape, -1)])
    const signal = center ? pad(rows, [half, half], { mode: given.padMode ?? 'reflect' }) : rows
    const count = frameCount(sizeOf(signal.shape, 1), nFft, hopLength)
    if (count < 1) {
      throw new ShapeError(`stft: x must have at least nFft ${nFft} samples, found ${sizeOf(signal.shape, 1)}`)
    }
    const bins = binsOf(nFft, onesided)
    const frames = framesOf(signal, nFft, hopLength) // [batch, nFft, frames]
    const isKnown = window instanceof Float32Array
    const factor = normalized ? 1 / Math.sqrt(nFft) : 1
    const at = (n: number): number => factor * (isKnown ? (window[n] ?? 0) : 1)
    const parts = transformRows(isKnown ? frames : mul(frames, reshape(window, [nFft, 1])), {
      size: nFft,
      sign: -1,
      given: nFft,
      from: 1,
      kept: bins,
      to: 2,
      weights: { name: `${factor} ${isKnown ? window.join() : ''}`, at },
    })
    const outOf = (part: number): Tensor => reshape(select(parts, part, 1), [...leading, bins, count])
    return { real: outOf(0), imag: outOf(1) }
  })
}

/** The squares of the windows of all frames, added up where they lie: [1, nFft + hop (frames - 1)]. */
function envelopeOf(window: Float32Array | Tensor, hop: number, count: number): Float32Array | Tensor {
  if (!(window instanceof Float32Array)) {
    const squares = reshape(mul(window, window), [1, window.size, 1])
    return overlapAdd(expand(squares, [1, window.size, count]), hop)
  }
  const sums = new Float64Array(window.length + hop * (count - 1))
  for (let frame = 0; frame < count; frame++)
    for (const [n, value] of window.entries()) sums[frame * hop + n] = (sums[frame * hop + n] ?? 0) + value ** 2
  return Float32Array.from(sums)
}

/**
 * The signal [..., length] that fits a short-time Fourier transform [..., frequencies, frames] best (Griffin and Lim 1984): inverse
 * transforms, windowed again, added up, and divided by the sum of the squared windows. That must not be 0 anywhere. `torch.istft`.
 */
export function istft(x: ComplexOperand, nFft: number, options?: IstftOptions): Tensor {
  const { real, imag } = partsOf('istft', x)
  return checked(() => {
    const given = optionsOf('istft', options, {
      length: true,
      hopLength: true,
      winLength: true,
      window: true,
      center: true,
      normalized: true,
      onesided: true,
    })
    const { hopLength, center, normalized, onesided, window } = settingsOf('istft', nFft, given)
    const bins = binsOf(nFft, onesided)
    if (real.rank < 2 || sizeOf(real.shape, -2) !== bins || sizeOf(real.shape, -1) < 1)
      throw new ShapeError(`istft: x must be [..., ${bins}, frames], found ${formatShape(real.shape)}`)
    const [leading, count] = [real.shape.slice(0, -2), sizeOf(real.shape, -1)]
    const batch = elementCount(leading)
    const covered = nFft + hopLength * (count - 1)
    const start = center ? Math.floor(nFft / 2) : 0
    if (given.length !== undefined) requireCount('istft', 'length', given.length, 1)
    const end = given.length === undefined ? covered - start : Math.min(covered, start + given.length)
    if (end <= start)
      throw new ShapeError(`istft: ${count} frames leave no samples between the halves that center cuts off`)
    // The other half of a whole spectrum is not looked at, as in PyTorch: the signal is real.
    const half = Math.floor(nFft / 2) + 1
    const flat = (part: Tensor): Tensor => reshape(slice(part, [0, half], -2), [batch, half, count])
    const rows = imag ? reshape(stack([flat(real), flat(imag)], 2), [batch, 2 * half, count]) : flat(real)
    const frames = transformRows(rows, {
      size: nFft,
      sign: 1,
      given: half,
      from: imag ? 2 : 1,
      kept: nFft,
      to: 1,
      weights: halfWeights(nFft, normalized ? 1 / Math.sqrt(nFft) : 1 / nFft),
    }) // [batch, 1, nFft, frames]
    const factors = window instanceof Float32Array ? constant(window, [nFft], 'float32') : window
    const windowed = mul(reshape(frames, [batch, nFft, count]), reshape(factors, [nFft, 1]))
    const sum = slice(overlapAdd(windowed, hopLength), [start, end], 1)
    const signal = div(sum, envelopeBetween(window, hopLength, count, start, end))
    const missing = given.length === undefined ? 0 : start + given.length - end
    return reshape(padAxis(signal, 1, 0, missing), [...leading, end - start + missing])
  })
}

function envelopeBetween(
  window: Float32Array | Tensor,
  hop: number,
  count: number,
  start: number,
  end: number,
): Tensor {
  const envelope = envelopeOf(window, hop, count)
  if (!(envelope instanceof Float32Array)) return slice(envelope, [start, end], 1)
  const part = envelope.subarray(start, end)
  const zero = part.findIndex((value) => Math.abs(value) <= 1e-11)
  if (zero >= 0) {
    throw new ShapeError(
      `istft: the squared windows must not add up to 0, found 0 at sample ${zero} of ${part.length}`,
      {
        hint: 'a smaller hopLength, or center: true with a window that is 0 at its ends',
      },
    )
  }
  return constant(part, [1, part.length], 'float32')
}
