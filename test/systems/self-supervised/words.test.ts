/** Hidden words: the studies that predict them, and whether the softmax over all words is contrastive. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { gradient } from '../../../src/autodiff/gradient.ts'
import { compile } from '../../../src/compile/compile.ts'
import * as ops from '../../../src/ops/index.ts'
import { energyLosses } from '../../../src/systems/self-supervised/energies/losses.ts'
import { bert } from '../../../src/systems/self-supervised/jobs/bert.ts'
import { uncertainty } from '../../../src/systems/self-supervised/jobs/uncertainty.ts'
import { drawWords, WordModel } from '../../../src/systems/self-supervised/jobs/word-model.ts'
import { hiddenWords } from '../../../src/systems/self-supervised/jobs/words.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { constant, type Tensor } from '../../../src/tensor/tensor.ts'
import { runTiny } from './run-tiny.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-words-'))
afterAll(() => rmSync(folder, { recursive: true }))

const pictures = ['examples=24', 'validation=12', 'test=12', 'labelled=24', 'probe_steps=5']

/** A text in which words follow from each other. */
const text = Array.from(
  { length: 160 },
  (_, i) => `the ${['cat', 'dog', 'cow'][i % 3]} sat on the ${['mat', 'log', 'hay'][i % 3]}.\n`,
).join('')

describe('words', () => {
  const file = join(folder, 'text.txt')
  writeFileSync(file, text)
  const words = ['folder', 'vocabulary', 'context'].map((name, i) => `${name}=${[file, 10, 1][i]}`)

  test('the commonest words by number; windows around each known one', () => {
    const settings = { folder: '', vocabulary: 4, context: 1, test_share: 0.1 }
    const { words: known, train } = hiddenWords('a b a c a b d', 'a b a', settings)
    expect(known).toEqual(['a', 'b', 'c', '<other>'])
    expect([...train.windows]).toEqual([0, 1, 0, 1, 0, 2, 0, 2, 0, 2, 0, 1, 0, 1, 3])
    expect(() => hiddenWords('a', 'a', settings)).toThrow('the text has too few words to learn from and to test with')
  })

  test('bert: softmax and drawn words; gradients of both', async () => {
    const sets = [
      ...words.map((set) => `data.${set}`),
      'negatives=[0,2]',
      'directions=[4]',
      'width=4',
      'hidden=8',
      'seeds=1',
      'steps=3',
      'batch_size=16',
    ]
    const { parts, report } = await runTiny(folder, bert, sets)
    expect(parts).toEqual(['new negatives-0-seed0', 'new negatives-2-seed0'])
    expect(report.sections[0]?.figures.map(({ kind }) => kind)).toEqual(['table', 'lines'])
  })

  test('uncertainty: means and softmaxes of both', async () => {
    const own = [...words.map((set) => `words.${set}`), ...pictures.map((set) => `pictures.${set}`)]
    const { parts, report } = await runTiny(folder, uncertainty, [
      ...own,
      'seeds=1',
      'steps=2',
      'hidden=8',
      'width=4',
      'batch_size=8',
      'patches=5',
    ])
    expect(parts).toEqual(['new patches-seed0', 'new words-seed0'])
    expect(report.sections[0]?.figures.map(({ kind }) => kind)).toEqual(['table', 'pictures', 'pictures', 'pictures'])
  })
})

describe('is the softmax contrastive?', () => {
  const config = { words: 7, context: 1, width: 3, hidden: 5 }
  const given = [
    constant(Int32Array.of(0, 1, 2, 3), [2, 2], 'int32'),
    constant(Int32Array.of(4, 1), [2], 'int32'),
  ] as const

  /** The gradient of a loss by the energies of all words, [2, 6]. */
  const slope = async (loss: (energies: Tensor, word: Tensor) => Tensor) => {
    manualSeed(1)
    const model = new WordModel(config)
    const run = compile((beside: Tensor, word: Tensor) => {
      const energies = ops.add(ops.neg(model.forward(beside)), 0)
      const [found] = gradient(loss(energies, word), [energies])
      return { found, probabilities: ops.softmax(ops.neg(energies), 1) }
    })
    const { found, probabilities } = await run(...given)
    const result = { found: await found.numbers(), probabilities: await probabilities.numbers() }
    await run.release()
    return result
  }

  test('its gradient pushes the true energy down and every other one up, by its probability', async () => {
    const { found, probabilities } = await slope((energies, word) => ops.crossEntropy(ops.neg(energies), word))
    const isTrue = (i: number): boolean => i === 4 || i === 6 + 1
    for (const [i, value] of found.entries()) {
      expect(value).toBeCloseTo(((isTrue(i) ? 1 : 0) - (probabilities[i] ?? 0)) / 2, 6)
      expect(Math.sign(value)).toBe(isTrue(i) ? 1 : -1)
    }
  })

  test('it is the NLL loss of an energy with every other word as a wrong answer', async () => {
    const whole = await slope((energies, word) => ops.crossEntropy(ops.neg(energies), word))
    const contrastive = await slope((energies) => {
      const rows = [4, 1].map((word, n) => {
        const row = ops.slice(energies, [n, n + 1], 0)
        const others = [0, 1, 2, 3, 4, 5].filter((each) => each !== word)
        const taken = (each: number): Tensor => ops.slice(row, [each, each + 1], 1)
        return { own: ops.reshape(taken(word), [1]), others: ops.concat(others.map(taken), 1) }
      })
      const [own, others] = [
        ops.concat(
          rows.map((row) => row.own),
          0,
        ),
        ops.concat(
          rows.map((row) => row.others),
          0,
        ),
      ]
      return energyLosses.nll.loss(own, others, { margin: 0, beta: 1, alpha_l2: 0 })
    })
    for (const [i, value] of contrastive.found.entries()) expect(value).toBeCloseTo(whole.found[i] ?? Number.NaN, 6)
  })

  test('drawn words come as often as they occur', async () => {
    manualSeed(2)
    const text = constant(Int32Array.of(0, 1, 2, 2, 2, 2, 2, 2, 2, 2), [10], 'int32')
    const log = constant(new Float32Array(3), [3], 'float32')
    const run = compile((like: Tensor) => drawWords({ log: like, text }, 50, 40))
    const drawn = await (await run(log)).numbers()
    await run.release()
    expect(drawn.filter((word) => word === 2).length / 2000).toBeCloseTo(0.8, 1)
    expect(new Set(drawn)).toEqual(new Set([0, 1, 2]))
  })
})
