import { readdirSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { writeSafetensors } from '../../../src/io/safetensors.ts'
import { translationBias } from '../../../src/systems/translation-bias/index.ts'
import { type CaseResult, verify } from '../../../src/verify/run.ts'

const folder = new URL('../../cases/translation-bias/', import.meta.url).pathname
const cases = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length))

async function resultsOf(path: string): Promise<CaseResult[]> {
  const results: CaseResult[] = []
  for await (const result of verify([path], translationBias.targets ?? [])) results.push(result)
  return results
}

describe('translation bias agrees with the official code and with NLTK', () => {
  test.each(cases)('%s', async (name) => {
    const results = await resultsOf(`${folder}${name}.json`)
    expect(results).toHaveLength(1)
    expect(results[0]?.problem).toBeUndefined()
    expect(results[0]).toMatchObject({ case: name, passed: true })
    expect(results[0]?.tensors).toBeGreaterThan(0)
  })
})

describe('cases that cannot be run say why', () => {
  const written = async (fields: Readonly<Record<string, unknown>>): Promise<string> => {
    const path = await mkdtemp(join(tmpdir(), 'tenfold-bias-'))
    const tensor = { dtype: 'int64' as const, shape: [1], data: new BigInt64Array([0n]) }
    const description = {
      format: 1,
      system: 'translation-bias',
      case: 'own',
      tolerance: { atol: 0, rtol: 0 },
      ...fields,
    }
    await writeFile(join(path, 'own.json'), JSON.stringify(description))
    await writeFile(join(path, 'own.safetensors'), writeSafetensors(new Map([['output/class', tensor]])))
    return path
  }

  test('without the data files of the studies', async () => {
    const path = await written({
      target: 'pronoun shares per language',
      config: { data: ['prates/job-genders.tsv'], languages: ['Malay'] },
      expected: {},
    })
    expect((await resultsOf(path))[0]?.problem).toBe('the case needs data/prates/job-genders.tsv next to it')
  })

  test('where a result besides the tensors differs', async () => {
    const path = await written({
      target: 'get_gender: pronoun class of an English output',
      config: { female_markers: ['she'], male_markers: ['he'], neuter_markers: ['it'] },
      expected: [{ text: 'she sings', gender: 'Male' }],
    })
    expect((await resultsOf(path))[0]?.problem).toBe('expected[0].gender is "Female", expected "Male"')
  })

  test('with a flag that fast_align does not have here', async () => {
    const path = await written({
      target: 'fast_align (reparameterised IBM Model 2)',
      config: { flags: ['-d', '-x'] },
      input_data: ['a ||| b'],
      expected: {},
    })
    expect((await resultsOf(path))[0]?.problem).toBe('flags of fast_align must be of -d -o -v -r -N, found -x')
  })
})
