import { z } from 'zod'
import { defineUse } from '../../tasks/define.ts'
import { learnedWeights } from './explain.ts'
import type { Mixer } from './model.ts'

/** The use `inspect`: all learned weights on one page. */
export const inspectWeights = defineUse({
  summary: 'the learned weights as pictures on one HTML page',
  inputs: '',
  options: z.strictObject({}),
  run: async function* ({ model }: { readonly model: Mixer }, _inputs, _options, { step, writePage }) {
    const summary = [{ label: 'trained steps', value: step.toLocaleString('en') }]
    yield { file: await writePage('inspect.html', { title: 'weights', summary, sections: [learnedWeights(model)] }) }
  },
})
