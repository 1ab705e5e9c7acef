import { expect, test } from 'vitest'
import { Dictionary } from '../../../src/systems/expire-span/corpus.ts'
import { dataTargets } from '../../../src/systems/expire-span/verify/data.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { CaseTensors } from '../../../src/verify/reads.ts'

/** Where the windows begin that the loop feeds of one row 0, 1, 2, ..., 22 without labels. */
async function beginnings(config: Readonly<Record<string, unknown>>): Promise<number[]> {
  const rule = dataTargets.find(({ target }) => target === 'trainer.train (window selection)')
  const data = {
    dtype: 'int64',
    shape: [1, 23],
    data: BigInt64Array.from({ length: 23 }, (_, i) => BigInt(i)),
  } as const
  const found = await rule?.run({
    system: 'expire-span',
    name: 'windows',
    target: 'trainer.train (window selection)',
    mode: 'eval',
    config: { batch_sz: 1, data_len: 23, mem_sz: 4, train_pos: 0, ...config },
    fields: {},
    folder: '',
    tolerance: { atol: 0, rtol: 0 },
    tensors: new CaseTensors([['input/data', data]]),
  })
  const windows = found?.get('output/X')
  return toNumbers(windows?.data ?? new Float32Array()).filter((_, i) => i % 4 === 0)
}

// What the official loop does, run on the same rows.
test('a test reads a tenth of the batches, at most the rows once', async () => {
  expect(await beginnings({ nbatches: 30, test_only: true })).toEqual([0, 4, 8])
  expect(await beginnings({ nbatches: 5, test_only: true })).toEqual([0])
  expect(await beginnings({ nbatches: 1000, test_only: true })).toEqual([0, 4, 8, 12, 16])
})

test('a full test ends where the rows do, whatever the number of batches', async () => {
  expect(await beginnings({ nbatches: 2, test_only: true, full_valid: true })).toEqual([0, 4, 8, 12, 16])
  expect(await beginnings({ nbatches: 9, test_only: false, full_test: true })).toEqual([0, 4, 8, 12, 16])
})

test('the word for unknown ones is counted where a text has it', () => {
  const dictionary = Dictionary.of(['<unk> a <unk>\n'])
  expect(dictionary.words).toEqual(['<unk>', '<eos>', 'a'])
  expect(dictionary.encode('b a', false)).toEqual([0, 2])
  expect(Dictionary.of(['a\n']).words).toEqual(['<eos>', 'a', '<unk>'])
})
