/** Reference cases of the networks: perceiver-pytorch's, the paper's, DeepMind's and transformers'. */
import { fourierFeatures, gridPositions } from '../../../models/positions.ts'
import type { Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { type Tensor, tensor } from '../../../tensor/tensor.ts'
import { FormatError } from '../../../util/errors.ts'
import {
  type ComputedCase,
  inputNamed,
  type NamedTensors,
  numberedTensors,
  runModelCase,
} from '../../../verify/model-case.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  choiceSetting,
  dropoutSetting,
  nestedSettings,
  numberSetting,
  type ReferenceCase,
  requiredTensor,
  type Settings,
  tensorsBelow,
} from '../../../verify/target.ts'
import {
  ClassificationDecoder,
  PerceiverIO,
  type PerceiverIOOutputs,
  ProjectionDecoder,
  TextPreprocessor,
} from '../io.ts'
import { LucidPerceiver } from '../lucid.ts'
import { Perceiver } from '../model.ts'
import { loadOfficial, toHaiku } from '../official.ts'
import { type MultimodalConfig, MultimodalPreprocessor, preprocessorOf } from '../preprocess.ts'
import {
  deepmindDecoder,
  deepmindEncoder,
  type Origin,
  preprocessorConfig,
  transformersDecoder,
  transformersEncoder,
  typeOf,
} from './configuration.ts'

type Found = Promise<Map<string, NDArray>>

const isTrue = (mask: Tensor | undefined): Tensor | undefined => mask && ops.notEqual(mask, 0)

/** The inputs of a case as constants: shapes from which a model is built. */
function shapeOf(reference: ReferenceCase, name: string): Tensor {
  return ops.zeros(requiredTensor(reference.tensors, `input/${name}`).shape)
}

async function runLucid(reference: ReferenceCase): Found {
  const { config } = reference
  const inverted = config.inverted_cross_attn ?? false
  const model = new LucidPerceiver({
    num_freq_bands: numberSetting(config, 'num_freq_bands'),
    depth: numberSetting(config, 'depth'),
    max_freq: numberSetting(config, 'max_freq'),
    input_channels: numberSetting(config, 'input_channels', 3),
    input_axis: numberSetting(config, 'input_axis', 2),
    num_latents: numberSetting(config, 'num_latents', 512),
    latent_dim: numberSetting(config, 'latent_dim', 512),
    cross_heads: numberSetting(config, 'cross_heads', 1),
    latent_heads: numberSetting(config, 'latent_heads', 8),
    cross_dim_head: numberSetting(config, 'cross_dim_head', 64),
    latent_dim_head: numberSetting(config, 'latent_dim_head', 64),
    num_classes: numberSetting(config, 'num_classes', 1000),
    attn_dropout: dropoutSetting(reference, 'attn_dropout'),
    ff_dropout: dropoutSetting(reference, 'ff_dropout'),
    weight_tie_layers: booleanSetting(config, 'weight_tie_layers', false),
    fourier_encode_data: booleanSetting(config, 'fourier_encode_data', true),
    self_per_cross_attn: numberSetting(config, 'self_per_cross_attn', 1),
    final_classifier_head: booleanSetting(config, 'final_classifier_head', true),
    inverted_cross_attn: Array.isArray(inverted) ? inverted.map(Boolean) : Boolean(inverted),
  })
  model.loadStateDict(tensorsBelow(reference, 'param/'))
  return runModelCase(reference, model, (inputs) => {
    const { embeddings, attentions, logits } = model.outputs(inputNamed(inputs, 'data'), isTrue(inputs.mask))
    const maps = attentions.flatMap(({ cross, self }, i) => [
      [`attention.layer${i}.cross`, cross.weights] as const,
      ...self.map(({ weights }, j) => [`attention.layer${i}.self${j}`, weights] as const),
    ])
    return {
      outputs: { logits, embeddings, latents: embeddings, ...Object.fromEntries(maps) },
      weighted: [[logits, inputs.cotangent]],
    }
  })
}

