/** Letting more of a body learn (Table 13), at one rate for all and at chosen ones: where the claim broke. */
import { z } from 'zod'
import { defineJob } from '../../define.ts'
import type { ModelSettings } from '../settings.ts'
import { StudyBodies } from './bodies.ts'
import { type Claim, frozenReport } from './report.ts'
import { chosenVariants, frozenStudySettings, type Outcome, runFrozenStudy, usualTasks, type Variant } from './study.ts'

const unfreezeConfig = frozenStudySettings({ tasks: usualTasks, learning_rates: [3e-4, 1e-3, 3e-3] }).extend({
  official_rate: z.number().positive().default(1e-3).describe("the paper's one learning rate for everything"),
  outer_rate: z
    .number()
    .positive()
    .default(3e-3)
    .describe('where the body has rates of its own: that of the input, the output, layer norms and positions'),
  body_rates: z
    .array(z.number().positive())
    .min(1)
    .default([1e-4, 3e-4, 1e-3])
    .describe('there: rates that are tried for attention and feed-forward layers'),
})

const unfrozen = [
  ['ff', 'feed-forward layers learn too', { freeze_ff: false }],
  ['attn', 'attention learns too', { freeze_attn: false }],
  ['both', 'both learn too', { freeze_ff: false, freeze_attn: false }],
  ['all', 'all learns', { freeze_trans: false }],
] as const satisfies readonly (readonly [string, string, Partial<ModelSettings>])[]

/** What learns besides the thin parts, in one of three ways to choose the rate. */
function unfreezeVariants(way: 'official' | 'one' | 'own', outerRate?: number): Variant[] {
  const told = { official: "the paper's rate", one: 'one rate, chosen', own: 'a rate of its own, chosen' }[way]
  const frozen: Variant[] =
    way === 'own' ? [] : [{ name: `${way}-frozen`, title: `frozen (${told})`, body: 'language' }]
  const others = unfrozen.map(([name, title, model]): Variant => {
    const rate = way === 'own' && outerRate !== undefined ? { outerRate } : {}
    return { name: `${way}-${name}`, title: `${title} (${told})`, body: 'language', model, ...rate }
  })
  return [...frozen, ...others]
}

export const unfreeze = defineJob({
  name: 'unfreeze',
  summary:
    'letting more of a body learn (Table 13), at one rate for all as the paper did and at chosen ones: where the claim broke',
  config: unfreezeConfig,
  run: async ({ official_rate, outer_rate, body_rates, ...settings }, context) => {
    const bodies = new StudyBodies(settings.bodies, settings.model, context)
    const ways = [
      { variants: unfreezeVariants('official'), rates: [official_rate] },
      { variants: unfreezeVariants('one'), rates: settings.study.learning_rates },
      { variants: unfreezeVariants('own', outer_rate), rates: body_rates },
    ]
    const chosen = chosenVariants(
      ways.flatMap(({ variants }) => variants),
      settings.variants,
    )
    const outcomes: Outcome[] = []
    for (const { variants, rates } of ways) {
      const study = { ...settings.study, learning_rates: [...rates] }
      const own = variants.filter(({ name }) => chosen.some((variant) => variant.name === name))
      outcomes.push(...(await runFrozenStudy(own, { ...settings, study }, context, bodies)))
    }
    const claims = unfrozen.flatMap(([name, title]): Claim[] => {
      const own = [
        {
          says: `At the paper's rate, frozen is better than where ${title} (Table 13)`,
          first: `official-${name}`,
          second: 'official-frozen',
        },
        { says: 'At one rate chosen for each', first: `one-${name}`, second: 'one-frozen' },
        { says: 'At a rate of the body chosen for itself', first: `own-${name}`, second: 'one-frozen' },
      ]
      return own
    })
    const subtitle = 'a body that has read text, frozen or learning, by how its learning rate is chosen'
    return frozenReport({ name: 'unfreeze', subtitle, claims }, outcomes, settings)
  },
})
