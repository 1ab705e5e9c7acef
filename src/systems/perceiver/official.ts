/**
 * DeepMind's names and layouts (Haiku) against ours, which are those of transformers' port: `perceiver_encoder/~/cross_attention/mlp/linear/w`
 * [in, out] is `encoder.cross_attention.mlp.dense1.weight` [out, in].
 */
import type { Module } from '../../nn/index.ts'
import { fromNumbers, type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { permuteArray } from '../../tensor/permute.ts'
import { FormatError } from '../../util/errors.ts'
import { suggestion } from '../../util/words.ts'
import { PerceiverIO } from './io.ts'
import { AudioPreprocessor, MultimodalPreprocessor } from './preprocess.ts'

type State = ReadonlyMap<string, NDArray>

/** Parts of a layer, and their leaves, that Haiku numbers in the order of their making. */
const layerParts = [
  ['attention.self.layernorm1', 'layer_norm'],
  ['attention.self.layernorm2', 'layer_norm_1'],
  ['attention.self.query', 'attention/linear'],
  ['attention.self.key', 'attention/linear_1'],
  ['attention.self.value', 'attention/linear_2'],
  ['attention.output.dense', 'attention/linear_3'],
  ['mlp.dense1', 'mlp/linear'],
  ['mlp.dense2', 'mlp/linear_1'],
] as const

/** Haiku's name of the i-th module of a kind: the first has no number. */
const numbered = (name: string, i: number | string): string => (Number(i) === 0 ? name : `${name}_${i}`)

/** Gets what a pattern found: the whole name, then its groups, of which one that found nothing is undefined. */
type Naming = (...groups: (string | undefined)[]) => string

/** Modules by our names; `$1`, `$2` are numbers of ours. The kind of a layer says how its last norm is called. */
const modules: readonly (readonly [ours: RegExp, official: Naming])[] = [
  [/^encoder\.cross_attention$/, () => 'perceiver_encoder/~/cross_attention'],
  [/^encoder\.self_attends\.(\d+)$/, (_, j = '0') => `perceiver_encoder/~/${numbered('self_attention', j)}`],
  [/^decoder\.decoder\.decoding_cross_attention$/, () => 'classification_decoder/~/basic_decoder/cross_attention'],
  [/^cross_attentions\.(\d+)$/, (_, t = '0') => `cross_attention_${t}`],
  [/^blocks\.(\d+)\.(\d+)$/, (_, t = '0', j = '0') => `block_${t}_self_attention_${j}`],
]

/** Other tensors: whole names, `*` stands for a modality. */
const tensors = [
  ['latents', 'latents/pos_embs'],
  ['logits.weight', 'projection_decoder/~/logits/w'],
  ['logits.bias', 'projection_decoder/~/logits/b'],
  ['embeddings.latents', 'perceiver_encoder/~/trainable_position_encoding/pos_embs'],
  ['decoder.classifier.weight', 'projection_decoder/~/logits/w'],
  ['decoder.classifier.bias', 'projection_decoder/~/logits/b'],
  [
    'decoder.decoder.output_position_encodings.position_embeddings',
    'classification_decoder/~/basic_decoder/~/trainable_position_encoding/pos_embs',
  ],
  ['decoder.decoder.final_layer.weight', 'classification_decoder/~/basic_decoder/output/w'],
  ['decoder.decoder.final_layer.bias', 'classification_decoder/~/basic_decoder/output/b'],
] as const

/** Tensors of a preprocessor below its own name. */
const preprocessing: readonly (readonly [ours: RegExp, official: Naming])[] = [
  [/^position_embeddings\.position_embeddings$/, () => '~_build_network_inputs/trainable_position_encoding/pos_embs'],
  [
    /^positions_projection\.(.+)$/,
    (_, leaf = '') => `~_build_network_inputs/position_encoding_projector/linear/${leafName(leaf)}`,
  ],
  [
    /^extra_pos_mlp\.(\d+)\.(.+)$/,
    (_, i = '0', leaf = '') => `~_build_network_inputs/${numbered('linear', i)}/${leafName(leaf)}`,
  ],
  [/^convnet_1x1\.(.+)$/, (_, leaf = '') => `~/conv2_d/${leafName(leaf)}`],
  [
    /^convnet\.(?:further\.(\d+)\.)?conv\.(.+)$/,
    (_, i, leaf = '') => `~/conv2_d_downsample/~/${numbered('conv', place(i))}/${leafName(leaf)}`,
  ],
  [
    /^convnet\.(?:further\.(\d+)\.)?batchnorm\.(.+)$/,
    (_, i, leaf = '') => `~/conv2_d_downsample/~/${numbered('batchnorm', place(i))}/${normLeaves[leaf] ?? leaf}`,
  ],
  [/^conv_after_patches\.(.+)$/, (_, leaf = '') => `patches_linear/${leafName(leaf)}`],
]

/** Which convolution of all it is: `i` counts those after the first. */
const place = (i: string | undefined): number => (i === undefined ? 0 : Number(i) + 1)

/** Leaves of a batch norm. Both averages of the official one count their batches. */
const normLeaves: Readonly<Record<string, string>> = {
  weight: 'scale',
  bias: 'offset',
  running_mean: '~/mean_ema/average',
  running_var: '~/var_ema/average',
  num_batches_tracked: '~/mean_ema/counter',
}

const leafName = (leaf: string): string => (leaf === 'weight' ? 'w' : 'b')

function firstMatch(rules: readonly (readonly [RegExp, Naming])[], name: string): string | undefined {
  for (const [pattern, official] of rules) {
    const match = pattern.exec(name)
    if (match) return official(...match)
  }
  return undefined
}

/** The tensor of a layer: `encoder.cross_attention.layernorm.weight`. */
function layerTensor(name: string): string | undefined {
  for (const [pattern, official] of modules) {
    for (const [part, officialPart] of [...layerParts, ['layernorm', ''] as const]) {
      for (const leaf of ['weight', 'bias'] as const) {
        const end = `.${part}.${leaf}`
        if (!name.endsWith(end)) continue
        const match = pattern.exec(name.slice(0, -end.length))
        if (!match) continue
        const path = official(...match)
        // The norm before the MLP is the second one of a self attention and the third of a cross attention.
        const own = officialPart || (path.includes('self_attention') ? 'layer_norm_1' : 'layer_norm_2')
        const isNorm = own.startsWith('layer_norm')
        return `${path}/${own}/${isNorm ? (leaf === 'weight' ? 'scale' : 'offset') : leafName(leaf)}`
      }
    }
  }
  return undefined
}

/** Haiku's names of preprocessors by modality, as `haikuPreprocessors` gives them; of one alone under ''. */
type PreprocessorNames = ReadonlyMap<string, string>

/** Haiku's module of the preprocessor of images, sound or several modalities. */
function preprocessorTensor(name: string, preprocessors: PreprocessorNames): string | undefined {
  const [, modality = '', kind, rest = ''] =
    /^input_preprocessor\.(?:modalities\.([^.]+)\.)?(?:(padding|mask)\.)?(.+)$/.exec(name) ?? []
  if (kind === 'padding') return `multimodal_preprocessor/${rest}_padding/pos_embs`
  if (kind === 'mask') return `multimodal_preprocessor/${rest}_mask_token/pos_embs`
  const own = firstMatch(preprocessing, rest)
  return own === undefined ? undefined : `${preprocessors.get(modality) ?? 'image_preprocessor'}/${own}`
}

/** Haiku names a module by its class, and numbers those of one class in the order in which they are made. */
function haikuPreprocessors(model: Module): PreprocessorNames {
  const given = model instanceof PerceiverIO ? model.input_preprocessor : undefined
  const kinds = given instanceof MultimodalPreprocessor ? given.kinds : [['', kindOf(given)] as const]
  const counts = new Map<string, number>()
  return new Map(
    kinds.map(([modality, kind]) => {
      const count = counts.get(kind) ?? 0
      counts.set(kind, count + 1)
      return [modality, numbered(`${kind.replace('-', '_')}_preprocessor`, count)] as const
    }),
  )
}

const kindOf = (preprocessor: Module | undefined) => (preprocessor instanceof AudioPreprocessor ? 'audio' : 'image')

/** DeepMind's name of one of our tensors, without `preprocessors` of a model for pictures; undefined where it has no such tensor. */
export function toHaikuName(name: string, preprocessors: PreprocessorNames = new Map()): string | undefined {
  return tensors.find(([ours]) => ours === name)?.[1] ?? layerTensor(name) ?? preprocessorTensor(name, preprocessors)
}

/** Numbers of a batch norm, [1, 1, 1, C] in Haiku and [C] here. */
const ofBatchNorm = /\/batchnorm(_\d+)?\/(scale|offset|~\/(mean|var)_ema\/average)$/

function toOurLayout(array: NDArray, official: string): NDArray {
  if (ofBatchNorm.test(official)) return { ...array, shape: [array.data.length] }
  if (official.endsWith('/counter'))
    return { dtype: 'int64', shape: [], data: fromNumbers('int64', toNumbers(array.data)) }
  if (!official.endsWith('/w')) return array
  return array.shape.length === 4 ? permuteArray(array, [3, 2, 0, 1]) : permuteArray(array, [1, 0])
}

function toHaikuLayout(array: NDArray, official: string): NDArray {
  if (ofBatchNorm.test(official)) return { ...array, shape: [1, 1, 1, array.data.length] }
  if (!official.endsWith('/w')) return array
  return array.shape.length === 4 ? permuteArray(array, [2, 3, 1, 0]) : permuteArray(array, [1, 0])
}

/** Tensors of a model under our names (parameters, or their gradients) under DeepMind's, in its layout. */
export function toHaiku(model: Module, state: State): Map<string, NDArray> {
  const preprocessors = haikuPreprocessors(model)
  return new Map(
    [...state].map(([name, array]) => {
      const official = toHaikuName(name, preprocessors)
      if (official === undefined) throw new FormatError(`Perceiver: "${name}" is no parameter of the official model`)
      return [official, toHaikuLayout(array, official)] as const
    }),
  )
}

/** What only Haiku keeps of an average: its sum, and the variance's count of batches, which is the mean's. */
const haikuOnly = /\/(hidden|var_ema\/counter)$/

/**
 * DeepMind's tensors under the names of a model, in our layout. A checkpoint need not say how many batches an average has seen: the
 * model's own count stands in.
 */
export function fromHaiku(model: Module, state: State): Map<string, NDArray> {
  const preprocessors = haikuPreprocessors(model)
  const own = model.stateDict()
  const ours = new Map([...own.keys()].map((name) => [toHaikuName(name, preprocessors) ?? name, name] as const))
  const counters = [...own].filter(([name]) => name.endsWith('num_batches_tracked'))
  const known = [...state].filter(([name]) => !haikuOnly.test(name))
  return new Map([
    ...counters,
    ...known.map(([official, array]) => {
      const name = ours.get(official)
      if (name === undefined) {
        throw new FormatError(`Perceiver checkpoint: unknown tensor "${official}"`, {
          hint: suggestion(official, [...ours.keys()]),
        })
      }
      return [name, toOurLayout(array, official)] as const
    }),
  ])
}

/** Whether names are Haiku's. */
function isHaiku(names: Iterable<string>): boolean {
  return [...names].some((name) => name.includes('/'))
}

/**
 * Loads a checkpoint of DeepMind's code, of transformers (with or without "perceiver." in front), of perceiver-pytorch or of ours
 * into a model. Names must agree; the error names those that do not.
 */
export function loadOfficial(model: Module, state: State): void {
  if (isHaiku(state.keys())) {
    model.loadStateDict(fromHaiku(model, state))
    return
  }
  model.loadStateDict(new Map([...state].map(([name, array]) => [name.replace(/^perceiver\./, ''), array])))
}
