/** Filters of waveforms: another sample rate, and more treble. */
import { elementCount } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import {
  optionsOf,
  requireCount,
  requireFinite,
  requireOneOf,
  requirePositive,
  requireWithin,
} from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { greatestDivisor, hannAt, type SincFilter, sincWeight, sincWidth } from '../../util/resampling.ts'
import { conv1d } from '../conv/conv.ts'
import { checked, type Operand, toFloat } from '../define.ts'
import { mul, sub } from '../elementwise/binary.ts'
import { concat, reshape, slice, transpose } from '../movement/movement.ts'
import { padAxis } from '../movement/padding.ts'
import { besselI0 } from './windows.ts'

const methods = ['sinc_interp_hann', 'sinc_interp_kaiser'] as const

/** Options of `resample`. */
export interface ResampleOptions {
  /** Zero crossings of the filter on each side: sharper and slower when larger. Default: 6. */
  readonly lowpassFilterWidth?: number
  /** Where the filter ends, as a share of the lower of the two half rates. Default: 0.99. */
  readonly rolloff?: number
  /** The window of the sinc. Default: sinc_interp_hann. */
  readonly resamplingMethod?: (typeof methods)[number]
  /** Of Kaiser's window. Default: 14.769656459379492. */
  readonly beta?: number
}

const resampleNames = { lowpassFilterWidth: true, rolloff: true, resamplingMethod: true, beta: true } as const

/** A sinc under a window for each of the new samples in one period, [next, 1, 2 width + previous]. */
function resamplingKernel(previous: number, next: number, width: number, filter: SincFilter): Tensor {
  const length = 2 * width + previous
  const data = new Float32Array(next * length)
  for (let phase = 0; phase < next; phase++) {
    for (let i = 0; i < length; i++) data[phase * length + i] = sincWeight(previous, next, filter, phase, i - width)
  }
  return constant(data, [next, 1, length], 'float32')
}

/**
 * Waveforms [..., time] of one sample rate as they are at another, [..., ceil(time newFreq / origFreq)]: bandlimited interpolation
 * (Smith), a convolution with a windowed sinc for each phase. `torchaudio.functional.resample`. Rates are whole numbers.
 */
export function resample(x: Operand, origFreq: number, newFreq: number, options?: ResampleOptions): Tensor {
  const input = toFloat('resample', x)
  return checked(() => {
    const {
      lowpassFilterWidth = 6,
      rolloff = 0.99,
      resamplingMethod = 'sinc_interp_hann',
    } = optionsOf('resample', options, resampleNames)
    const { beta = 14.769656459379492 } = optionsOf('resample', options, resampleNames)
    requireCount('resample', 'origFreq', origFreq, 1)
    requireCount('resample', 'newFreq', newFreq, 1)
    requireCount('resample', 'lowpassFilterWidth', lowpassFilterWidth, 1)
    requirePositive('resample', 'rolloff', rolloff)
    requireWithin('resample', 'rolloff', rolloff, [0, 1])
    requireOneOf('resample', 'resamplingMethod', resamplingMethod, methods)
    requireWithin('resample', 'beta', beta, [0, 700])
    if (input.rank === 0) throw new ShapeError('resample: x must be [..., time], found a scalar')
    const divisor = greatestDivisor(origFreq, newFreq)
    const [previous, next] = [origFreq / divisor, newFreq / divisor]
    if (previous === next || input.size === 0) return resampledEmpty(input, previous, next)
    const window =
      resamplingMethod === 'sinc_interp_hann'
        ? hannAt
        : (place: number) => besselI0(beta * Math.sqrt(1 - place ** 2)) / besselI0(beta)
    const filter = { lowpassFilterWidth, rolloff, window }
    const width = sincWidth(previous, next, filter)
    const numbers = next * (2 * width + previous)
    if (numbers > 2 ** 26) {
      throw new ShapeError(
        `resample: rates ${origFreq} and ${newFreq} need a filter of ${numbers} numbers, more than 2^26`,
        {
          hint: 'rates with a larger common divisor, or in two steps',
        },
      )
    }
    const kernel = resamplingKernel(previous, next, width, filter)
    const leading = input.shape.slice(0, -1)
    const [batch, time] = [elementCount(leading), sizeOf(input.shape, -1)]
    const padded = padAxis(reshape(input, [batch, 1, time]), 2, width, width + previous)
    const phases = conv1d(padded, kernel, undefined, { stride: previous }) // [batch, next, periods]
    const whole = reshape(transpose(phases), [batch, sizeOf(phases.shape, 2) * next])
    const length = Math.ceil((next * time) / previous)
    return reshape(slice(whole, [0, length], 1), [...leading, length])
  })
}

function resampledEmpty(x: Tensor, previous: number, next: number): Tensor {
  const time = sizeOf(x.shape, -1)
  return padAxis(x, -1, 0, Math.ceil((next * time) / previous) - time)
}

/** y[t] = x[t] - coeff x[t - 1] along the last axis, y[0] = x[0]; `torchaudio.functional.preemphasis`. Default of coeff: 0.97. */
export function preemphasis(x: Operand, coeff = 0.97): Tensor {
  const input = toFloat('preemphasis', x)
  return checked(() => {
    requireFinite('preemphasis', 'coeff', coeff)
    if (input.rank === 0) throw new ShapeError('preemphasis: x must be [..., time], found a scalar')
    if (input.size === 0) return input
    const rest = sub(slice(input, [1], -1), mul(slice(input, [0, -1], -1), coeff))
    return concat([slice(input, [0, 1], -1), rest], -1)
  })
}
