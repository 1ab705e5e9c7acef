/** `tenfold/data`: data sets, loaders, augmentation, tokenizers, files of tensors, and the catalogue of `tenfold data`. */
import '../compile/program.ts'

export {
  type AugmentOptions,
  augmentPicture,
  augmentPictures,
  type CropOptions,
  cropResized,
  exampleGenerator,
  type Picture,
  randAugment,
  shiftPictures,
} from '../data/augment/index.ts'
export { cacheFolder, dataFolder, findDataSet, isFetched } from '../data/catalog/cache.ts'
export type { DataSet, PackageSource } from '../data/catalog/define.ts'
export { type FetchOptions, fetchDataSet } from '../data/catalog/fetch.ts'
export { dataSets } from '../data/catalog/sets.ts'
export * from '../data/index.ts'
export { writeFileAtomic } from '../io/atomic.ts'
export { readNpy, writeNpy } from '../io/npy.ts'
export { readNpz, writeNpz } from '../io/npz.ts'
export { decodePng, encodePng } from '../io/png.ts'
export { readSafetensorsFile, writeSafetensorsFile } from '../io/safetensors-file.ts'
export { readTensorFile } from '../io/tensor-file.ts'
export type { TensorFile } from '../io/tensor-format.ts'
export { parseWav, type Recording } from '../io/wav.ts'
