/** The job `fnet/speed`: time of a training step and peak memory against the length of the sequence (paper, section 4.3). */
import { z } from 'zod'
import { renderFigureSvg } from '../../../report/render.ts'
import { whole } from '../../../train/settings.ts'
import { defineJob } from '../../define.ts'
import { measureApart } from '../../measurement.ts'
import { eachOf } from '../../parts.ts'
import {
  describeSpeed,
  type MeasuredEncoder,
  measuredEncoders,
  paperRatios,
  type SpeedOptions,
  type SpeedResult,
  speedMarkdown,
  speedPlots,
  speedRatios,
  speedSections,
} from './speed-measurement.ts'

const names = Object.keys(measuredEncoders) as [MeasuredEncoder, ...MeasuredEncoder[]]

const resultSchema = z.object({
  encoder: z.enum(names),
  length: whole,
  milliseconds: z.number().optional(),
  peakMebibytes: z.number().optional(),
  parameters: z.number().optional(),
})

/** Measures in a new process; one that dies (for lack of memory) gives no numbers. */
async function measure(
  encoder: MeasuredEncoder,
  length: number,
  options: SpeedOptions,
  signal: AbortSignal | undefined,
): Promise<SpeedResult> {
  const task = { encoder, length, ...options }
  const found = await measureApart(import.meta.url, 'speed-worker', task, resultSchema, signal)
  return { milliseconds: undefined, peakMebibytes: undefined, parameters: undefined, ...(found ?? { encoder, length }) }
}

function line({ encoder, length, milliseconds, peakMebibytes }: SpeedResult): string {
  const label = `${String(length).padStart(6)}  ${encoder.padEnd(12)}`
  if (milliseconds === undefined || peakMebibytes === undefined) return `${label} did not finish (out of memory?)`
  return `${label} ${milliseconds.toFixed(1).padStart(9)} ms ${peakMebibytes.toFixed(0).padStart(7)} MiB`
}

export const speed = defineJob({
  name: 'speed',
  summary: 'time of a training step and peak memory against length: FNet, Linear, hybrid, BERT',
  config: z.strictObject({
    lengths: z
      .array(z.number().int().min(2))
      .min(1)
      .default([128, 256, 512, 1024, 2048, 4096, 8192])
      .describe('tokens in a sequence'),
    encoders: z
      .array(z.enum(names))
      .min(1)
      .default(names)
      .describe(`of ${names.join(', ')}`),
    steps: whole.default(5).describe('measured training steps, at least; the fastest counts'),
    batch: whole.default(1).describe('sequences in a step'),
  }),
  run: async ({ lengths, encoders, steps, batch }, context) => {
    const { threads, progress, keep, write, signal } = context
    const options: SpeedOptions = { steps, batch, ...(threads !== undefined && { threads }) }
    const measured = lengths.flatMap((length) => encoders.map((encoder) => ({ encoder, length })))
    const results = await eachOf(context, measured, async ({ encoder, length }) => {
      signal?.throwIfAborted()
      const identity = { encoder, length, ...options }
      const { part } = await keep(`measurements/${encoder}-${length}`, identity, resultSchema, () =>
        measure(encoder, length, options, signal),
      )
      const result: SpeedResult = {
        milliseconds: undefined,
        peakMebibytes: undefined,
        parameters: undefined,
        ...part,
      }
      progress(line(result), { ...result })
      return result
    })
    for (const { length, time, memory } of speedRatios(results)) {
      const paper = paperRatios.get(length)
      const beside = paper ? ` (paper, on GPUs: ${paper.time} and ${paper.memory})` : ''
      const told = `${length} tokens: BERT takes ${time.toFixed(1)} times as long as FNet and ${memory.toFixed(1)} times its memory${beside}`
      progress(told, { ratio: true, length, time, memory, ...(paper && { paper }) })
    }
    await write('speed.md', speedMarkdown(results))
    for (const [name, plot] of Object.entries(speedPlots(results)))
      await write(`speed-${name}.svg`, await renderFigureSvg(plot))
    return {
      title: 'FNet: speed against length',
      subtitle: describeSpeed(options),
      summary: speedRatios(results).map(({ length, time, memory }) => ({
        label: `BERT / FNet, ${length} tokens`,
        value: `${time.toFixed(1)} x time`,
        note: `${memory.toFixed(1)} x memory`,
      })),
      sections: speedSections(results),
      footer:
        'Written by tenfold run fnet/speed. Memory is the largest resident set of the process, less what it had before the model was made.',
    }
  },
})
