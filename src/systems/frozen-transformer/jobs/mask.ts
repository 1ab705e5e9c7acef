/** Causal attention or not. */
import { defineJob } from '../../define.ts'
import { type Claim, frozenReport } from './report.ts'
import { aroundBoth, chosenVariants, frozenStudySettings, runFrozenStudy, usualTasks, type Variant } from './study.ts'

/** Causal or not, frozen or not. */
const maskVariants: readonly Variant[] = [
  ...aroundBoth([
    ['causal', 'causal', { causal: true }],
    ['full', 'every token sees all', { causal: false }],
  ]),
  { name: 'learns-causal', title: 'all learns: causal', model: { causal: true, freeze_trans: false } },
  { name: 'learns-full', title: 'all learns: every token sees all', model: { causal: false, freeze_trans: false } },
]

export const mask = defineJob({
  name: 'mask',
  summary: 'does a token see those after it: causal attention or not',
  config: frozenStudySettings({ tasks: usualTasks }),
  run: async (settings, context) => {
    const claims = ['language', 'random', 'learns'].map((body): Claim => {
      return {
        says: 'The causal mask of a language model does no harm',
        first: `${body}-full`,
        second: `${body}-causal`,
      }
    })
    const outcomes = await runFrozenStudy(chosenVariants(maskVariants, settings.variants), settings, context)
    const subtitle = 'a body that has read text was trained with the mask; its answer is read from the last token'
    return frozenReport({ name: 'mask', subtitle, claims }, outcomes, settings)
  },
})