async function runPaper(reference: ReferenceCase): Found {
  const { config } = reference
  const inputs = requiredTensor(reference.tensors, 'input/inputs')
  const model = new Perceiver({
    input_channels: inputs.shape.at(-1) ?? 0,
    num_latents: numberSetting(config, 'num_latents'),
    num_latent_channels: numberSetting(config, 'num_latent_channels'),
    num_cross_attends: numberSetting(config, 'num_cross_attends'),
    num_blocks: numberSetting(config, 'num_blocks'),
    num_self_attends_per_block: numberSetting(config, 'num_self_attends_per_block'),
    num_cross_attend_heads: numberSetting(config, 'num_cross_attend_heads', 1),
    num_self_attend_heads: numberSetting(config, 'num_self_attend_heads', 8),
    share_weights: booleanSetting(config, 'share_weights'),
    arrangement: choiceSetting(config, 'arrangement', ['interleaved', 'at_start'], 'interleaved'),
    num_classes: numberSetting(config, 'num_classes'),
  })
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  const compute = (given: NamedTensors): ComputedCase => {
    const mask = isTrue(given.input_mask ?? given.mask)
    const { attentions, latents, logits } = model.outputs(inputNamed(given, 'inputs'), mask)
    const weights = attentions.map((maps) => maps.weights)
    return {
      outputs: { logits, latents, ...numberedTensors('attention', weights) },
      weighted: [[logits, given.cotangent]],
    }
  }
  return runModelCase(reference, model, compute, (state) => toHaiku(model, state))
}

/** Channels first, as our preprocessors want them: pictures, then videos. */
function channelsFirst(x: Tensor): Tensor {
  if (x.rank === 4) return ops.permute(x, [0, 3, 1, 2])
  return x.rank === 5 ? ops.permute(x, [0, 1, 4, 2, 3]) : x
}

/** Every map, and what follows from it, in the form in which the case has it. */
function outputsOf(
  origin: Origin,
  { logits, latents, attentions, decoderAttention }: PerceiverIOOutputs,
): NamedTensors {
  const decoding = decoderAttention ? [decoderAttention.weights] : []
  const all = attentions.map(({ weights }) => weights)
  if (origin === 'deepmind') return { logits, latents, ...numberedTensors('attention', [...all, ...decoding]) }
  const [cross, self] = ['cross', 'self'].map((kind) =>
    attentions.filter((maps) => maps.kind === kind).map(({ weights }) => weights),
  ) as [Tensor[], Tensor[]]
  return {
    logits,
    last_hidden_state: latents,
    ...numberedTensors('cross_attentions', [...cross, ...decoding]),
    ...numberedTensors('attentions', self),
  }
}

const maskOf = (inputs: NamedTensors): Tensor | undefined => isTrue(inputs.input_mask ?? inputs.attention_mask)

/** Names in the state dict of transformers' classes for a task begin with "perceiver.". */
function prefixed(reference: ReferenceCase) {
  const isWrapped = [...reference.tensors.keys()].some((name) => name.startsWith('param/perceiver.'))
  return (state: Map<string, NDArray>): Map<string, NDArray> =>
    isWrapped ? new Map([...state].map(([name, array]) => [`perceiver.${name}`, array])) : state
}

/** Runs a model whose preprocessor makes the rows with `rowsOf`. */
function runIO<P extends Module>(
  reference: ReferenceCase,
  origin: Origin,
  model: PerceiverIO<P>,
  rowsOf: (inputs: NamedTensors) => Tensor,
): Found {
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  const compute = (inputs: NamedTensors): ComputedCase => {
    const rows = rowsOf(inputs)
    const computed = model.forward(rows, maskOf(inputs))
    return {
      outputs: { ...outputsOf(origin, computed), packed_inputs: rows },
      weighted: [[computed.logits, inputs.cotangent]],
    }
  }
  const names = origin === 'deepmind' ? (state: Map<string, NDArray>) => toHaiku(model, state) : prefixed(reference)
  return runModelCase(reference, model, compute, names)
}

async function runDeepMind(reference: ReferenceCase): Found {
  const { config } = reference
  const name = reference.tensors.has('input/video') ? 'video' : 'images'
  const preprocessor = preprocessorOf(
    preprocessorConfig(nestedSettings(config, 'input_preprocessor', {}), shapeOf(reference, name), 'deepmind'),
  )
  const encoder = deepmindEncoder(nestedSettings(config, 'encoder', {}), preprocessor.outputChannels)
  const model = new PerceiverIO(
    encoder,
    preprocessor,
    deepmindDecoderOf(nestedSettings(config, 'decoder', {}), encoder.num_z_channels),
  )
  return runIO(reference, 'deepmind', model, (inputs) => preprocessor.forward(channelsFirst(inputNamed(inputs, name))))
}

