/** Filters that bring waveforms to another sample rate: bandlimited interpolation (Smith), as torchaudio's resample. */

/** The greatest common divisor. */
export function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b)
}

/** A windowed sinc. */
export interface SincFilter {
  /** Zero crossings of the filter on each side. */
  readonly lowpassFilterWidth: number
  /** Where the filter ends, as a share of the lower of the two half rates. */
  readonly rolloff: number
  /** The window from -1 to 1. */
  readonly window: (place: number) => number
}

/** Hann's window from -1 to 1. */
export function hannAt(place: number): number {
  return Math.cos((place * Math.PI) / 2) ** 2
}

/** Old samples that the filter needs on each side, where `previous` old samples take as long as `next` new ones. */
export function sincWidth(previous: number, next: number, { lowpassFilterWidth, rolloff }: SincFilter): number {
  return Math.ceil((lowpassFilterWidth * previous) / (Math.min(previous, next) * rolloff))
}

/** Weight of the old sample that lies `i` samples behind the period's first one, for new sample number `phase` of the period. */
export function sincWeight(previous: number, next: number, filter: SincFilter, phase: number, i: number): number {
  const { lowpassFilterWidth, rolloff, window } = filter
  const base = Math.min(previous, next) * rolloff
  const wanted = (-phase / next + i / previous) * base
  const t = Math.min(Math.max(wanted, -lowpassFilterWidth), lowpassFilterWidth)
  const angle = t * Math.PI
  return ((angle === 0 ? 1 : Math.sin(angle) / angle) * window(t / lowpassFilterWidth) * base) / previous
}
