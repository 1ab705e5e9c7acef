/** Filters with triangular passbands at equal distances on the mel scale of pitch. */
import { constant, type Tensor } from '../../tensor/tensor.ts'
import {
  optionsOf,
  requireAtLeast,
  requireCount,
  requireFinite,
  requireOneOf,
  requirePositive,
} from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { checked } from '../define.ts'

const scales = ['htk', 'slaney'] as const

/** Options of mel filters. */
export interface MelOptions {
  /** Hz of the lowest filter's lower end. Default: 0. */
  readonly fMin?: number
  /** Hz of the highest filter's upper end. Default: half of the sample rate. */
  readonly fMax?: number
  /** 'slaney': divided by the width in Hz, so that all have the same area. Default: null, the tops are 1. */
  readonly norm?: 'slaney' | null
  /** HTK's 2595 log10(1 + f / 700), or Slaney's, linear below 1000 Hz (librosa's default). Default: htk. */
  readonly melScale?: (typeof scales)[number]
}

/** The names of its options. */
export const melNames = { fMin: true, fMax: true, norm: true, melScale: true } as const

// Slaney's scale: 3 mel each 200 Hz up to 1000 Hz (15 mel), then 27 mel for each factor of 6.4.
const linearStep = 200 / 3
const firstLogarithmic = 1000
const logarithmicStep = Math.log(6.4) / 27

function toMel(frequency: number, scale: (typeof scales)[number]): number {
  if (scale === 'htk') return 2595 * Math.log10(1 + frequency / 700)
  if (frequency < firstLogarithmic) return frequency / linearStep
  return firstLogarithmic / linearStep + Math.log(frequency / firstLogarithmic) / logarithmicStep
}

function toHertz(mel: number, scale: (typeof scales)[number]): number {
  if (scale === 'htk') return 700 * (10 ** (mel / 2595) - 1)
  const beyond = mel - firstLogarithmic / linearStep
  return beyond < 0 ? mel * linearStep : firstLogarithmic * Math.exp(logarithmicStep * beyond)
}

/**
 * Factors [nFreqs, nMels] from frequencies, equally spaced from 0 to sampleRate / 2, to mel bands: `torchaudio.functional.melscale_fbanks`,
 * and the transpose of `librosa.filters.mel` (there melScale and norm are 'slaney' by default).
 */
export function melFilterBank(nFreqs: number, nMels: number, sampleRate: number, options?: MelOptions): Tensor {
  return checked(() => melFilters(nFreqs, nMels, sampleRate, optionsOf('melFilterBank', options, melNames)))
}

/** `melFilterBank` whose options are known by name. */
export function melFilters(nFreqs: number, nMels: number, sampleRate: number, options: MelOptions): Tensor {
  const { fMin = 0, fMax = sampleRate / 2, norm = null, melScale = 'htk' } = options
  requireCount('melFilterBank', 'nFreqs', nFreqs, 2)
  requireCount('melFilterBank', 'nMels', nMels, 1)
  requirePositive('melFilterBank', 'sampleRate', sampleRate)
  requireAtLeast('melFilterBank', 'fMin', fMin, 0)
  if (norm !== null) requireOneOf('melFilterBank', 'norm', norm, ['slaney'])
  requireOneOf('melFilterBank', 'melScale', melScale, scales)
  requireFinite('melFilterBank', 'sampleRate', sampleRate)
  requireFinite('melFilterBank', 'fMax', fMax)
  if (fMax <= fMin) throw new ShapeError(`melFilterBank: fMax must be above fMin ${fMin}, found ${fMax}`)
  const [low, high] = [toMel(fMin, melScale), toMel(fMax, melScale)]
  const corner = (i: number): number => toHertz(low + ((high - low) * i) / (nMels + 1), melScale)
  const corners = Array.from({ length: nMels + 2 }, (_, i) => corner(i))
  const data = new Float32Array(nFreqs * nMels)
  for (let band = 0; band < nMels; band++) {
    const [left = 0, top = 0, right = 0] = corners.slice(band, band + 3)
    const scale = norm === 'slaney' ? 2 / (right - left) : 1
    for (let k = 0; k < nFreqs; k++) {
      const frequency = (sampleRate / 2) * (k / (nFreqs - 1))
      const height = Math.min((frequency - left) / (top - left), (right - frequency) / (right - top))
      data[k * nMels + band] = scale * Math.max(0, height)
    }
  }
  return constant(data, [nFreqs, nMels], 'float32')
}
