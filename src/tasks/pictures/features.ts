/** What a classifier makes of pictures before its head. */
import { compile } from '../../compile/compile.ts'
import type { Dataset } from '../../data/dataset.ts'
import type { PictureFields } from '../../data/layout.ts'
import { DataLoader } from '../../data/loader.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { appendAll } from '../../util/lists.ts'
import type { ThreadOptions } from '../experiment.ts'
import { type ClassifierModel, evaluationBatchSize, normalizePixels } from './classifier.ts'
import type { PictureClassifier } from './predict.ts'

/** A classifier with features before its head: pixels [N, C, H, W] in [-1, 1] -> [N, width]. */
export interface FeatureModel extends ClassifierModel {
  features(images: Tensor): Tensor
}

/** A classifier with features. */
export interface FeatureClassifier extends PictureClassifier {
  readonly model: FeatureModel
  readonly threads?: number
}

/** Frozen features of a data set and its labels. */
export interface LabelledFeatures {
  /** float32 [examples, width] */
  readonly features: NDArray
  readonly labels: readonly number[]
}

/** A function that runs a model over a data set. */
export function featureExtractor(
  model: FeatureModel,
  options: ThreadOptions,
): (data: Dataset<PictureFields>) => Promise<LabelledFeatures> {
  const run = compile((image: Tensor) => model.features(normalizePixels(image)), options)
  return async (data) => {
    model.eval()
    const rows: Float32Array[] = []
    const labels: number[] = []
    for await (const { image, label } of new DataLoader(data, { batchSize: evaluationBatchSize(data) })) {
      rows.push((await run(image)).array.data as Float32Array)
      appendAll(labels, toNumbers(label.data))
    }
    const width = (rows[0]?.length ?? 0) / Math.max(1, Math.min(labels.length, evaluationBatchSize(data)))
    const features = new Float32Array(data.length * width)
    let filled = 0
    for (const row of rows) {
      features.set(row, filled)
      filled += row.length
    }
    return { features: { dtype: 'float32', shape: [data.length, width], data: features }, labels }
  }
}
