/** The reference case of the evaluation protocol. */
import * as ops from '../../../ops/index.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { toNumbers } from '../../../tensor/dtype.ts'
import { tensor } from '../../../tensor/tensor.ts'
import {
  type FeatureStatistics,
  featureStatistics,
  frechetDistance,
  inceptionScore,
  manifoldMembers,
  manifoldRadii,
  precisionAndRecall,
} from '../../../train/sample-metrics.ts'
import {
  type CaseTargetRule,
  numberSetting,
  numbersSetting,
  optionalNumber,
  type ReferenceCase,
  requiredTensor,
  withoutEffect,
} from '../../../verify/target.ts'
import { type Found, floats, integers } from './case.ts'

const bytes = (values: readonly boolean[]): NDArray => ({
  dtype: 'uint8',
  shape: [values.length],
  data: Uint8Array.from(values, Number),
})

const scaled = ({ shape, data }: NDArray, factor: number): NDArray =>
  floats(
    toNumbers(data).map((value) => value * factor),
    shape,
  )

async function runMetrics({ config, tensors }: ReferenceCase): Found {
  // How much is computed at once; what is added to a singular product, which is not formed here; a score that no result is of.
  withoutEffect(config, 'row_batch_size', 'col_batch_size', 'eps_fid', 'eps_realism', 'official_inception_split_size')
  const input = (name: string): NDArray => requiredTensor(tensors, `input/${name}`)
  const [real, made] = [input('ref_features'), input('sample_features')]
  const [ks, manyKs] = [numbersSetting(config, 'nhood_sizes', [3]), numbersSetting(config, 'nhood_sizes_multi', [3])]
  const percentile = optionalNumber(config, 'clamp_to_percentile')
  const [ofReal, ofMade] = [featureStatistics(real), featureStatistics(made)]
  const [spatial, few] = [featureStatistics(input('ref_spatial')), featureStatistics(input('few_spatial'))]
  const square = ({ covariance: { size, data } }: FeatureStatistics): NDArray => floats(data, [size, size])
  const softmax = ops.softmax(ops.matmul(tensor(made), tensor(input('softmax_weight'))), -1)
  const probabilities = floats(await softmax.numbers(), softmax.shape)
  const radii = (features: NDArray, counts: readonly number[]): number[][] =>
    manifoldRadii(features, counts, percentile)
  const inside = (manifold: NDArray, examples: NDArray): boolean[] =>
    manifoldMembers(manifold, radii(manifold, ks), examples).inside.map(([first]) => first === true)
  const share = (members: readonly boolean[]): number => members.filter(Boolean).length / members.length
  const [madeInReal, realInMade] = [inside(real, made), inside(made, real)]
  const evaluated = manifoldMembers(real, radii(real, manyKs), made)
  const many = {
    precision: manyKs.map((_, k) => share(evaluated.inside.map((each) => each[k] === true))),
    recall: precisionAndRecall(real, made, manyKs, percentile).recall,
  }
  const factor = numberSetting(config, 'scaled_factor', 100)
  const [largeReal, largeMade] = [scaled(real, factor), scaled(made, factor)]
  const large = precisionAndRecall(largeReal, largeMade, ks, percentile)
  const first = (lists: readonly (readonly number[])[]): NDArray => floats(lists.map(([radius]) => radius ?? 0))
  return new Map([
    ['output/ref_mu', floats(ofReal.mean)],
    ['output/ref_sigma', square(ofReal)],
    ['output/sample_mu', floats(ofMade.mean)],
    ['output/sample_sigma', square(ofMade)],
    ['output/fid', floats([frechetDistance(ofReal, ofMade)])],
    ['output/sfid', floats([frechetDistance(spatial, featureStatistics(input('sample_spatial')))])],
    ['output/sfid_few', floats([frechetDistance(spatial, few)])],
    ['output/fid_self', bytes([Math.abs(frechetDistance(ofReal, ofReal)) < 1e-4])],
    ['output/softmax', probabilities],
    ['output/inception_score', floats([inceptionScore(probabilities, numberSetting(config, 'inception_split_size'))])],
    ['output/inception_score_one_split', floats([inceptionScore(probabilities)])],
    ['output/ref_radii', first(radii(real, ks))],
    ['output/sample_radii', first(radii(made, ks))],
    ['output/sample_in_ref_manifold', bytes(madeInReal)],
    ['output/ref_in_sample_manifold', bytes(realInMade)],
    ['output/precision', floats([share(madeInReal)])],
    ['output/recall', floats([share(realInMade)])],
    ['output/precision_multi_k', floats(many.precision)],
    ['output/recall_multi_k', floats(many.recall)],
    ['output/evaluate/fraction', floats([share(evaluated.inside.flat())])],
    [
      'output/evaluate/batch_predictions',
      integers(evaluated.inside.flat().map(Number), [evaluated.inside.length, manyKs.length]),
    ],
    ['output/evaluate/nearest_indices', integers(evaluated.nearest)],
    ['output/scaled/ref_radii', first(radii(largeReal, ks))],
    ['output/scaled/precision', floats(large.precision)],
    ['output/scaled/recall', floats(large.recall)],
  ])
}

export const metricTargets: readonly CaseTargetRule[] = [{ target: /^evaluations\/evaluator\.py/, run: runMetrics }]
