import { describe, expect, test } from 'vitest'
import { multiplyAdds, type VariantName, variantConfig, variants } from '../../src/systems/mixer/config.ts'
import { mixer } from '../../src/systems/mixer/index.ts'
import { Mixer } from '../../src/systems/mixer/model.ts'
import { parameterCount } from '../../src/systems/mixer/parameters.ts'
import { type CaseResult, verify } from '../../src/verify/run.ts'

const cases = [
  'mixer_vitjax_logits_rect',
  'mixer_vitjax_representation_npz',
  'mixer_timm_names',
  'mixer_timm_no_head',
  'mixer_timm_options',
  'mixer_bv_stoch_depth_train',
  'mixer_tables_224',
  'mixer_hires_blockdiag_k2',
  'mixer_fewshot_5shot_dual',
  'mixer_fewshot_5shot_primal',
  'mixer_bv_pretrain_steps',
  'mixer_vitjax_finetune_steps',
]

describe('agrees with the official implementations', () => {
  test.each(cases)('%s', async (name) => {
    const results: CaseResult[] = []
    const path = new URL(`../cases/mixer/${name}.json`, import.meta.url).pathname
    for await (const result of verify([path], mixer.targets ?? [])) results.push(result)
    expect(results).toHaveLength(1)
    expect(results[0]).toMatchObject({ case: name, passed: true, tensors: expect.any(Number) })
    expect(results[0]?.tensors).toBeGreaterThan(0)
  })
})

// Paper, Table 1, and the exact counts of the official modules at 224 pixels and 1000 classes.
const published: Record<VariantName, readonly [parameters: number, gigaMultiplyAdds: number]> = {
  'S/32': [19_104_624, 1.002],
  'S/16': [18_528_264, 3.777],
  'B/32': [60_293_428, 3.238],
  'B/16': [59_880_472, 12.602],
  'L/32': [206_939_264, 11.253],
  'L/16': [208_196_168, 44.548],
  'H/14': [432_350_952, 120.99],
}

test.each(Object.keys(variants) as VariantName[])('%s has the published size', (name) => {
  const config = variantConfig(name)
  expect(parameterCount(config)).toBe(published[name][0])
  expect(multiplyAdds(config) / 1e9).toBeCloseTo(published[name][1], 2)
})

test('the formula counts what the module has', () => {
  const config = variantConfig('S/32')
  const model = new Mixer(config)
  expect(model.parameters().reduce((sum, { size }) => sum + size, 0)).toBe(published['S/32'][0])
})

test('pictures that patches do not fit are refused', () => {
  expect(() => new Mixer({ ...variantConfig('S/16'), image_size: [230, 224] })).toThrowError(
    expect.objectContaining({
      message: 'Mixer: pictures of 230x224 pixels cannot be cut into patches of 16x16',
      hint: 'image_size must be a multiple of patch_size; 224x224 would be',
    }),
  )
})
