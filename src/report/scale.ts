/** Scales of axes: where they begin and end, which values are ticked, and how those are written. */
import { largest, smallest } from '../util/lists.ts'
import type { Axis } from './figures.ts'
import { formatFixed, formatNumber, formatPercent } from './text.ts'

/** What a plot needs to know of an axis. */
export interface AxisScale {
  readonly type: 'linear' | 'log'
  readonly domain: readonly [number, number]
  readonly ticks: readonly number[]
  /** A tick. */
  readonly format: (value: number) => string
  /** Any value, more exactly than a tick; what is invisibly close to 0 is 0. */
  readonly exact: (value: number) => string
}

/** How an axis is fitted to its values. */
export interface ScaleOptions {
  /** About how many ticks there is room for. */
  readonly count: number
  /** The ends become ticks (values across); otherwise the scale ends where the values do (time along). */
  readonly nice?: boolean
  /** 0 belongs to the scale: bars begin there. */
  readonly zero?: boolean
}

/** One value of an axis, as a label writes it. */
export function formatOnAxis(axis: Axis, value: number): string {
  return axis.percent ? formatPercent(value) : formatNumber(value)
}

/** The distance of ticks, 1, 2 or 5 times a power of ten, that divides a span into at most `count` parts. */
function tickStep(span: number, count: number): number {
  const rough = span / Math.max(1, count)
  const power = 10 ** Math.floor(Math.log10(rough))
  const factor = [1, 2, 5].find((candidate) => candidate * power >= rough * (1 - 1e-9)) ?? 10
  return factor * power
}

function multiples(step: number, low: number, high: number): number[] {
  const [first, last] = [Math.ceil(low / step - 1e-6), Math.floor(high / step + 1e-6)]
  // Powers of ten are exact as divisors, not as factors: 3 * 0.1 is not 0.3, 3 / 10 is.
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) =>
    step < 1 ? (first + i) / (1 / step) : (first + i) * step,
  )
}

function decimalsOf(step: number): number {
  return Math.min(15, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)))
}

function linearFormat(axis: Axis, step: number, largest: number): (value: number) => string {
  if (axis.percent) return (value) => formatPercent(value, decimalsOf(step * 100))
  if (step < 1e-4) return (value) => formatNumber(value, 3)
  const [unit, letter] = largest >= 1e6 ? [1e6, 'M'] : largest >= 1e5 ? [1e3, 'k'] : [1, '']
  if (largest >= 1e10) return (value) => formatNumber(value, 3)
  return (value) => (value === 0 ? '0' : `${formatFixed(value / unit, decimalsOf(step / unit))}${letter}`)
}

/** Values that are all equal get room on both sides. */
function widened(low: number, high: number): [number, number] {
  if (high - low > Math.max(1e-250, 1e-12 * Math.max(Math.abs(low), Math.abs(high)))) return [low, high]
  const room = Math.abs(low) > 1e-250 ? Math.abs(low) / 2 : 1
  return [low - room, high + room]
}

function linearScale(axis: Axis, values: readonly number[], options: ScaleOptions): AxisScale {
  const ends = options.zero ? [0, ...values] : values
  let [low, high] = widened(smallest(ends), largest(ends))
  const wholePercent = axis.percent && low >= 0 && largest(values) <= 1
  if (wholePercent) [low, high] = [Math.max(0, low), Math.min(1, high)]
  // What is counted from 0 begins there, even if it is first measured a little later.
  if (!options.nice && low > 0 && low <= high / 4) low = 0
  const step = tickStep(high - low, options.count)
  if (options.nice) {
    low = Math.floor(low / step + 1e-9) * step
    high = Math.ceil(high / step - 1e-9) * step
    if (wholePercent) high = Math.min(1, high)
  }
  const ticks = multiples(step, low, high)
  const format = linearFormat(axis, step, Math.max(Math.abs(low), Math.abs(high)))
  const exact = (value: number): string => formatOnAxis(axis, Math.abs(value) < step / 1000 ? 0 : value)
  return { type: 'linear', domain: [low, high], ticks, format, exact }
}

/** Powers of ten; between them 2 and 5 where there is room, or all digits where the scale spans less than one power. */
function logScale(axis: Axis, values: readonly number[], options: ScaleOptions): AxisScale {
  let [low, high] = [smallest(values), largest(values)]
  if (!(high > low)) [low, high] = [low / 2, high * 2]
  const room = options.nice ? Math.min(10, (high / low) ** 0.04) : 1
  low /= room
  high *= room
  const exponents = multiples(1, Math.floor(Math.log10(low)), Math.ceil(Math.log10(high)))
  const candidates = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 5], [1, 3], [1]].map((factors) =>
    exponents
      .flatMap((exponent) => factors.map((factor) => Number(`${factor}e${exponent}`)))
      .filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)),
  )
  const powers = candidates.at(-1) ?? []
  const every = Math.ceil(powers.length / options.count)
  const ticks =
    candidates.find((list) => list.length <= options.count && list.length > 0) ??
    powers.filter((_, i) => i % every === 0)
  return {
    type: 'log',
    domain: [low, high],
    // Over a small part of a power the scale is all but linear, and so are its ticks.
    ticks: ticks.length > 2 ? ticks : multiples(tickStep(high - low, options.count), low, high),
    format: (value) => (axis.percent ? formatPercent(value, decimalsOf(value * 100)) : formatNumber(value)),
    exact: (value) => formatOnAxis(axis, value),
  }
}

/** The scale for drawable values, of which there must be one at least. */
export function axisScale(axis: Axis, values: readonly number[], options: ScaleOptions): AxisScale {
  return axis.log ? logScale(axis, values, options) : linearScale(axis, values, options)
}
