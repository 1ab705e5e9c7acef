/** `tenfold/tasks`: what recipes are made of, for a system of one's own: data and their settings, the training step, evaluation, uses. */
import '../compile/program.ts'

export * from '../tasks/define.ts'
export {
  type Box,
  type CocoMetrics,
  cocoMetrics,
  type FoundObject,
  type Judged,
  type TrueObject,
} from '../tasks/detection/average-precision.ts'
export { type ClassScores, classScores, evaluateClasses } from '../tasks/evaluate-classes.ts'
export * from '../tasks/experiment.ts'
export * from '../tasks/pictures/choose.ts'
export * from '../tasks/pictures/classifier.ts'
export * from '../tasks/pictures/experiment.ts'
export * from '../tasks/pictures/facts.ts'
export { mistakesSection } from '../tasks/pictures/figures.ts'
export { type OpenedPictures, openFolder, openPictureSet } from '../tasks/pictures/open.ts'
export { exportClassifier, type PictureClassifier, predictPictures } from '../tasks/pictures/predict.ts'
export * from '../tasks/pictures/settings.ts'
export * from '../tasks/sequences/classifier.ts'
export { type ClassificationFacts, classificationFacts, codecOf, type SequenceCodec } from '../tasks/sequences/codec.ts'
export { type LabelledSequence, labelledDataset, type SequenceFields } from '../tasks/sequences/dataset.ts'
export * from '../tasks/sequences/open.ts'
export * from '../tasks/settings.ts'
export * from '../tasks/training.ts'
export { onErrorSetting } from '../train/data-settings.ts'
export { count, pathSetting, type Settings, share, whole } from '../train/settings.ts'
