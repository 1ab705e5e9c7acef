import type { Recipe } from '../../src/systems/define.ts'
import type { Choices, UseContext } from '../../src/tasks/define.ts'
import type { Experiment } from '../../src/tasks/experiment.ts'

const context: UseContext = {
  out: undefined,
  run: 'runs/test',
  step: 0,
  seed: 0,
  say: () => undefined,
  openData: () => Promise.reject(new Error('the test has no data to open')),
  readTensors: () => Promise.reject(new Error('the test has no checkpoint')),
  readRecord: () => Promise.reject(new Error('the test has no record')),
  openRun: () => Promise.reject(new Error('the test has no other run')),
  place: () => Promise.reject(new Error('the test writes no file')),
  writePage: () => Promise.reject(new Error('the test writes no page')),
}

/** What the use `predict` of a recipe says of each input; fails on a refusal. */
export async function predictionsOf(
  { uses }: Recipe,
  experiment: Experiment,
  inputs: readonly string[],
): Promise<{ readonly input: string | undefined; readonly choices: Choices }[]> {
  const use = uses?.predict
  if (!use) throw new Error('the recipe has no use "predict"')
  const predictions = []
  for await (const answer of use.run(experiment, inputs, use.options.parse({}), context)) {
    if ('error' in answer) throw answer.error
    if ('choices' in answer) predictions.push({ input: answer.input, choices: answer.choices })
  }
  return predictions
}
