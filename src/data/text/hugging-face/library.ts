/** What is used of `@huggingface/tokenizers`, whose own declarations do not resolve under Node's module rules (imports without extensions). */
import * as huggingFace from '@huggingface/tokenizers'

/** A model: cuts words into tokens, unknown neighbours in a word being one token if the model asks for it. */
export interface LibraryModel {
  (words: string[]): (string | undefined)[]
  readonly tokens_to_ids: ReadonlyMap<string | undefined, number>
  readonly unk_token_id: number | null | undefined
}

/** Throws a raw error for settings that are wrong. */
export type LibraryModelClass = new (settings: object) => LibraryModel

interface Library {
  readonly BPE: LibraryModelClass
  readonly Unigram: LibraryModelClass
  readonly WordPiece: LibraryModelClass
  readonly ReplaceNormalizer: new (settings: object) => { readonly pattern: RegExp | null }
}

// Name by name, so that a bundle leaves out what is not used.
export const LibraryBPE = (huggingFace as unknown as Library).BPE
export const LibraryUnigram = (huggingFace as unknown as Library).Unigram
export const LibraryWordPiece = (huggingFace as unknown as Library).WordPiece
export const LibraryReplace = (huggingFace as unknown as Library).ReplaceNormalizer
