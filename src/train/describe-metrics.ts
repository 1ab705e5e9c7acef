/** How metrics are read: what is better, in which unit, and as text. */
import { percent } from '../util/words.ts'
import type { Metrics } from './loop.ts'

/** How a metric is read and compared. */
export interface Metric {
  /** What is better. */
  readonly goal: 'min' | 'max'
  /** `percent`: a share, shown times 100. Default: a plain number. */
  readonly unit?: 'percent' | 'bits' | 'nats' | 'seconds'
  /** The same at every evaluation: a baseline, which has no curve. */
  readonly constant?: boolean
}

/** The metrics of a recipe: of its steps and evaluations, by name. */
export type MetricDescriptions = Readonly<Record<string, Metric>>

/** `1:05`, `1:02:03`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number): string => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

/** A metric as text: shares in percent, the rest with four significant digits. */
export function formatMetric(value: number, { unit }: Partial<Metric> = {}): string {
  if (unit === 'percent') return percent(value, 2)
  return unit === undefined ? value.toPrecision(4) : `${value.toPrecision(4)} ${unit}`
}

/** `loss 0.1234, accuracy 98.10 %`. */
export function formatMetrics(metrics: Metrics, descriptions: MetricDescriptions = {}): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${formatMetric(value, descriptions[name])}`)
    .join(', ')
}
