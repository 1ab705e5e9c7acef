/** Names and layouts of the official checkpoints (flax) and of transformers' FNet and BERT, against ours, which are its FNet's. */
import { type NameRule, NameTable } from '../../io/name-table.ts'
import type { Module } from '../../nn/index.ts'
import { elementCount, type NDArray } from '../../tensor/dtype.ts'
import { permuteArray } from '../../tensor/permute.ts'
import { formatShape, sameArrays, sizeOf } from '../../tensor/shape.ts'
import { FormatError } from '../../util/errors.ts'

type State = ReadonlyMap<string, NDArray>
type Entries = Iterable<readonly [string, NDArray]>

/** How flax lays a tensor out: as we do, a kernel [in, out], an attention layer's [in, heads, width] and so on. */
type Layout = 'same' | 'kernel' | 'positions' | 'toHeads' | 'fromHeads' | 'headBias'

/** `*` stands for the layer. */
interface Rule extends NameRule {
  readonly layout: Layout
}

const rule = (official: string, ours: string, layout: Layout = 'same'): Rule => ({ official, ours, layout })
const denseRules = (flax: string, ours: string): Rule[] => [
  rule(`${flax}/kernel`, `${ours}.weight`, 'kernel'),
  rule(`${flax}/bias`, `${ours}.bias`),
]
const normRules = (flax: string, ours: string): Rule[] => [
  rule(`${flax}/scale`, `${ours}.weight`),
  rule(`${flax}/bias`, `${ours}.bias`),
]
const layer = 'encoder.layer.*'

/** Of the encoder, without the `encoder/` and `fnet.` that stand before it in a model with a head. */
const encoderRules: readonly Rule[] = [
  rule('embedder/word/embedding', 'embeddings.word_embeddings.weight'),
  rule('embedder/position/embedding', 'embeddings.position_embeddings.weight', 'positions'),
  rule('embedder/type/embedding', 'embeddings.token_type_embeddings.weight'),
  ...normRules('embedder/layer_norm', 'embeddings.LayerNorm'),
  ...denseRules('embedder/hidden_mapping_in', 'embeddings.projection'),
  ...normRules('encoder_*/mixing_layer_norm', `${layer}.fourier.output.LayerNorm`),
  ...normRules('encoder_*/output_layer_norm', `${layer}.output.LayerNorm`),
  ...denseRules('feed_forward_*/intermediate', `${layer}.intermediate.dense`),
  ...denseRules('feed_forward_*/output', `${layer}.output.dense`),
  ...['query', 'key', 'value'].flatMap((name) => [
    rule(`self_attention_*/${name}/kernel`, `${layer}.fourier.self.${name}.weight`, 'toHeads'),
    rule(`self_attention_*/${name}/bias`, `${layer}.fourier.self.${name}.bias`, 'headBias'),
  ]),
  rule('self_attention_*/out/kernel', `${layer}.fourier.self.dense.weight`, 'fromHeads'),
  rule('self_attention_*/out/bias', `${layer}.fourier.self.dense.bias`),
  ...['hidden_kernel', 'seq_kernel'].flatMap((name) =>
    ['linear', 'random'].map((kind) => rule(`${kind}_transform_*/${name}`, `${layer}.fourier.self.${name}`)),
  ),
  ...denseRules('pooler', 'pooler.dense'),
]

const headRules: readonly Rule[] = [
  ...denseRules('predictions_dense', 'cls.predictions.transform.dense'),
  ...normRules('predictions_layer_norm', 'cls.predictions.transform.LayerNorm'),
  rule('predictions_output/output_bias', 'cls.predictions.bias'),
]

// The same two names are the head for the next sentence in pre-training and the classifier in fine-tuning.
const orderRules = [
  rule('classification/output_kernel', 'cls.seq_relationship.weight'),
  rule('classification/output_bias', 'cls.seq_relationship.bias'),
]
const classifierRules = [
  rule('classification/output_kernel', 'classifier.weight'),
  rule('classification/output_bias', 'classifier.bias'),
]
const withPrefix: readonly Rule[] = encoderRules.map(({ official, ours, layout }) =>
  rule(`encoder/${official}`, `fnet.${ours}`, layout),
)

function reshaped(array: NDArray, shape: readonly number[]): NDArray {
  return { ...array, shape }
}

/** Axes of the tensors whose layout depends on them. */
const ranks: Partial<Record<Layout, number>> = { kernel: 2, toHeads: 3, fromHeads: 3 }

function checkRank(name: string, shape: readonly number[], layout: Layout): void {
  const rank = ranks[layout]
  if (rank === undefined || shape.length === rank) return
  throw new FormatError(`"${name}" must have ${rank} axes, found shape ${formatShape(shape)}`)
}

function fromLayout(array: NDArray, layout: Layout): NDArray {
  const { shape } = array
  switch (layout) {
    case 'kernel':
      return permuteArray(array, [1, 0])
    case 'positions':
      return reshaped(array, shape.slice(-2))
    case 'toHeads':
      return permuteArray(reshaped(array, [sizeOf(shape, 0), sizeOf(shape, 1) * sizeOf(shape, 2)]), [1, 0])
    case 'fromHeads':
      return permuteArray(reshaped(array, [sizeOf(shape, 0) * sizeOf(shape, 1), sizeOf(shape, 2)]), [1, 0])
    case 'headBias':
      return reshaped(array, [elementCount(shape)])
    case 'same':
      return array
  }
}