function deepmindDecoderOf(settings: Settings, latentChannels: number): ClassificationDecoder | ProjectionDecoder {
  return typeOf(settings) === 'ProjectionDecoder'
    ? new ProjectionDecoder(latentChannels, numberSetting(settings, 'num_classes'))
    : new ClassificationDecoder(deepmindDecoder(settings, latentChannels))
}

/** Both codes' multimodal preprocessor: a name stands for the one-hot one. */
function multimodal(reference: ReferenceCase, settings: Settings, origin: Origin): MultimodalPreprocessor {
  const modalities = nestedSettings(settings, 'modalities', {})
  const prefix = origin === 'transformers' ? 'inputs.' : ''
  const entries = Object.keys(modalities).map((name) => {
    const input = shapeOf(reference, `${prefix}${name}`)
    const setting = modalities[name]
    const label = typeof setting === 'string' ? setting : (setting as Settings).type
    if (typeof label === 'string' && label.includes('OneHot'))
      return [name, { kind: 'one-hot', classes: input.shape.at(-1) ?? 0 }] as const
    return [name, preprocessorConfig(setting as Settings, input, origin)] as const
  })
  const probabilities = nestedSettings(settings, 'mask_probs', {})
  const config: MultimodalConfig = {
    modalities: Object.fromEntries(entries),
    mask_probs: Object.fromEntries(
      Object.keys(probabilities).map((name) => [name, numberSetting(probabilities, name)]),
    ),
    min_padding_size: numberSetting(settings, 'min_padding_size', 2),
  }
  return new MultimodalPreprocessor(config)
}

/** Rows of all modalities, with the masks of the case. */
function multimodalRows(preprocessor: MultimodalPreprocessor, inputs: NamedTensors, origin: Origin): Tensor {
  const names = Object.keys(preprocessor.modalities)
  const prefix = origin === 'transformers' ? 'inputs.' : ''
  const data = names.map((name) => {
    const input = inputNamed(inputs, `${prefix}${name}`)
    const isSound = input.rank === 3
    return [name, origin === 'deepmind' && !isSound ? channelsFirst(input) : input] as const
  })
  const masks = names.flatMap((name) => {
    const mask = inputs[`mask.${name}`]
    return mask ? [[name, mask] as const] : []
  })
  return preprocessor.forward(Object.fromEntries(data), Object.fromEntries(masks))
}

async function runDeepMindMultimodal(reference: ReferenceCase): Found {
  const { config } = reference
  const preprocessor = multimodal(reference, config, 'deepmind')
  const encoder = deepmindEncoder(nestedSettings(config, 'encoder', {}), preprocessor.outputChannels)
  const model = new PerceiverIO(
    encoder,
    preprocessor,
    deepmindDecoderOf(nestedSettings(config, 'decoder', {}), encoder.num_z_channels),
  )
  return runIO(reference, 'deepmind', model, (inputs) => multimodalRows(preprocessor, inputs, 'deepmind'))
}

function transformersModel<P extends Module & { readonly outputChannels: number }>(
  config: Settings,
  preprocessor: P,
  decoderSettings: Settings,
): PerceiverIO<P> {
  const encoder = transformersEncoder(config, preprocessor.outputChannels)
  const decoder = new ClassificationDecoder(transformersDecoder(decoderSettings, config, encoder.num_z_channels))
  return new PerceiverIO(encoder, preprocessor, decoder)
}

async function runTransformersImage(reference: ReferenceCase): Found {
  const { config } = reference
  const settings = nestedSettings(config, 'input_preprocessor', {})
  const preprocessor = preprocessorOf(preprocessorConfig(settings, shapeOf(reference, 'inputs'), 'transformers'))
  const model = transformersModel(config, preprocessor, nestedSettings(config, 'decoder', {}))
  return runIO(reference, 'transformers', model, (inputs) => preprocessor.forward(inputNamed(inputs, 'inputs')))
}

async function runTransformersMultimodal(reference: ReferenceCase): Found {
  const { config } = reference
  const preprocessor = multimodal(reference, nestedSettings(config, 'input_preprocessor', {}), 'transformers')
  const model = transformersModel(config, preprocessor, nestedSettings(config, 'decoder', {}))
  return runIO(reference, 'transformers', model, (inputs) => multimodalRows(preprocessor, inputs, 'transformers'))
}

