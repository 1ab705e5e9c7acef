/** Reference cases of bias metrics and of word vectors. */
import { z } from 'zod'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizes } from '../../../tensor/shape.ts'
import { binomialTest, chiSquareTest } from '../../../util/significance.ts'
import {
  type CaseTargetRule,
  fixedSetting,
  type ReferenceCase,
  requiredTensor,
  withoutEffect,
} from '../../../verify/target.ts'
import {
  biasAmplification,
  type GenderCounts,
  meanDivergence,
  meanSymmetricDivergence,
} from '../measures/amplification.ts'
import { setScore, tgbi } from '../measures/tgbi.ts'
import {
  associationTest,
  genderDirection,
  hardDebias,
  normalized,
  type WordPair,
  type WordVectors,
} from '../mitigation/vectors.ts'
import { array, type Computed, checked, part, rowsArray } from './case.ts'

function rowsOf({ shape, data }: NDArray): number[][] {
  const [rows, width] = sizes(shape, 2)
  const numbers = toNumbers(data)
  return Array.from({ length: rows }, (_, i) => numbers.slice(i * width, (i + 1) * width))
}

function runMetrics({ config, tensors }: ReferenceCase): Computed {
  const counts = (name: string): GenderCounts[] =>
    rowsOf(requiredTensor(tensors, `input/${name}`)).map(([male = 0, female = 0]) => [male, female])
  const [training, output] = [counts('train_counts'), counts('output_counts')]
  fixedSetting(config, 'n_occupations', training.length)
  const sets = rowsOf(requiredTensor(tensors, 'input/sets')).map(([female = 0, male = 0, neutral = 0]) => ({
    female,
    male,
    neutral,
  }))
  const total = (table: readonly GenderCounts[]): number[] =>
    [0, 1].map((g) => table.reduce((sum, each) => sum + (each[g] ?? 0), 0))
  const { statistic, p } = chiSquareTest([total(training), total(output)])
  const [[male = 0, female = 0] = [], [outMale = 0, outFemale = 0] = []] = [training[0], output[0]]
  const perSet = sets.map((set) => setScore(set))
  const amplification = biasAmplification(training, output)
  return {
    tensors: { tgbi_per_set: array(perSet) },
    expected: {
      zhao_amplification_paper: amplification,
      zhao_mean_bias_score_official_script: amplification,
      tgbi_per_set: perSet,
      tgbi: tgbi(sets),
      chi2_total: [statistic, p],
      binomial_two_sided_first: binomialTest(outMale, outMale + outFemale, male / (male + female)),
      mean_kl_output_vs_data: meanDivergence(training, output),
      mean_js: meanSymmetricDivergence(training, output),
    },
  }
}

const words = z.array(z.string())
const pairs = z.array(z.tuple([z.string(), z.string()]))

/** Pairs that were neutralised before have no side: rounding decides which word gets which vector, and the case's choice is taken. */
function asChosen(found: WordVectors, chosen: WordVectors, equalized: readonly WordPair[]): WordVectors {
  const result = new Map(found)
  const distance = (x: Float64Array, word: string): number =>
    x.reduce((sum, value, i) => sum + Math.abs(value - (chosen.get(word)?.[i] ?? 0)), 0)
  for (const [a, b] of equalized) {
    const [x, y] = [found.get(a), found.get(b)]
    if (x && y && distance(y, a) + distance(x, b) < distance(x, a) + distance(y, b)) result.set(a, y).set(b, x)
  }
  return result
}

function runDebias({ config, tensors }: ReferenceCase): Computed {
  withoutEffect(config, 'pca_components') // only the first is used
  const names = part(config, 'words', words)
  const named = (rows: readonly (readonly number[])[]): WordVectors =>
    new Map(names.map((word, i) => [word, Float64Array.from(rows[i] ?? [])]))
  const matrix = (vectors: WordVectors): NDArray => rowsArray([...vectors.values()].map((vector) => [...vector]))
  const unit = normalized(named(rowsOf(requiredTensor(tensors, 'input/vectors'))))
  const definitionalPairs = part(config, 'definitional_pairs', pairs)
  const genderSpecific = part(config, 'gender_specific', words)
  const equalizePairs = part(config, 'equalize_pairs', pairs)
  const direction = genderDirection(unit, definitionalPairs)
  const found = hardDebias(unit, { definitionalPairs, genderSpecific, equalizePairs })
  const specific = new Set(genderSpecific)
  const chosen = tensors.peek('output/debiased')
  const debiased = asChosen(
    found,
    chosen ? named(rowsOf(chosen)) : found,
    equalizePairs.filter(([a, b]) => !specific.has(a) && !specific.has(b)),
  )
  const weat = part(config, 'weat', z.object({ A: words, B: words, X: words, Y: words }))
  const association = (vectors: WordVectors) => {
    const { statistic, effectSize } = associationTest(vectors, { x: weat.X, y: weat.Y, a: weat.A, b: weat.B })
    return { statistic, effect_size: effectSize }
  }
  const projections = [...unit.values()].map((vector) =>
    vector.reduce((sum, value, i) => sum + value * (direction[i] ?? 0), 0),
  )
  return {
    tensors: {
      direction: array([...direction]),
      normalized: matrix(unit),
      debiased: matrix(debiased),
      projection_before: array(projections),
    },
    expected: { weat_before: association(unit), weat_after: association(debiased) },
  }
}

/** The targets of metrics and vectors. */
export const measureTargets: readonly CaseTargetRule[] = [
  { target: /^bias metrics/, run: checked(runMetrics) },
  { target: /^hard debiasing of word vectors/, run: checked(runDebias) },
]