function toLayout(array: NDArray, layout: Layout, heads: number): NDArray {
  const size = (axis: number): number => sizeOf(array.shape, axis)
  switch (layout) {
    case 'kernel':
      return permuteArray(array, [1, 0])
    case 'positions':
      return reshaped(array, [1, size(0), size(1)])
    case 'toHeads':
      return reshaped(permuteArray(array, [1, 0]), [size(1), heads, size(0) / heads])
    case 'fromHeads':
      return reshaped(permuteArray(array, [1, 0]), [heads, size(1) / heads, size(0)])
    case 'headBias':
      return reshaped(array, [heads, size(0) / heads])
    case 'same':
      return array
  }
}

/** A flax checkpoint of the encoder, or of a model with a head, under our names, in our layout. */
export function fromFlax(tensors: State): Map<string, NDArray> {
  const names = [...tensors.keys()]
  const whole = names.some((name) => name.startsWith('encoder/'))
  const heads = names.some((name) => name.startsWith('predictions_')) ? orderRules : classifierRules
  const table = new NameTable('FNet', whole ? [...withPrefix, ...headRules, ...heads] : encoderRules)
  return new Map(
    [...tensors].map(([official, array]) => {
      const { name, rule } = table.toOurs(official)
      checkRank(official, array.shape, rule.layout)
      return [name, fromLayout(array, rule.layout)] as const
    }),
  )
}

const everyRule = new NameTable('FNet', [
  ...encoderRules,
  ...withPrefix,
  ...headRules,
  ...orderRules,
  ...classifierRules,
])

/** Tensors under our names (parameters or their gradients) under flax's, in its layout; `heads` are those of attention. */
export function toFlax(
  tensors: Entries,
  options: { readonly heads: number; readonly random?: boolean },
): Map<string, NDArray> {
  return new Map(
    [...tensors].map(([ours, array]) => {
      const { name, rule } = everyRule.toOfficial(ours)
      return [
        options.random ? name.replace('linear_transform', 'random_transform') : name,
        toLayout(array, rule.layout, options.heads),
      ] as const
    }),
  )
}

/** Constant tables and the lone ids of positions, which transformers stores with the parameters. */
const derived = /(^|\.)(position_ids|dft_mat_(hidden|seq))$/

/** The last layer, which is stored too where it is the word embeddings and a bias. */
const decoder = /(^|\.)cls\.predictions\.decoder\.(weight|bias)$/

const bertNames: readonly (readonly [bert: string, ours: string])[] = [
  ['bert.', 'fnet.'],
  ['.attention.self.', '.fourier.self.'],
  ['.attention.output.dense.', '.fourier.self.dense.'],
  ['.attention.output.LayerNorm.', '.fourier.output.LayerNorm.'],
]

/** Tensors that duplicate others must agree with them: the model here has them once. */
function checkDerived(tensors: State, isTied: boolean): void {
  const endingWith = (end: string): NDArray | undefined => [...tensors].find(([name]) => name.endsWith(end))?.[1]
  for (const [name, array] of tensors) {
    const source = name.endsWith('cls.predictions.decoder.weight')
      ? 'embeddings.word_embeddings.weight'
      : name.endsWith('cls.predictions.decoder.bias') && 'cls.predictions.bias'
    const tied = source && isTied ? endingWith(source) : undefined
    if (tied && !sameArrays(tied, array)) {
      throw new FormatError(`FNet checkpoint: "${name}" must be the same numbers as "${source}": they are tied`, {
        hint: 'a model whose output matrix is not its word embedding is not offered',
      })
    }
    if (/(^|\.)position_ids$/.test(name) && array.data.some((value, i) => Number(value) !== i)) {
      throw new FormatError(`FNet checkpoint: "${name}" must count 0, 1, 2, ...`, {
        hint: 'positions in another order are an input of the model, not part of it',
      })
    }
  }
}

/**
 * A state dict of transformers' FNet or BERT under our names, without tensors that duplicate others. Throws a FormatError
 * where these do not agree. `isTied`: whether the last matrix of the model is that of the word embeddings.
 */
export function fromTransformers(tensors: State, isTied = true): Map<string, NDArray> {
  checkDerived(tensors, isTied)
  return new Map(
    [...tensors]
      .filter(([name]) => !derived.test(name) && !(isTied && decoder.test(name)))
      .map(([name, array]) => [
        bertNames.reduce((text, [bert, ours]) => (text.includes(bert) ? text.replace(bert, ours) : text), name),
        array,
      ]),
  )
}

/** Our name of a BERT's parameter as transformers has it. */
export function toBertName(name: string): string {
  return name
    .replace('.fourier.self.dense.', '.attention.output.dense.')
    .replace('.fourier.output.LayerNorm.', '.attention.output.LayerNorm.')
    .replace('.fourier.self.', '.attention.self.')
    .replace(/^fnet\./, 'bert.')
}

/** A checkpoint under any of the three naming schemes, ours included, under our names. */
export function fromOfficial(tensors: State, isTied = true): Map<string, NDArray> {
  const isFlax = [...tensors.keys()].some((name) => name.includes('/'))
  return isFlax ? fromFlax(tensors) : fromTransformers(tensors, isTied)
}

/**
 * Loads a checkpoint of the official code, of transformers or of ours into a model. What the checkpoint lacks and the model makes
 * from its seed, the matrices of `random`, stays; so does what `optional` names. Everything else must agree.
 */
export function loadOfficial(model: Module, tensors: State, optional: RegExp = /^$/): void {
  const parameters = new Set([...model.namedParameters()].map(([name]) => name))
  const state = fromOfficial(tensors, ![...parameters].some((name) => decoder.test(name)))
  for (const [name, array] of model.stateDict()) {
    if (!state.has(name) && (!parameters.has(name) || optional.test(name))) state.set(name, array)
  }
  model.loadStateDict(state)
}
