/** Frozen bodies of several depths (Tables 8, 11, 12). */
import { z } from 'zod'
import { defineJob } from '../../define.ts'
import { type Claim, frozenReport } from './report.ts'
import { chosenVariants, frozenStudySettings, runFrozenStudy, usualTasks, type Variant } from './study.ts'

const depthConfig = frozenStudySettings({ tasks: usualTasks }).extend({
  layers: z
    .array(z.number().int().positive())
    .min(1)
    .default([1, 2, 4])
    .describe('layers of the bodies; of the one that has read text its first ones, so at most as many as it has'),
})

/** Bodies of several depths. */
function depthVariants(layers: readonly number[]): Variant[] {
  return layers.flatMap((n): Variant[] => [
    { name: `language-${n}`, title: `language, ${n} layers`, body: 'language', layers: n },
    { name: `random-${n}`, title: `random, ${n} layers`, model: { n_layer: n } },
  ])
}

export const depth = defineJob({
  name: 'depth',
  summary: 'more layers of a frozen body (Tables 8, 11, 12)',
  config: depthConfig,
  run: async ({ layers, ...settings }, context) => {
    const [least, most] = [Math.min(...layers), Math.max(...layers)]
    const claims = ['language', 'random'].map((body): Claim => {
      return { says: 'A deeper frozen body is better (Table 8)', first: `${body}-${least}`, second: `${body}-${most}` }
    })
    const outcomes = await runFrozenStudy(chosenVariants(depthVariants(layers), settings.variants), settings, context)
    const subtitle = 'frozen bodies by their number of layers; of the body that has read text, its first layers'
    return frozenReport({ name: 'depth', subtitle, claims }, outcomes, settings)
  },
})
