/** Reference cases of the data: vocabulary, windows, object collisions. */
import { z } from 'zod'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { FormatError } from '../../../util/errors.ts'
import { arrayOf } from '../../../verify/arrays.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  fixedSetting,
  numberSetting,
  type ReferenceCase,
  requiredTensor,
  stringSetting,
} from '../../../verify/target.ts'
import { batchify, Dictionary, followingWindow } from '../corpus.ts'
import { generateCollisions } from '../tasks/collisions.ts'
import type { Draws } from '../tasks/text.ts'

async function runVocabulary({ config, fields }: ReferenceCase): Promise<Map<string, NDArray>> {
  const includeEos = booleanSetting(config, 'include_eos', false)
  const labels = config.label_txt == null ? [] : z.array(z.string()).parse(config.label_txt)
  const texts = ['train_txt', 'valid_txt', 'test_txt'].map((name) => stringSetting(config, name)) as [
    string,
    string,
    string,
  ]
  const dictionary = Dictionary.of([texts[0], ...labels.slice(0, 1)])
  const ids = (text: string): number[] => dictionary.encode(text, includeEos)
  const rows = batchify(ids(texts[0]), numberSetting(config, 'batch_sz'))
  checkWords(dictionary.words, fields.expected_strings)
  const found = new Map<string, NDArray>()
  for (const [i, side] of ['train', 'valid', 'test'].entries()) {
    found.set(`output/${side}_ids`, arrayOf(ids(texts[i] ?? ''), 'int64'))
    const label = labels[i]
    if (label !== undefined) found.set(`output/${side}_label_ids`, arrayOf(ids(label), 'int64'))
  }
  const shape = [rows.length, rows[0]?.length ?? 0]
  return found.set('output/train_batchified', { ...arrayOf(rows.flat(), 'int64'), shape })
}

function checkWords(words: readonly string[], expected: unknown): void {
  const { idx2word } = z.object({ idx2word: z.array(z.string()) }).parse(expected)
  const at = idx2word.findIndex((word, i) => word !== words[i])
  if (at >= 0 || words.length !== idx2word.length)
    throw new FormatError(`vocabulary: expected ${idx2word.join(' ')}, found ${words.join(' ')}`)
}

async function runWindows({ config, tensors, mode }: ReferenceCase): Promise<Map<string, NDArray>> {
  const data = requiredTensor(tensors, 'input/data')
  const [rows = 0, length = 0] = data.shape
  fixedSetting(config, 'data_len', length)
  fixedSetting(config, 'batch_sz', rows)
  const mem_sz = numberSetting(config, 'mem_sz')
  const isTest = booleanSetting(config, 'test_only', mode === 'eval')
  const fullTest = booleanSetting(config, 'full_test', false)
  const isFull = booleanSetting(config, 'full_valid', false) || fullTest
  const goesOnce = fullTest || (isTest && isFull)
  const labels = tensors.get('input/labels')
  const options = { length, mem_sz, hasLabels: labels !== undefined }
  const nbatches = numberSetting(config, 'nbatches')
  // A test takes a tenth as many, at most those of the data once; a full one ends where the data do.
  const ofTest = isFull ? length : Math.min(Math.max(1, Math.floor(nbatches / 10)), Math.floor(length / mem_sz))
  const limit = isTest ? ofTest : nbatches
  const wraps = toNumbers(tensors.get('input/wrap_offsets')?.data ?? new Float32Array(0))[Symbol.iterator]()
  const window = (from: NDArray, start: number): number[] => {
    const values = toNumbers(from.data)
    return Array.from({ length: rows }, (_, row) =>
      values.slice(row * length + start, row * length + start + mem_sz),
    ).flat()
  }
  const [x, y, resets]: [number[], number[], number[]] = [[], [], []]
  let position = numberSetting(config, 'train_pos', 0)
  let isFresh = true
  while (resets.length < limit) {
    x.push(...window(data, position))
    y.push(...window(labels ?? data, labels ? position : position + 1))
    resets.push(isFresh ? 1 : 0)
    const following = followingWindow(position, options)
    isFresh = following === undefined
    if (following === undefined && goesOnce) {
      position += mem_sz
      break
    }
    position = following ?? (isTest ? 0 : Number(wraps.next().value ?? 0))
  }
  const shape = [resets.length, rows, mem_sz]
  return new Map([
    ['output/X', { ...arrayOf(x, 'int64'), shape }],
    ['output/Y', { ...arrayOf(y, 'int64'), shape }],
    ['output/end_pos', arrayOf([position], 'int64')],
    ['output/memory_reset_before', arrayOf(resets, 'int64')],
  ])
}

/** Draws that a case recorded: each must be of the kind that is asked for. */
function recordedDraws({ tensors }: ReferenceCase): Draws {
  const [kinds, values] = ['draw_kind', 'draw_value'].map((name) =>
    toNumbers(requiredTensor(tensors, `input/${name}`).data),
  ) as [number[], number[]]
  let next = 0
  const take = (kind: number): number => {
    if (kinds[next] !== kind)
      throw new FormatError(`draw ${next} must be of kind ${kind}, found ${kinds[next] ?? 'none'}`)
    return values[next++] ?? 0
  }
  return { uniform: () => take(0), normal: () => take(1), integer: () => take(2) }
}

async function runCollisions(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const { config } = reference
  const { tokens, labels } = generateCollisions(numberSetting(config, 'nsteps'), recordedDraws(reference), {
    num_particles: numberSetting(config, 'num_particles', 2),
    num_colors: numberSetting(config, 'num_colors', 5),
    grid_size: numberSetting(config, 'grid_size', 16),
    speed: numberSetting(config, 'speed', 0.5),
    color_change_prob: numberSetting(config, 'color_change_prob', 0.05),
    easy_q: numberSetting(config, 'easy_q', 0.4),
  })
  return new Map([
    ['output/tokens', arrayOf(tokens, 'int64')],
    ['output/labels', arrayOf(labels, 'int64')],
  ])
}

export const dataTargets: readonly CaseTargetRule[] = [
  { target: 'data.Corpus + data.batchify', run: runVocabulary },
  { target: 'trainer.train (window selection)', run: runWindows },
  { target: 'data.gen_data_collisions.ParticleCollisionData', run: runCollisions },
]
