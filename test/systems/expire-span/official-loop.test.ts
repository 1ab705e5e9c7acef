import { describe, expect, test } from 'vitest'
import { Dictionary } from '../../../src/systems/expire-span/corpus.ts'
import { ExpireSpan } from '../../../src/systems/expire-span/model.ts'
import { dataTargets } from '../../../src/systems/expire-span/verify/data.ts'
import { trainingTargets } from '../../../src/systems/expire-span/verify/training.ts'
import { type NDArray, toNumbers } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { CaseTensors } from '../../../src/verify/reads.ts'
import { asGiven } from '../../../src/verify/rounding.ts'

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
    rounding: asGiven,
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

describe('a layer that is left out', () => {
  const sizes = { hid_sz: 4, inner_hid_sz: 4, nlayers: 1, mem_sz: 2, nheads: 1, head_dim: 4, dropout: 0, attn_lim: 4 }
  const spans = { expire_span: true, expire_span_loss: 0.1, expire_span_ramp: 2, expire_span_init_percentage: 0.5 }
  const others = { expire_span_noisy: false, expire_span_pre_div: 1, expire_span_layerdrop: 0.5 }
  const config = { ...sizes, ...spans, ...others, pre_norm: false, vocab_sz: 5 }

  /** Parameters after updates of one window each, in which the only layer is used if the number is above a half. */
  async function learned(draws: readonly number[]): Promise<ReadonlyMap<string, NDArray> | undefined> {
    manualSeed(2)
    const weights = [...new ExpireSpan(config).stateDict()].map(([name, array]) => [`param/${name}`, array] as const)
    const data = { dtype: 'int64', shape: [1, 12], data: BigInt64Array.from({ length: 12 }, (_, i) => BigInt(i % 5)) }
    const random = { dtype: 'float32', shape: [draws.length, 1], data: Float32Array.from(draws) }
    const training = { lr: 0.1, optim: 'sgd', momentum: 0.9, nepochs: 1, batch: 1, n_updates: draws.length }
    const target = 'trainer.train + models.expire_span.ExpireSpan'
    return trainingTargets[0]?.run({
      system: 'expire-span',
      name: 'left out',
      target,
      mode: 'train',
      config: { ...config, ...training },
      fields: {},
      folder: '',
      tolerance: { atol: 0, rtol: 0 },
      rounding: asGiven,
      tensors: new CaseTensors([
        ...weights,
        ['input/data', data as NDArray],
        ['input/random_draws', random as NDArray],
      ]),
    })
  }

  test('stays as it is, whatever its momentum; the rest learns', async () => {
    const [once, twice] = [await learned([0.9]), await learned([0.9, 0.1])]
    const of = (found: typeof once, name: string) => [...(found?.get(`output/final.${name}`)?.data ?? [])]
    for (const name of ['layers.0.ff.fc1.weight', 'layers.0.attn.attn.key_pe'])
      expect(of(twice, name)).toEqual(of(once, name))
    expect(of(twice, 'out.out_emb.bias')).not.toEqual(of(once, 'out.out_emb.bias'))
    expect(of(await learned([0.9, 0.9]), 'layers.0.ff.fc1.weight')).not.toEqual(of(once, 'layers.0.ff.fc1.weight'))
  })
})
