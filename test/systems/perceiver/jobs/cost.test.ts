/** The job `perceiver/cost`: what is measured, what is left out, what the page says. */
import { expect, test } from 'vitest'
import { type CostSettings, cost, costTasks, measureAll } from '../../../../src/systems/perceiver/jobs/cost.ts'
import { type CostTask, measureCost } from '../../../../src/systems/perceiver/jobs/cost-measurement.ts'
import { costReport, exponent } from '../../../../src/systems/perceiver/jobs/cost-report.ts'
import { configFrom, parseAssignment } from '../../../../src/train/settings.ts'

const settings = configFrom(
  cost.config,
  [
    'sides=[4,8,16]',
    'depths=[2,4]',
    'depth_sides=[4]',
    'large.side=16',
    'large.cross_attentions=[1,2]',
    'large.unshared=[2]',
    'limit_seconds=5',
  ].map(parseAssignment),
) as CostSettings // its own schema

/** A transformer takes a second for 64 inputs and the square of it for more; a Perceiver a tenth of that, linearly. */
const invented = async ({ model, side, self, cross }: CostTask) => {
  const inputs = side ** 2 / 64
  const milliseconds = model === 'transformer' ? 250 * self * inputs ** 2 : 100 * inputs + self
  return { milliseconds, peakMebibytes: 100 + cross, parameters: 1000 }
}

const keep: Parameters<typeof measureAll>[2]['keep'] = async (_name, _identity, _schema, make) => ({
  part: await make(),
  wasThere: false,
})

test('what would take too long, by the measurement before it, is left out', async () => {
  const measured = await measureAll(costTasks(settings), settings.limit_seconds, { keep, progress: () => {} }, invented)
  const missing = measured.filter(({ result }) => !result)
  expect(missing.map(({ task, missing }) => [task.model, task.pass, task.side, missing])).toEqual([
    ['transformer', 'forward', 16, 'left out: about 16 s a call'],
    ['transformer', 'step', 16, 'left out: about 16 s a call'],
  ])
  const { sections, summary } = costReport(measured, settings)
  expect(summary[0]?.note).toBe('512 latents of 512, 2 cross and 12 self attentions; 102 MiB')
  const told = sections.flatMap(({ figures }) => figures.flatMap((f) => (f.kind === 'text' ? f.paragraphs : [])))
  expect(told).toEqual([
    'Perceiver, forward: from 64 to 256 inputs 3.9 times the time (exponent 0.98) and 1.0 times the memory.',
    'Perceiver, step: from 64 to 256 inputs 3.9 times the time (exponent 0.98) and 1.0 times the memory.',
    'self-attention on the inputs, forward: from 16 to 64 inputs 16.0 times the time (exponent 2.00) and 1.0 times the memory.',
    'self-attention on the inputs, step: from 16 to 64 inputs 16.0 times the time (exponent 2.00) and 1.0 times the memory.',
    'Perceiver, 16 inputs: each further self attention adds 1.0 ms and 0.0 MiB to a training step.',
    'self-attention on the inputs, 16 inputs: each further self attention adds 15.6 ms and 0.0 MiB to a training step.',
    'Shared weights: from 1 to 2 cross attentions on 256 inputs the peak goes from 101 to 102 MiB; 0 MiB of that are more weights with their gradients and moments. The keys and values of one more cross attention would be 1 MiB, if they were kept.',
  ])
})

test('a process that dies is a row without numbers', async () => {
  const measured = await measureAll(
    costTasks(settings).slice(0, 1),
    5,
    { keep, progress: () => {} },
    async () => undefined,
  )
  expect(measured.map(({ missing }) => missing)).toEqual(['did not finish (out of memory?)'])
})

test('exponents of growth', () => {
  expect(exponent([10, 3], [100, 300])).toBeCloseTo(2)
})

test.each(['perceiver', 'transformer'] as const)('measures a forward pass and a step: %s', async (model) => {
  const task: CostTask = {
    model,
    side: 4,
    bands: 2,
    width: 8,
    heads: 2,
    latents: 4,
    cross: 2,
    self: 2,
    share: true,
    recompute: true,
    pass: 'step',
    classes: 3,
    calls: 1,
    threads: 1,
  }
  for (const pass of ['forward', 'step'] as const) {
    const { milliseconds, parameters } = await measureCost({ ...task, pass })
    expect(milliseconds).toBeGreaterThan(0)
    expect(parameters).toBeGreaterThan(100)
  }
})
