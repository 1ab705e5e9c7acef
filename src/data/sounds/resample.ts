import { greatestDivisor, hannAt, type SincFilter, sincWeight, sincWidth } from '../../util/resampling.ts'

/** torchaudio's default filter. */
const filter: SincFilter = { lowpassFilterWidth: 6, rolloff: 0.99, window: hannAt }

/** Weights of one new sample of a period, from the old sample `start` behind the period's first one. */
interface Phase {
  readonly start: number
  readonly weights: Float64Array
}

const phases = new Map<string, readonly Phase[]>()

/** Only weights near a new sample's place are not zero. */
function phasesOf(previous: number, next: number): readonly Phase[] {
  const key = `${previous}/${next}`
  const known = phases.get(key)
  if (known) return known
  const width = sincWidth(previous, next, filter)
  const made = Array.from({ length: next }, (_, phase) => {
    const start = Math.floor((phase * previous) / next) - width
    const weights = Float64Array.from({ length: 2 * width + 2 }, (__, i) =>
      sincWeight(previous, next, filter, phase, start + i),
    )
    return { start, weights }
  })
  phases.set(key, made)
  return made
}

/** A waveform of one sample rate as it is at another, ceil(length to / from) samples: as `ops.resample`, without a compiled graph. */
export function resampleWaveform(samples: Float32Array, from: number, to: number): Float32Array {
  const divisor = greatestDivisor(from, to)
  const [previous, next] = [from / divisor, to / divisor]
  if (previous === next) return samples
  const filters = phasesOf(previous, next)
  const result = new Float32Array(Math.ceil((samples.length * next) / previous))
  for (let n = 0; n < result.length; n++) {
    const phase = filters[n % next]
    if (!phase) continue
    const first = Math.floor(n / next) * previous + phase.start
    let sum = 0
    for (const [i, weight] of phase.weights.entries()) sum += weight * (samples[first + i] ?? 0)
    result[n] = sum
  }
  return result
}
