// What is used of a package whose own declarations do not resolve under Node's module rules (imports without extensions).
declare module '@huggingface/tokenizers' {
  /** Cuts words into tokens, unknown neighbours in a word being one token if the settings ask for it. */
  interface Model {
    (words: string[]): (string | undefined)[]
    readonly tokens_to_ids: ReadonlyMap<string | undefined, number>
    readonly unk_token_id: number | null | undefined
  }
  /** Throws a raw error for settings that are wrong. */
  type ModelClass = new (settings: object) => Model

  export const BPE: ModelClass
  export const Unigram: ModelClass
  export const WordPiece: ModelClass
  export const ReplaceNormalizer: new (settings: object) => { readonly pattern: RegExp | null }
  export type { ModelClass }
}
