/** Spectrograms and what speech recognition makes of them, as torchaudio and librosa define them. */
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import {
  optionsOf,
  requireAtLeast,
  requireCount,
  requireFlag,
  requireOneOf,
  requirePositive,
} from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { checked, type Operand, toFloat } from '../define.ts'
import { add, div, mul, pow } from '../elementwise/binary.ts'
import { log, sqrt } from '../elementwise/unary.ts'
import { complexAbs, squaredMagnitude } from '../fourier/complex.ts'
import { transpose } from '../movement/movement.ts'
import { type PadMode, pad } from '../movement/padding.ts'
import { matmul } from '../products/matmul.ts'
import { sum } from '../reduction/reduce.ts'
import { dctMatrix } from './cosine.ts'
import { amplitudeToDB } from './decibels.ts'
import { type MelOptions, melFilters, melNames } from './mel.ts'
import { stft } from './stft.ts'
import { hannWindow } from './windows.ts'

/** Options of `spectrogram`. */
export interface SpectrogramOptions {
  /** Samples of a frame. Default: 400. */
  readonly nFft?: number
  /** Default: nFft. */
  readonly winLength?: number
  /** Default: floor(winLength / 2). */
  readonly hopLength?: number
  /** [winLength]. Default: Hann's, periodic. */
  readonly window?: Operand
  /** Zeros added at both ends before anything else. Default: 0. */
  readonly pad?: number
  /** Exponent of the magnitude: 2 is the power, 1 the magnitude. Default: 2. */
  readonly power?: number
  /** Divided by the root of the window's sum of squares (true, 'window') or of the frame's length. Default: false. */
  readonly normalized?: boolean | 'window' | 'frame_length'
  /** Default: true. */
  readonly center?: boolean
  /** Default: reflect. */
  readonly padMode?: PadMode
  /** Default: true. */
  readonly onesided?: boolean
}

const spectrogramNames = {
  nFft: true,
  winLength: true,
  hopLength: true,
  window: true,
  pad: true,
  power: true,
  normalized: true,
  center: true,
  padMode: true,
  onesided: true,
} as const

/** |stft(x)|^power, [..., time] -> [..., frequencies, frames]; `torchaudio.functional.spectrogram`. */
export function spectrogram(x: Operand, options?: SpectrogramOptions): Tensor {
  return spectrogramOf('spectrogram', x, optionsOf('spectrogram', options, spectrogramNames))
}

function spectrogramOf(op: string, x: Operand, given: SpectrogramOptions): Tensor {
  const input = toFloat(op, x)
  return checked(() => {
    const { nFft = 400, winLength = nFft, pad: zeros = 0, power = 2, normalized = false } = given
    const { center = true, padMode = 'reflect', onesided = true } = given
    const { hopLength = Math.floor(winLength / 2) } = given
    requireCount(op, 'winLength', winLength, 1)
    requireCount(op, 'pad', zeros)
    requirePositive(op, 'power', power)
    if (typeof normalized !== 'boolean') requireOneOf(op, 'normalized', normalized, ['window', 'frame_length'])
    const { window = hannWindow(winLength) } = given
    const signal = zeros > 0 ? pad(input, [zeros, zeros]) : input
    const byFrame = { normalized: normalized === 'frame_length' }
    const y = stft(signal, nFft, { hopLength, winLength, window, center, padMode, onesided, ...byFrame })
    const squares = squaredMagnitude(y)
    const byWindow = normalized === true || normalized === 'window'
    const energy = byWindow ? sum(mul(window, window)) : undefined
    if (power === 2) return energy ? div(squares, energy) : squares
    const magnitude = energy ? div(complexAbs(y), sqrt(energy)) : complexAbs(y)
    return power === 1 ? magnitude : pow(magnitude, power)
  })
}

/** Options of `melSpectrogram`: of its spectrogram, and of its filters. */
export interface MelSpectrogramOptions extends SpectrogramOptions, MelOptions {
  /** Samples a second. Default: 16000. */
  readonly sampleRate?: number
  /** Default: 128. */
  readonly nMels?: number
}

const melSpectrogramNames = { ...spectrogramNames, ...melNames, sampleRate: true, nMels: true } as const

/** The spectrogram through a bank of mel filters, [..., time] -> [..., nMels, frames]; `torchaudio.transforms.MelSpectrogram`. */
export function melSpectrogram(x: Operand, options?: MelSpectrogramOptions): Tensor {
  return melSpectrogramOf('melSpectrogram', x, optionsOf('melSpectrogram', options, melSpectrogramNames))
}

function melSpectrogramOf(op: string, x: Operand, given: MelSpectrogramOptions): Tensor {
  return checked(() => {
    const { sampleRate = 16000, nMels = 128, onesided = true } = given
    requireFlag(op, 'onesided', onesided)
    if (!onesided) throw new ShapeError(`${op}: onesided must be true: mel filters know no negative frequencies`)
    const powers = spectrogramOf(op, x, given)
    const filters = melFilters(sizeOf(powers.shape, -2), nMels, sampleRate, given)
    return matmul(transpose(filters), powers)
  })
}

/** Options of `mfcc`. */
export interface MfccOptions extends MelSpectrogramOptions {
  /** Coefficients that are kept. Default: 40. */
  readonly nMfcc?: number
  /** Of the cosine transform. Default: ortho. */
  readonly dctNorm?: 'ortho' | null
  /** Logarithm of mel + 1e-6 instead of decibels. Default: false. */
  readonly logMels?: boolean
  /** How far decibels may be below the largest. Default: 80. */
  readonly topDb?: number | null
}

/** Mel-frequency cepstral coefficients: the cosine transform of a mel spectrogram in decibels, [..., nMfcc, frames]; `torchaudio.transforms.MFCC`. */
export function mfcc(x: Operand, options?: MfccOptions): Tensor {
  return checked(() => {
    const names = { ...melSpectrogramNames, nMfcc: true, dctNorm: true, logMels: true, topDb: true } as const
    const { nMfcc = 40, dctNorm = 'ortho', logMels = false, topDb = 80, ...rest } = optionsOf('mfcc', options, names)
    requireCount('mfcc', 'nMfcc', nMfcc, 1)
    requireFlag('mfcc', 'logMels', logMels)
    const mels = melSpectrogramOf('mfcc', x, rest)
    const bands = sizeOf(mels.shape, -2)
    if (nMfcc > bands) throw new ShapeError(`mfcc: nMfcc must be at most nMels ${bands}, found ${nMfcc}`)
    if (topDb !== null) requireAtLeast('mfcc', 'topDb', topDb, 0)
    const levels = logMels ? log(add(mels, 1e-6)) : amplitudeToDB(mels, { topDb })
    return matmul(dctMatrix('mfcc', bands, nMfcc, dctNorm), levels)
  })
}
