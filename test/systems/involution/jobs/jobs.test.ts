/** The jobs of involution on tiny settings. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { compile } from '../../../../src/compile/compile.ts'
import * as ops from '../../../../src/ops/index.ts'
import type { Job } from '../../../../src/systems/define.ts'
import { cuedPictures } from '../../../../src/systems/involution/cued-filter.ts'
import { attentionAsInvolution, localAttention } from '../../../../src/systems/involution/jobs/attention.ts'
import { compare, comparedNetworks } from '../../../../src/systems/involution/jobs/compare.ts'
import { counts } from '../../../../src/systems/involution/jobs/counts.ts'
import { multiplyAdds } from '../../../../src/systems/involution/jobs/layer-cost.ts'
import { specificity } from '../../../../src/systems/involution/jobs/specificity.ts'
import type { Tensor } from '../../../../src/tensor/tensor.ts'
import { configFrom } from '../../../../src/train/settings.ts'
import { Generator } from '../../../../src/util/random.ts'
import { runTiny } from '../../../support/tiny-job.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-involution-'))
afterAll(() => rmSync(folder, { recursive: true }))

const run = (job: Job, sets: readonly string[]) => runTiny(job, sets, folder)

test('specificity: what is asked for is the value where the colour points', () => {
  const sizes = { channels: 16, kernel_size: 3, side: 8, cues: 4 }
  const { x, y } = cuedPictures(sizes, 1, 1n)
  const at = (channel: number, row: number, column: number): number => Number(x.data[channel * 64 + row * 8 + column])
  const steps = [
    [0, 1],
    [1, 0],
    [0, -1],
    [-1, 0],
  ]
  for (let i = 0; i < 64; i++) {
    const [row, column] = [Math.floor(i / 8), i % 8]
    const cue = [0, 1, 2, 3].findIndex((channel) => at(channel, row, column) === 1)
    const [down = 0, right = 0] = steps[cue] ?? []
    const [a, b] = [row + down, column + right]
    expect(Number(y.data[i])).toBe(a >= 0 && b >= 0 && a < 8 && b < 8 ? at(4, a, b) : 0)
  }
})

test.each([
  [['side=2'], 'side must be above (kernel_size - 1) / 2 = 2, found 2'],
  [['side=8', 'kernel_size=99'], 'side must be above (kernel_size - 1) / 2 = 49, found 8'],
  [['kernel_size=4'], 'setting "kernel_size": must be odd, so that a kernel has a middle, found 4'],
])('specificity: %j leave nothing to look at', async (sets, message) => {
  await expect(run(specificity, sets)).rejects.toThrow(message)
})

test('specificity: parts are kept; an involution is ahead soon', async () => {
  const sets = [
    'kernel_size=3',
    'side=8',
    'seeds=1',
    'tuning_steps=2',
    'steps=120',
    'batch_size=8',
    'learning_rates=[0.03]',
  ]
  const { report, parts } = await run(specificity, sets)
  expect(parts).toEqual([
    'new members/involution-seed0',
    'new members/convolution-seed0',
    'new members/convolution-relu-seed0',
  ])
  const [involution, convolution] = report.summary.map(({ value }) => Number.parseFloat(value))
  expect(involution).toBeGreaterThan((convolution ?? 0) + 10)
  expect((await run(specificity, sets)).parts).toEqual(parts.map((part) => part.slice(4)))
})

test('compare: networks of the settings, one of them of the same cost', async () => {
  const sets = [
    'model.layers=[1]',
    'kernel_sizes=[]',
    'group_channels=[]',
    'reduction_ratios=[]',
    'data.examples=16',
    'data.validation=8',
    'data.test=8',
    'study.steps=1',
    'study.tuning_steps=1',
    'study.seeds=1',
    'study.learning_rates=[0.01]',
    'study.batch_size=4',
  ]
  const { report, parts } = await run(compare, sets)
  expect(parts).toEqual(['rednet', 'resnet', 'resnet-cost'].map((name) => `new members/${name}-seed0`))
  expect(JSON.stringify(report)).toContain('of its multiply-adds')
  const facts = { image_size: [28, 28] as [number, number], in_channels: 1 as const, labels: ['a', 'b'] }
  const config = configFrom(compare.config, []) as Parameters<typeof comparedNetworks>[0]
  const names = comparedNetworks(config, facts).map(({ name }) => name)
  expect(names).toEqual(['rednet', 'resnet', 'resnet-cost', 'k3', 'k5', 'k9', 'group4', 'group8', 'r1'])
})

test('counts: the published table to the last digit', async () => {
  const { report } = await run(counts, [])
  const [table] = report.sections[0]?.figures ?? []
  const rows = table?.kind === 'table' ? table.rows : []
  expect(rows).toHaveLength(15)
  const small = await run(counts, ['image_size=32'])
  expect(small.report.summary[0]?.value).toBe('15')
  expect(rows.slice(6, 9)).toEqual([
    ['RedNet-50, stem with K = 7', 15541526, 2672590336, 2713184096],
    ['RedNet-50, stem with K = 3', 15540806, 2648505856, expect.any(Number)],
    ['ResNet-50', 25557032, 4089184256, 4119876096],
  ])
})

test('attention: softmax(q k) as kernels is local self-attention', async () => {
  const random = new Generator(1)
  const make = () => ({ dtype: 'float32' as const, shape: [2, 8, 5, 6], data: random.normal(480) })
  const run = compile((query: Tensor, key: Tensor, value: Tensor) => {
    const parts = { query, key, value }
    return ops.max(ops.abs(ops.sub(localAttention(parts, 2, 3), attentionAsInvolution(parts, 2, 3))))
  })
  expect((await run(make(), make(), make())).item()).toBeLessThan(1e-5)
  await run.release()
})

test('costs: multiply-adds by formula, time by a call', async () => {
  const task = { side: 4, kernel: 3, channels: 16, heads: 1, batch: 1, calls: 1, threads: 1 }
  const counts = (['convolution', 'depthwise', 'involution'] as const).map((layer) => multiplyAdds({ ...task, layer }))
  expect(counts).toEqual([16 * 9 * 256, 16 * 9 * 16, 16 * (64 + 36 + 144)])
})
