/** Language models that write: decoding with a cache, and how tokens are chosen. */
export type { BeamOptions } from './beam-search.ts'
export {
  type CausalLanguageModel,
  Decoder,
  type DecoderForward,
  type DecoderInputs,
  type DecoderOptions,
  type Decoding,
  type TokenIds,
  type TokenReader,
  type TokenReading,
} from './decoder.ts'
export * from './generate.ts'
export * from './logits.ts'
export type { GenerationOptions } from './options.ts'
