/** Is a better initialisation all that pretraining gives (Table 9)? */
import { defineJob } from '../../define.ts'
import { type Claim, frozenReport } from './report.ts'
import { chosenVariants, frozenStudySettings, runFrozenStudy, usualTasks, type Variant } from './study.ts'

/** What the frozen weights are, from nothing to all of what was learned. */
const initializationVariants: readonly Variant[] = [
  { name: 'random', title: 'random' },
  { name: 'published', title: 'random, deviation 0.02 whatever the width', model: { initializer_range: 0.02 } },
  {
    name: 'statistics',
    title: 'random, mean and deviation of each trained tensor',
    body: 'language',
    control: 'statistics',
  },
  { name: 'shuffled', title: 'trained, entries in another order', body: 'language', control: 'shuffled' },
  { name: 'language', title: 'trained on text', body: 'language' },
]

export const initialization = defineJob({
  name: 'initialization',
  summary:
    'is a better initialisation all that pretraining gives (Table 9): statistics or shuffled entries of trained weights',
  config: frozenStudySettings({ tasks: usualTasks }),
  run: async (settings, context) => {
    const claims: readonly Claim[] = [
      { says: 'The statistics of trained weights help a random body (Table 9)', first: 'random', second: 'statistics' },
      { says: 'They are not all that was learned', first: 'statistics', second: 'language' },
      { says: 'Nor are the numbers without their places', first: 'shuffled', second: 'language' },
      { says: 'A narrow random body needs more than the published deviation', first: 'published', second: 'random' },
    ]
    const outcomes = await runFrozenStudy(chosenVariants(initializationVariants, settings.variants), settings, context)
    const subtitle = 'a frozen body whose weights keep less and less of what was learned'
    return frozenReport({ name: 'initialization', subtitle, claims }, outcomes, settings)
  },
})
