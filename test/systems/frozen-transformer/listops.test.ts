import { expect, test } from 'vitest'
import { withoutClosing } from '../../../src/systems/frozen-transformer/listops/experiment.ts'
import { listOpsRecipe } from '../../../src/systems/frozen-transformer/listops/recipe.ts'
import type { OpenedClassification } from '../../../src/tasks/sequences/open.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { FrozenParameters } from '../../../src/train/frozen.ts'
import { configFrom, parseAssignment } from '../../../src/train/settings.ts'
import { predictionsOf } from '../../support/predictions.ts'

const tiny = [
  'data.max_seq_length=16',
  'data.min_length=3',
  'data.max_depth=2',
  'data.train_examples=64',
  'data.test_examples=20',
  'model.embedding_size=16',
  'model.n_layer=1',
  'model.n_head=2',
  'train.batch_size=16',
]

const configOf = (...more: readonly string[]) =>
  configFrom(listOpsRecipe.config, [...tiny, ...more].map(parseAssignment))

test('the official loader loses closing brackets, and with them where a list ends', async () => {
  const ids = { dtype: 'int32', shape: [2, 5], data: Int32Array.of(11, 3, 15, 15, 0, 1, 15, 2, 15, 4) } as const
  expect(toNumbers(withoutClosing(ids).data)).toEqual([11, 3, 0, 0, 0, 1, 2, 4, 0, 0])
  const of = async (...settings: string[]) => {
    const { train } = (await listOpsRecipe.open(configOf(...settings), {})) as OpenedClassification
    return toNumbers((await train.batch([0, 1, 2], { epoch: 0, seed: 0 })).input_ids.data)
  }
  expect(await of()).toContain(15)
  expect(await of('data.brackets=dropped')).not.toContain(15)
})

test('hidden widths of an input layer that is an embedding, and too few positions, are told before training', async () => {
  const { facts } = await listOpsRecipe.open(configOf(), {})
  const build = (setting: string) => () => listOpsRecipe.build(configOf(setting), facts, { seed: 1 })
  expect(build('model.in_layer_sizes=[8]')).toThrow(
    'model.in_layer_sizes must be empty for tokens of a vocabulary, found [8]',
  )
  expect(build('model.n_positions=8')).toThrow("model.n_positions must be at least the task's 16 tokens, found 8")
})

test('values are learned around a frozen body, and expressions answered', async () => {
  const config = configOf()
  const data = await listOpsRecipe.open(config, {})
  const experiment = listOpsRecipe.build(config, data.facts, { seed: 1 })
  const frozen = new FrozenParameters(experiment.weights)
  const { task } = experiment.prepare(data)
  const losses: number[] = []
  for (let epoch = 0; epoch < 6; epoch++)
    for await (const batch of task.loader) losses.push((await task.step(batch)).loss.item())
  frozen.check()
  expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0)
  expect(await experiment.evaluate(data)).toMatchObject({ majority_accuracy: expect.any(Number) })
  const [answer] = await predictionsOf(listOpsRecipe, experiment, ['[MAX 2 9 [MIN 4 7 ] 0 ]'])
  expect(answer?.choices).toHaveLength(3)
  await expect(predictionsOf(listOpsRecipe, experiment, ['[MAX 2 x ]'])).rejects.toThrow(
    '"x" is not a token of ListOps',
  )
})
