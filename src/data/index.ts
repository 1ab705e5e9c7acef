export { type KeptBoxesOptions, keptBoxes } from './boxes.ts'
export {
  arrayDataset,
  type Batch,
  type BatchContext,
  type BatchTensors,
  concatDatasets,
  type Dataset,
  type Field,
  type Fields,
  mapDataset,
  splitDataset,
  subset,
  withLabelsOf,
} from './dataset.ts'
export { type CacheOptions, cacheDataset, filterDataset, labelsOf } from './derive.ts'
export type { Layout, PictureFields } from './layout.ts'
export { type BatchSource, DataLoader, type LoaderOptions, type LoaderState, type SourceState } from './loader.ts'
export { decodeAudio, readAudio } from './sources/audio.ts'
export { cifar10Classes, loadCifar, loadCifarSheets, parseCifar } from './sources/cifar.ts'
export {
  type CorpusName,
  corpusNames,
  corpusVersions,
  type Document,
  labelledCorpora,
  readCorpora,
} from './sources/corpora.ts'
export { type ColumnType, type CsvOptions, type CsvTable, parseCsv, readCsv } from './sources/csv.ts'
export {
  type EmojiDataset,
  type EmojiOptions,
  type EmojiSource,
  emojiCategories,
  findEmoji,
  loadEmoji,
} from './sources/emoji.ts'
export { parseIdx, readIdx } from './sources/idx.ts'
export { decodeImage, type ImageOptions } from './sources/image.ts'
export { type ImageFolder, type ImageFolderOptions, imageFolder, pictureDataset } from './sources/image-folder.ts'
export {
  type CheckedKind,
  type LabelledFiles,
  type LabelledFilesOptions,
  openLabelledFiles,
} from './sources/labelled-files.ts'
export { openLabelledPictures } from './sources/labelled-pictures.ts'
export {
  type LabelledText,
  type LabelledTexts,
  openLabelledTexts,
  readLabelledRows,
} from './sources/labelled-texts.ts'
export { loadMnist } from './sources/mnist.ts'
export { type PictureSet, type PictureSetName, pictureSets, resizePictures } from './sources/picture-sets.ts'
export { readText } from './sources/text.ts'
export { openTexts, readTextFolder, readTexts, type TextFolderOptions } from './sources/text-files.ts'
export { readTokenizer } from './sources/tokenizer.ts'
export { trainByteLevel } from './text/byte-level.ts'
export { type SentencePieceModel, sentencePieceTokenizer } from './text/sentencepiece.ts'
export { readSentencePiece } from './text/sentencepiece-file.ts'
export { sentencesOf } from './text/sentences.ts'
export { type SpecialIds, specialTokens } from './text/special-tokens.ts'
export { TextTokenizer, type TokenizerFile } from './text/tokenizer.ts'
export type { TokenizerKind } from './text/tokenizer-file.ts'
export { type TrainTokenizerOptions, trainTokenizer } from './text/train-tokenizer.ts'
export { tokenWindows, type WindowOptions } from './text/windows.ts'
