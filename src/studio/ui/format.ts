/** Numbers, times and states as the page writes them. */
import { percent } from '../../util/words.ts'
import type { MetricForm, RunSummary } from '../protocol.ts'

/** A metric: shares in percent, the rest with four significant digits. */
export function formatMetric(value: number, form?: Pick<MetricForm, 'unit'>): string {
  if (form?.unit === 'percent') return percent(value, 2)
  const text =
    Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential(2) : shortest(value)
  return form?.unit === undefined ? text : `${text} ${form.unit}`
}

function shortest(value: number): string {
  return String(Number(value.toPrecision(4)))
}

/** `1:05`, `1:02:03`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number): string => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

/** How long ago a time was; of older ones the day. Empty for no time. */
export function formatAgo(time: string, now: number): string {
  const then = Date.parse(time)
  if (Number.isNaN(then)) return ''
  const seconds = Math.max(0, (now - then) / 1000)
  if (seconds < 60) return 'just now'
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  return time.slice(0, 10)
}

/** How far a run is: `epoch 2 of 4, step 812 of 1876`. */
export function formatProgress({ kind, step, epoch, steps, epochs }: RunSummary): string {
  if (kind === 'job' || (step === 0 && steps === null)) return ''
  const ofSteps = steps !== null && steps !== step ? ` of ${steps}` : ''
  const ofEpochs = epochs === null ? '' : `epoch ${Math.min(epoch + 1, epochs)} of ${epochs}, `
  return `${ofEpochs}step ${step}${ofSteps}`
}

/** The share that is done, from 0 to 1; undefined where it is not known. */
export function progressOf({ state, step, steps, epoch, epochs }: RunSummary): number | undefined {
  if (state === 'finished') return 1
  if (steps !== null && steps > 0) return Math.min(1, step / steps)
  // Not even one epoch is over: how many steps it has is not known yet.
  return epochs !== null && epoch > 0 ? epoch / epochs : undefined
}

/** A setting's value as `--set` takes it. */
export function formatSetting(value: unknown): string {
  if (value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}
