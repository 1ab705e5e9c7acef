import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readSafetensors } from '../../src/io/safetensors.ts'
import { multiplyAdds, type VariantName, variantConfig, variants } from '../../src/systems/mixer/config.ts'
import { Mixer } from '../../src/systems/mixer/model.ts'
import { parameterCount } from '../../src/systems/mixer/parameters.ts'
import { targets } from '../../src/systems/mixer/verify.ts'
import { toNumbers } from '../../src/tensor/dtype.ts'
import type { ReferenceCase } from '../../src/verify/target.ts'

function load(name: string): ReferenceCase & { tolerance: { atol: number; rtol: number } } {
  const path = (extension: string): URL => new URL(`../cases/mixer/${name}.${extension}`, import.meta.url)
  const description = JSON.parse(readFileSync(path('json'), 'utf8'))
  return { ...description, name, tensors: readSafetensors(readFileSync(path('safetensors'))).tensors }
}

const cases = [
  'mixer_vitjax_logits_rect',
  'mixer_vitjax_representation_npz',
  'mixer_timm_names',
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
    const reference = load(name)
    const target = targets.find((rule) =>
      typeof rule.target === 'string' ? rule.target === reference.target : rule.target.test(reference.target),
    )
    const found = await target?.run(reference)
    const { atol, rtol } = reference.tolerance
    const expected = [...reference.tensors].filter(([key]) => /^(output|grad|grad_input|state)\//.test(key))
    expect(expected.length).toBeGreaterThan(0)
    for (const [key, array] of expected) {
      // A stored momentum may flip by one unit of bfloat16 under float noise (the case's own note).
      const relative = key.startsWith('state/momentum/') ? 8e-3 : rtol
      const values = toNumbers(found?.get(key)?.data ?? new Float32Array())
      expect(found?.get(key)?.shape, key).toEqual(array.shape)
      for (const [i, value] of toNumbers(array.data).entries()) {
        const difference = Math.abs((values[i] ?? Number.NaN) - value)
        expect(difference, `${key}[${i}]: ${values[i]} against ${value}`).toBeLessThanOrEqual(
          atol + relative * Math.abs(value),
        )
      }
    }
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
