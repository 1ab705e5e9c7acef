/** Which of the parts that learn matters: output, layer norms, input, positions (the paper's ablation, Table 16). */
import { defineJob } from '../../define.ts'
import { type Claim, frozenReport } from './report.ts'
import { aroundBoth, chosenVariants, frozenStudySettings, runFrozenStudy, usualTasks } from './study.ts'

const nothing = { freeze_ln: true, freeze_in: true, freeze_pos: true }

/** Parts that learn, one after the other as in the paper's ablation; and the norms frozen with all the rest learning (Table 16). */
const layerNormVariants = aroundBoth([
  ['out', 'output', nothing],
  ['ln', 'output, layer norms', { ...nothing, freeze_ln: false }],
  ['in', 'output, layer norms, input', { freeze_pos: true }],
  ['pos', 'output, layer norms, input, positions', {}],
  ['no-ln', 'all of these but layer norms', { freeze_ln: true }],
])

export const layerNorm = defineJob({
  name: 'layernorm',
  summary: 'which trained part matters: output, + layer norms, + input, + positions; and layer norms frozen',
  config: frozenStudySettings({ tasks: usualTasks }),
  run: async (settings, context) => {
    const claims = ['language', 'random'].flatMap((body): Claim[] => [
      { says: 'Layer norms are the part that matters most (ablation)', first: `${body}-out`, second: `${body}-ln` },
      { says: 'The input layer adds to them', first: `${body}-ln`, second: `${body}-in` },
      { says: 'Positions add little', first: `${body}-in`, second: `${body}-pos` },
      { says: 'Without layer norms it is worse (Table 16)', first: `${body}-pos`, second: `${body}-no-ln` },
    ])
    const outcomes = await runFrozenStudy(chosenVariants(layerNormVariants, settings.variants), settings, context)
    const subtitle = 'which parts of a frozen transformer must learn, each at a learning rate of its own'
    return frozenReport({ name: 'layernorm', subtitle, claims }, outcomes, settings)
  },
})
