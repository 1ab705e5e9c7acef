import { greatestDivisor, hannAt, type SincFilter, sincWeight, sincWidth } from '../../util/resampling.ts'

/** torchaudio's default filter. */
const filter: SincFilter = { lowpassFilterWidth: 6, rolloff: 0.99, window: hannAt }

/** Weights of one new sample of a period, from the old sample `start` behind the period's first one. */
interface Phase {
  readonly start: number
  readonly weights: Float64Array
}

/** The weights of samples that repeat, by rates: as many tables as below, of as many weights as that. */
const tables = new Map<string, readonly Phase[]>()
const [mostTables, mostWeights] = [16, 2 ** 20]

/** Weights of the new samples whose place in a period is `phase`, of the old ones from `first` to before `end` behind its start. */
function phaseAt(previous: number, next: number, phase: number, [first, end]: readonly [number, number]): Phase {
  const width = sincWidth(previous, next, filter)
  const center = Math.floor((phase * previous) / next)
  // Only weights near a new sample's place are not zero.
  const start = Math.max(first, center - width)
  const count = Math.max(0, Math.min(end, center + width + 2) - start)
  const weights = Float64Array.from({ length: count }, (_, i) => sincWeight(previous, next, filter, phase, start + i))
  return { start, weights }
}

/** All phases of a period. */
function tableOf(previous: number, next: number): readonly Phase[] {
  const key = `${previous}/${next}`
  const known = tables.get(key)
  if (known) return known
  const everywhere = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const
  const made = Array.from({ length: next }, (_, phase) => phaseAt(previous, next, phase, everywhere))
  const [oldest] = tables.keys()
  if (tables.size >= mostTables && oldest !== undefined) tables.delete(oldest)
  tables.set(key, made)
  return made
}

/** A waveform of one sample rate as it is at another, ceil(length to / from) samples: as `ops.resample`, without a compiled graph. */
export function resampleWaveform(samples: Float32Array, from: number, to: number): Float32Array {
  const divisor = greatestDivisor(from, to)
  const [previous, next] = [from / divisor, to / divisor]
  if (previous === next) return samples
  const result = new Float32Array(Math.ceil((samples.length * next) / previous))
  const isRepeated = result.length > next && next * (2 * sincWidth(previous, next, filter) + 2) <= mostWeights
  const table = isRepeated ? tableOf(previous, next) : undefined
  for (let n = 0; n < result.length; n++) {
    const period = Math.floor(n / next) * previous
    const phase = n % next
    const { start, weights } = table?.[phase] ?? phaseAt(previous, next, phase, [-period, samples.length - period])
    let sum = 0
    for (const [i, weight] of weights.entries()) sum += weight * (samples[period + start + i] ?? 0)
    result[n] = sum
  }
  return result
}