/** What transformers' ready-made classes fix. */
const readyMade: Readonly<Record<string, Settings>> = {
  Fourier: {
    prep_type: 'pixels',
    spatial_downsample: 1,
    fourier_position_encoding_kwargs: { concat_pos: true, max_resolution: [224, 224], num_bands: 64, sine_only: false },
  },
  Learned: {
    prep_type: 'conv1x1',
    out_channels: 256,
    spatial_downsample: 1,
    concat_or_add_pos: 'concat',
    position_encoding_type: 'trainable',
    trainable_position_encoding_kwargs: { num_channels: 256 },
    project_pos_dim: 256,
  },
  ConvProcessing: {
    prep_type: 'conv',
    spatial_downsample: 1,
    position_encoding_type: 'fourier',
    fourier_position_encoding_kwargs: { concat_pos: true, max_resolution: [56, 56], num_bands: 64, sine_only: false },
  },
}

async function runReadyMade(reference: ReferenceCase): Found {
  const kind = /^PerceiverForImageClassification(\w+)$/.exec(reference.target)?.[1] ?? ''
  const settings = readyMade[kind]
  if (!settings) throw new FormatError(`unknown target "${reference.target}"`)
  const preprocessor = preprocessorOf(preprocessorConfig(settings, shapeOf(reference, 'inputs'), 'transformers'))
  const model = transformersModel(reference.config, preprocessor, { use_query_residual: true })
  return runIO(reference, 'transformers', model, (inputs) => preprocessor.forward(inputNamed(inputs, 'inputs')))
}

async function runText(reference: ReferenceCase): Found {
  const { config } = reference
  const preprocessor = new TextPreprocessor(
    numberSetting(config, 'vocab_size', 262),
    numberSetting(config, 'max_position_embeddings', 2048),
    numberSetting(config, 'd_model', 768),
  )
  const model = transformersModel(config, preprocessor, { use_query_residual: true })
  return runIO(reference, 'transformers', model, (inputs) => preprocessor.forward(inputNamed(inputs, 'inputs')))
}

/** Fourier features of given positions; those of a grid must be ours too. */
function runFourier(order: 'axes' | 'functions') {
  return async ({ config, tensors }: ReferenceCase): Found => {
    const items = config.items as readonly Settings[]
    const outputs = await Promise.all(
      items.map(async (item, i) => {
        const array = requiredTensor(tensors, `input/positions_${i}`)
        const features = fourierFeatures(tensor(array), {
          bands: numberSetting(item, 'num_bands'),
          maxResolution: (order === 'axes' ? numberSetting(item, 'max_freq') : item.max_resolution) as number,
          order,
          concatPos: booleanSetting(item, 'concat_pos', true),
          sineOnly: booleanSetting(item, 'sine_only', false),
        })
        const sizes = gridSizes(item)
        if (sizes) await checkGrid(sizes, array, i)
        return [
          `output/encoding_${i}`,
          { dtype: 'float32', shape: features.shape, data: await features.data() },
        ] as const
      }),
    )
    return new Map(outputs)
  }
}

/** "grid 5x6", or [5, 6]; undefined for given points. */
function gridSizes(item: Settings): readonly number[] | undefined {
  const place = item.positions ?? item.index_dims
  if (Array.isArray(place)) return place as number[]
  const text = /^grid ([\dx]+)$/.exec(String(place))?.[1]
  return text?.split('x').map(Number)
}

async function checkGrid(sizes: readonly number[], given: NDArray, i: number): Promise<void> {
  const places = await gridPositions(sizes).numbers()
  const wrong = places.findIndex((value, j) => Math.abs(value - Number(given.data[j])) > 1e-6)
  if (wrong >= 0)
    throw new FormatError(`input/positions_${i} is not the grid of ${sizes.join('x')}: element ${wrong} differs`)
}

export const modelTargets: readonly CaseTargetRule[] = [
  { target: /^lucidrains Perceiver$/, run: runLucid },
  { target: /^paper Perceiver/, run: runPaper },
  { target: /^DeepMind Perceiver\(/, run: runDeepMind },
  { target: /^DeepMind MultimodalPreprocessor/, run: runDeepMindMultimodal },
  { target: /^PerceiverModel \+ PerceiverImagePreprocessor/, run: runTransformersImage },
  { target: /^PerceiverModel \+ PerceiverMultimodalPreprocessor/, run: runTransformersMultimodal },
  { target: /^PerceiverForImageClassification/, run: runReadyMade },
  { target: /^PerceiverForSequenceClassification$/, run: runText },
  { target: /^lucidrains fourier_encode/, run: runFourier('axes') },
  { target: /^generate_fourier_features/, run: runFourier('functions') },
]
