/** Trainings that begin from the backbone of a file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { writeSafetensors } from '../../../src/io/safetensors.ts'
import { ResNet } from '../../../src/models/resnet.ts'
import { requireAgreement } from '../../../src/systems/agreement.ts'
import type { FittedWeights } from '../../../src/systems/define.ts'
import { ImageClassifier } from '../../../src/systems/involution/model.ts'
import { detect, images } from '../../../src/systems/involution/recipes.ts'
import { makeBackbone, type NetworkSettings, networkSettings } from '../../../src/systems/involution/settings.ts'
import type { NDArray } from '../../../src/tensor/dtype.ts'
import { configFrom, parseAssignment, type Settings } from '../../../src/train/settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-backbones-'))
afterAll(() => rmSync(folder, { recursive: true }))

const tiny = networkSettings({ layers: [1, 1], stem: 'small', stem_channels: 16, base_channels: 16, kernel_size: 3 })
const modelOf = (settings: Partial<NetworkSettings>): NetworkSettings => tiny.parse(settings)
const stateOf = (settings: Partial<NetworkSettings>) =>
  new ImageClassifier(makeBackbone(modelOf(settings), 3), 4).stateDict()

function fileOf(name: string, state: ReadonlyMap<string, NDArray>): string {
  const path = join(folder, `${name}.safetensors`)
  writeFileSync(path, writeSafetensors(state))
  return path
}

/** What the recipe makes of a file beside some settings, if they agree. */
async function fitted(path: string, sets: readonly string[] = [], recipe = images): Promise<FittedWeights<Settings>> {
  const config = configFrom(recipe.config, [`model.checkpoint=${path}`, ...sets].map(parseAssignment))
  const start = await recipe.start?.(config)
  if (!start) throw new Error('there is a file')
  const found = start.fit(config, { labels: ['a', 'b'], in_channels: 3, image_size: [8, 8] })
  requireAgreement(recipe, config, found)
  return found
}

describe('a backbone of a file', () => {
  const redNet = fileOf('rednet', stateOf({}))
  const resNet = fileOf('resnet', stateOf({ network: 'resnet' }))

  test.each([
    ['a RedNet', redNet, {}],
    [
      'a RedNet of other kernels',
      fileOf('kernels', stateOf({ kernel_size: 5, reduction_ratio: 2 })),
      { kernel_size: 5 },
    ],
    ['a ResNet', resNet, { network: 'resnet' }],
    ['a ResNet with the standard stem', fileOf('standard', stateOf({ network: 'resnet', stem: 'standard' })), {}],
  ])('%s decides the network, and fits it', async (_, path, known) => {
    const { config, weights } = await fitted(path)
    const model = config.model as NetworkSettings
    expect(model).toMatchObject({ layers: [1, 1], base_channels: 16, ...known })
    const own = new ImageClassifier(makeBackbone(model, 3), 2)
    const names = [...own.stateDict().keys()].filter((name) => name.startsWith('backbone.'))
    expect([...weights.keys()]).toEqual(names)
    expect(() => own.loadStateDict(weights, { strict: false })).not.toThrow()
  })

  test("torchvision's names are read", async () => {
    const model = new ResNet({ block: 'bottleneck', layers: [1, 2], width: 16, numClasses: 5 })
    const { config, summary } = await fitted(fileOf('torchvision', model.stateDict()))
    expect(config.model).toMatchObject({ network: 'resnet', layers: [1, 2], stem: 'standard' })
    expect(summary).toMatch(/torchvision\.safetensors: a ResNet of 1, 2 blocks; new head$/)
  })

  test.each([
    ['model.network=resnet', redNet, '"rednet"', 'a RedNet of 1, 1 blocks'],
    ['model.layers=[2,2]', redNet, '[1, 1]', 'a RedNet of 1, 1 blocks'],
    ['model.kernel_size=5', redNet, '3', 'a RedNet of 1, 1 blocks'],
    ['model.group_channels=8', redNet, '16', 'a RedNet of 1, 1 blocks'],
    ['model.base_channels=32', resNet, '16', 'a ResNet of 1, 1 blocks'],
  ])('%s is refused beside weights that have it otherwise', async (set, path, found, name) => {
    const value = set.replace('=resnet', '="resnet"').replace('2,2', '2, 2')
    await expect(fitted(path, [set])).rejects.toThrow(
      `${value} contradicts the weights to start from, which have ${found} (backbone of ${path}: ${name}; new head)`,
    )
  })

  test('a ResNet of basic blocks, or of another stem, is told so', async () => {
    const basic = fileOf('basic', new ResNet({ block: 'basic', layers: [1, 1], width: 8 }).stateDict())
    await expect(fitted(basic)).rejects.toThrow(`${basic}: the checkpoint holds a ResNet without bottlenecks`)
    await expect(fitted(resNet, [], detect)).rejects.toThrow(
      `${resNet}: the checkpoint holds a ResNet with the small stem`,
    )
  })
})
