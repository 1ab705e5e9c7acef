import { describe, expect, test } from 'vitest'
import { type CaseResult, verify } from '../../../src/verify/run.ts'

const cases = [
  'mlm_masking',
  'nsp_pairs',
  'glue_inputs_pair',
  'sentencepiece_bpe',
  'listops',
  'byte_text',
  'glue_metrics',
]

describe('the data agree with the official pipelines', () => {
  test.each(cases)('%s', async (name) => {
    const results: CaseResult[] = []
    const path = new URL(`../../cases/fnet/${name}.json`, import.meta.url).pathname
    for await (const result of verify([path])) results.push(result)
    expect(results).toHaveLength(1)
    expect(results[0]).toMatchObject({ case: name, passed: true })
    expect(results[0]?.tensors).toBeGreaterThan(0)
  })
})
