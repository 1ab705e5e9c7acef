import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { writeNpz } from '../../../src/io/npz.ts'
import { fitWeights, readStart } from '../../../src/systems/diffusion/checkpoint.ts'
import { UNetModel } from '../../../src/systems/diffusion/model.ts'
import { denoiser } from '../../../src/systems/diffusion/recipes.ts'
import { diffusionSettings, unetConfig, unetSettings } from '../../../src/systems/diffusion/settings.ts'
import type { NDArray } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { configFrom } from '../../../src/train/settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-diffusion-'))
const facts = { labels: ['a', 'b', 'c'], image_size: [8, 8], in_channels: 3 } as const
const model = unetSettings().parse({ model_channels: 8, channel_mult: [1, 2], num_head_channels: 8, num_groups: 4 })
const diffusion = diffusionSettings().parse({})
const network = unetConfig(model, facts, diffusion)
manualSeed(1)
const official = new UNetModel(network).stateDict()

function saved(name: string, state: ReadonlyMap<string, NDArray>): string {
  const path = join(folder, name)
  writeFileSync(path, writeNpz(state))
  return path
}

const startOf = (path: string, labels: readonly string[] = facts.labels) =>
  readStart({ model: { ...model, checkpoint: path }, diffusion }).then((start) =>
    start?.fit({ model: { ...model, checkpoint: path }, diffusion }, { ...facts, labels }),
  )

describe('weights to start from', () => {
  test('load by the official names, whatever stands before them', async () => {
    const path = saved('prefixed.npz', new Map([...official].map(([name, array]) => [`model.${name}`, array])))
    const found = await startOf(path)
    expect(found?.summary).toBe(`weights of ${path}: ${official.size} tensors`)
    expect(new Map(found?.weights)).toEqual(official)
    const config = configFrom(denoiser.config, [])
    expect(await denoiser.start?.(config)).toBeUndefined()
  })

  test('labels are new where there are others', async () => {
    const path = saved('labels.npz', official)
    const found = await startOf(path, ['a', 'b'])
    expect(found?.summary).toBe(`weights of ${path}: ${official.size - 1} tensors; the labels are new`)
    expect(found?.weights.has('label_emb.weight')).toBe(false)
  })

  test('what does not fit is one line', async () => {
    const other = saved(
      'other.npz',
      new Map([['stem.weight', { dtype: 'float32', shape: [1], data: Float32Array.of(1) }]]),
    )
    await expect(startOf(other)).rejects.toThrow(
      `${other}: must be a checkpoint of a U-Net, found a npz file without its "time_embed.0.weight"`,
    )
    const file = { format: 'npz', tensors: official, leftOut: new Map(), metadata: {} } as const
    expect(() => fitWeights('w.pt', file, { ...network, model_channels: 16 })).toThrow(
      /^w\.pt: does not fit the network of the settings: /,
    )
    const partial = new Map([...official].filter(([name]) => name !== 'out.2.bias'))
    expect(() => fitWeights('w.pt', { ...file, tensors: partial }, network)).toThrow(/missing.*out\.2\.bias/)
  })
})
