/** Levels in decibels. */
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireAtLeast, requirePositive } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { checked, type Operand, scalar, toFloat } from '../define.ts'
import { log10 } from '../elementwise/arithmetic.ts'
import { maximum, mul, sub } from '../elementwise/binary.ts'
import { max } from '../reduction/reduce.ts'

/** Options of `amplitudeToDB`. */
export interface AmplitudeToDBOptions {
  /** 10 for powers, 20 for amplitudes. Default: 10. */
  readonly multiplier?: number
  /** Smaller numbers count as this one. Default: 1e-10. */
  readonly amin?: number
  /** The number that has 0 dB. Default: 1. */
  readonly ref?: number
  /** Levels are at least the largest of a spectrogram [channels, frequencies, frames] minus this. Default: null, no such limit. */
  readonly topDb?: number | null
}

function decibels(op: string, x: Tensor, multiplier: number, amin: number, ref: Tensor): Tensor {
  requirePositive(op, 'amin', amin)
  return mul(sub(log10(maximum(x, amin)), log10(maximum(ref, amin))), multiplier)
}

function limited(op: string, levels: Tensor, topDb: number, axes: readonly number[] | undefined): Tensor {
  requireAtLeast(op, 'topDb', topDb, 0)
  return levels.size === 0 ? levels : maximum(levels, sub(max(levels, axes, { keepDims: true }), topDb))
}

/** multiplier log10(max(x, amin) / max(ref, amin)); `torchaudio.functional.amplitude_to_DB`, with `ref` in the place of `db_multiplier`. */
export function amplitudeToDB(x: Operand, options?: AmplitudeToDBOptions): Tensor {
  const input = toFloat('amplitudeToDB', x)
  return checked(() => {
    const {
      multiplier = 10,
      amin = 1e-10,
      ref = 1,
      topDb = null,
    } = optionsOf('amplitudeToDB', options, { multiplier: true, amin: true, ref: true, topDb: true })
    requirePositive('amplitudeToDB', 'multiplier', multiplier)
    requirePositive('amplitudeToDB', 'ref', ref)
    const levels = decibels('amplitudeToDB', input, multiplier, amin, scalar(ref))
    if (topDb === null) return levels
    if (input.rank < 2) throw new ShapeError(`amplitudeToDB: topDb needs [..., frequencies, frames], found ${input}`)
    return limited('amplitudeToDB', levels, topDb, input.rank > 2 ? [-3, -2, -1] : [-2, -1])
  })
}

/** Options of `powerToDB`. */
export interface PowerToDBOptions {
  /** The power that has 0 dB; 'max' is the largest of x. Default: 1. */
  readonly ref?: number | 'max'
  /** Smaller powers count as this one. Default: 1e-10. */
  readonly amin?: number
  /** Levels are at least the largest minus this; null: no such limit. Default: 80. */
  readonly topDb?: number | null
}

/** 10 log10(max(x, amin) / max(ref, amin)), limited from below by the largest of all; `librosa.power_to_db`. */
export function powerToDB(x: Operand, options?: PowerToDBOptions): Tensor {
  const input = toFloat('powerToDB', x)
  return checked(() => {
    const {
      ref = 1,
      amin = 1e-10,
      topDb = 80,
    } = optionsOf('powerToDB', options, { ref: true, amin: true, topDb: true })
    if (ref !== 'max') requirePositive('powerToDB', 'ref', ref)
    const levels = decibels('powerToDB', input, 10, amin, ref === 'max' ? max(input) : scalar(ref))
    return topDb === null ? levels : limited('powerToDB', levels, topDb, undefined)
  })
}
