/** The schedules, and a digit on its way to noise. */
import type { Picture } from '../../report/figures.ts'
import { diffusionTables, namedBetaSchedule } from '../../systems/diffusion/schedule.ts'
import { percent } from '../../util/words.ts'
import { side } from '../data/read-digits.ts'
import { exampleDigit } from '../data/strokes.ts'
import { type Schedule, schedules, sizes } from './settings.ts'

/** abar of each time, by schedule. */
const kept: Readonly<Record<Schedule, readonly number[]>> = {
  cosine: diffusionTables(namedBetaSchedule('cosine', sizes.times)).alphas_cumprod,
  linear: diffusionTables(namedBetaSchedule('linear', sizes.times)).alphas_cumprod,
}

/** The share of the variance that is not noise, at a time. */
export const keptAt = (schedule: Schedule, t: number): number => kept[schedule][t] ?? 0

/** Normal noise of a picture (Box and Muller). The library's generator, whose numbers are the same everywhere, is larger than the rest of the page. */
const noise = Float32Array.from(
  { length: side * side },
  () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()),
)

/** A digit at a time, by both schedules: the same noise each time. */
export function noisyDigits(t: number): Picture[] {
  const digit = exampleDigit()
  return schedules.map(({ value, label }) => {
    const abar = keptAt(value, t)
    const pixels = digit.map((ink, i) => {
      const x = Math.sqrt(abar) * (ink / 127.5 - 1) + Math.sqrt(1 - abar) * (noise[i] ?? 0)
      return Math.round(Math.min(255, Math.max(0, 127.5 * (x + 1))))
    })
    return { pixels, width: side, height: side, channels: 1, caption: `${label}: ${percent(abar)} left` }
  })
}
