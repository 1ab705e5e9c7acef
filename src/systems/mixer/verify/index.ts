/** Reference cases of the official implementations: vit_jax and big_vision (flax names), timm. */
import { vectorJacobianProduct } from '../../../autodiff/gradient.ts'
import { compile } from '../../../compile/compile.ts'
import { readNpz } from '../../../io/npz.ts'
import { type ActivationName, activationNames } from '../../../nn/activation-names.ts'
import * as ops from '../../../ops/index.ts'
import { fewShot } from '../../../tasks/pictures/few-shot.ts'
import { fromNumbers, type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sameArrays, sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { FormatError } from '../../../util/errors.ts'
import type { NamedTensors } from '../../../verify/model-case.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  choiceSetting,
  dropoutSetting,
  fixedSetting,
  inputArrays,
  inputsRead,
  numberSetting,
  numbersSetting,
  type ReferenceCase,
  requiredTensor,
  type Settings,
  tensorsBelow,
  withoutEffect,
} from '../../../verify/target.ts'
import { type MixerConfig, multiplyAdds, tokenCount } from '../config.ts'
import { enlargeTokenMixing } from '../high-resolution.ts'
import { Mixer } from '../model.ts'
import { fromOfficial, toOfficial } from '../official.ts'
import { parameterCount } from '../parameters.ts'
import { officialConfig, pair, toChannelsFirst } from './case.ts'
import { bigVisionSchedule, fineTuningRate } from './schedules.ts'
import { runFineTuning, runPreTraining } from './training.ts'

/** A ratio for both MLPs, or one each. */
function widths(config: Settings, width: number): readonly [tokens: number, channels: number] {
  const ratios = numbersSetting(config, 'mlp_ratio', [0.5, 4])
  const [tokenRatio = 0.5, channelRatio = tokenRatio] = ratios
  return [Math.trunc(tokenRatio * width), Math.trunc(channelRatio * width)]
}

/** timm's GELU is the erf form; the cases name it after that. */
function activationOf(config: Settings): ActivationName {
  const names = ['gelu_exact_erf', 'gelu_exact', 'gelu_erf', ...activationNames] as const
  const name = choiceSetting(config, 'act_layer', names, 'gelu')
  return name === 'gelu_exact_erf' || name === 'gelu_exact' || name === 'gelu_erf' ? 'gelu' : name
}

function timmConfig(reference: ReferenceCase): MixerConfig {
  const { config } = reference
  const width = numberSetting(config, 'embed_dim')
  const [tokens, channels] = widths(config, width)
  for (const name of ['drop_rate', 'proj_drop_rate', 'drop_path_rate']) dropoutSetting(reference, name)
  withoutEffect(config, 'nlhb') // how a head begins
  return {
    patch_size: pair(config, 'patch_size'),
    image_size: pair(config, 'img_size'),
    in_channels: numberSetting(config, 'in_chans', 3),
    num_classes: numberSetting(config, 'num_classes', 0),
    num_blocks: numberSetting(config, 'num_blocks'),
    hidden_dim: width,
    tokens_mlp_dim: numberSetting(config, 'tokens_dim', tokens),
    channels_mlp_dim: numberSetting(config, 'channels_dim', channels),
    stoch_depth: 0,
    gelu: 'none',
    port: {
      act_layer: activationOf(config),
      norm_eps: numberSetting(config, 'norm_eps', 1e-6),
      stem_norm: booleanSetting(config, 'stem_norm', false),
      global_pool: choiceSetting(config, 'global_pool', ['avg', ''], 'avg'),
    },
  }
}

const toChannelsLast = (stem: Tensor): Tensor => ops.permute(stem, [0, 2, 3, 1])

/** Everything the flax models report, under the names of both. */
function flaxOutputs(model: Mixer, images: Tensor, dropped?: Tensor): Record<string, Tensor> {
  const { stem, blocks, preHeadLayerNorm, preLogits, logits } = model.outputs(toChannelsFirst(images), dropped)
  const last = toChannelsLast(stem)
  const [n, h, w, c] = last.sizes(4)
  return {
    stem: last,
    input_tokens: ops.reshape(last, [n, h * w, c]),
    ...Object.fromEntries(blocks.map((block, i) => [`block_${i}`, block])),
    pre_head_layer_norm: preHeadLayerNorm,
    pre_logits: preLogits,
    logits,
    representation: preLogits,
  }
}

/** Everything timm's model reports. Without a head what it gives is the representation. */
function timmOutputs(model: Mixer, official: Mixer, images: Tensor): Record<string, Tensor> {
  const { preHeadLayerNorm, preLogits, logits } = model.outputs(images)
  const other = official.outputs(images)
  return {
    features: preHeadLayerNorm,
    pre_logits: preLogits,
    representation: preLogits,
    logits,
    logits_flax_tanh_gelu: other.logits,
    representation_flax_tanh_gelu: other.preLogits,
  }
}

/** Outputs, and the gradients of sum(logits * cotangent) where the case has a cotangent. */
async function runModel(
  reference: ReferenceCase,
  model: Mixer,
  compute: (image: Tensor, inputs: NamedTensors) => Record<string, Tensor>,
): Promise<{ outputs: Map<string, NDArray>; gradients: Map<string, NDArray> }> {
  const names = Object.fromEntries(model.namedParameters())
  const run = compile((given: Record<string, Tensor>) => {
    const inputs = inputsRead(reference, given)
    const { image, cotangent } = inputs
    if (!image) throw new FormatError('the case has no input "image"')
    const outputs = compute(image, inputs)
    const logits = outputs.logits as Tensor
    const wanted = [image, ...Object.values(names)]
    return { outputs, gradients: cotangent ? vectorJacobianProduct([logits], [cotangent], wanted) : [] }
  })
  const { outputs, gradients } = await run(inputArrays(reference))
  await run.release()
  return {
    outputs: new Map(Object.entries(outputs).map(([name, tensor]) => [`output/${name}`, tensor.array] as const)),
    gradients: new Map(gradients.map((gradient, i) => [['image', ...Object.keys(names)][i] ?? '', gradient.array])),
  }
}

/** What `runModel` found, with gradients under the names of the case. */
function named(
  { outputs, gradients }: Awaited<ReturnType<typeof runModel>>,
  official: (gradients: Map<string, NDArray>) => Map<string, NDArray>,
): Map<string, NDArray> {
  const { image, ...parameters } = Object.fromEntries(gradients)
  return new Map([
    ...outputs,
    ...[...official(new Map(Object.entries(parameters)))].map(([name, array]) => [`grad/${name}`, array] as const),
    ...(image ? [['grad_input/image', image] as const] : []),
  ])
}

/** The weights of a case, which some cases also have as a whole .npz file. */
function flaxWeights(reference: ReferenceCase): Map<string, NDArray> {
  const weights = tensorsBelow(reference, 'param/')
  const npz = reference.tensors.get('input/npz_bytes')
  if (!npz) return weights
  const { tensors } = readNpz(npz.data as Uint8Array)
  const other = [...new Set([...weights.keys(), ...tensors.keys()])].find((name) => {
    const [weight, packed] = [weights.get(name), tensors.get(name)]
    return !weight || !packed || !sameArrays(weight, packed)
  })
  if (other !== undefined) throw new FormatError(`input/npz_bytes must hold the param/ tensors, "${other}" differs`)
  return tensors
}

/** What stochastic depth drops. In evaluation, where nothing is dropped, the model passes over a mask. */
function dropMask(model: Mixer, { drop_mask }: NamedTensors): Tensor | undefined {
  if (model.training && model.config.stoch_depth > 0 && !drop_mask) {
    throw new FormatError('the case has no input "drop_mask", which stochastic depth in training needs')
  }
  return drop_mask && ops.cast(drop_mask, 'float32')
}

async function runFlax(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const model = new Mixer(officialConfig(reference.config))
  model.train(reference.mode === 'train')
  model.loadStateDict(fromOfficial(flaxWeights(reference)))
  const found = await runModel(reference, model, (image, inputs) => flaxOutputs(model, image, dropMask(model, inputs)))
  return named(found, toOfficial)
}

async function runTimm(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const config = timmConfig(reference)
  const official = { ...config, port: { ...config.port, act_layer: 'gelu_tanh' } } as const
  const [model, flax] = [new Mixer(config), new Mixer(official)]
  const weights = tensorsBelow(reference, 'param/')
  for (const each of [model, flax]) each.eval().loadStateDict(weights)
  const found = await runModel(reference, model, (image) => timmOutputs(model, flax, image))
  return named(found, (gradients) => gradients)
}

const vector = (values: readonly number[], dtype: 'float32' | 'int64' = 'float32'): NDArray => ({
  dtype,
  shape: [values.length],
  data: fromNumbers(dtype, values),
})

async function runTables({ config, tensors }: ReferenceCase): Promise<Map<string, NDArray>> {
  const result = new Map<string, NDArray>()
  const shared = {
    image_size: pair(config, 'image_size'),
    in_channels: numberSetting(config, 'in_channels', 3),
    num_classes: numberSetting(config, 'num_classes', 0),
    stoch_depth: 0,
    gelu: 'tanh',
  } as const
  const variants = Object.values(config.variants as Record<string, Settings>).map(
    (variant): MixerConfig => ({
      ...shared,
      patch_size: pair(variant, 'patch'),
      num_blocks: numberSetting(variant, 'num_blocks'),
      hidden_dim: numberSetting(variant, 'hidden_dim'),
      tokens_mlp_dim: numberSetting(variant, 'tokens_mlp_dim'),
      channels_mlp_dim: numberSetting(variant, 'channels_mlp_dim'),
    }),
  )
  const lengths = toNumbers(requiredTensor(tensors, 'input/sequence_length').data)
  if (lengths.join() !== variants.map(tokenCount).join()) {
    throw new FormatError(`input/sequence_length must be ${variants.map(tokenCount).join()}, found ${lengths.join()}`)
  }
  // Counting needs shapes only; the large variants would take gigabytes to build.
  const counts = variants.map((variant) => parameterCount(variant))
  const heads = variants.map(({ hidden_dim, num_classes }) => (hidden_dim + 1) * num_classes)
  result.set('output/params', vector(counts, 'int64'))
  result.set(
    'output/params_without_head',
    vector(
      counts.map((count, i) => count - (heads[i] ?? 0)),
      'int64',
    ),
  )
  result.set('output/macs', vector(variants.map(multiplyAdds), 'int64'))
  for (const [kind, output, rate] of [
    ['vit', 'lr_vit', fineTuningRate],
    ['bv', 'schedule_bv', bigVisionSchedule],
  ] as const) {
    for (const [i, schedule] of (config[`${kind}_schedules`] as Settings[]).entries()) {
      const steps = toNumbers(requiredTensor(tensors, `input/steps_${kind}_${i}`).data)
      result.set(`output/${output}_${i}`, vector(steps.map(rate(schedule))))
    }
  }
  return result
}

/** Appendix C: token MLPs enlarged for K times the resolution. */
async function runHighResolution(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const { config } = reference
  const factor = numberSetting(config, 'resolution_factor')
  const small = new Mixer(officialConfig(config)).eval()
  small.loadStateDict(fromOfficial(tensorsBelow(reference, 'param/')))
  const large = enlargeTokenMixing(small, factor).eval()
  fixedSetting(config, 'expanded_tokens_mlp_dim', large.config.tokens_mlp_dim)
  fixedSetting(config, 'expanded_image_size', large.config.image_size)
  const [height, width] = small.config.image_size
  const run = compile((image: Tensor) => {
    const pixels = toChannelsFirst(image)
    const { preLogits, logits } = large.outputs(pixels)
    const parts = Array.from({ length: factor * factor }, (_, r) => {
      const [row, column] = [Math.floor(r / factor), r % factor]
      const rows = ops.slice(pixels, [row * height, (row + 1) * height], 2)
      return small.forward(ops.slice(rows, [column * width, (column + 1) * width], 3))
    })
    return { pre_logits: preLogits, logits, parts_logits: ops.stack(parts, 0) }
  })
  const outputs = await run(requiredTensor(reference.tensors, 'input/image'))
  await run.release()
  const official = toOfficial(large.stateDict())
  return new Map([
    ...Object.entries(outputs).map(([name, tensor]) => [`output/${name}`, tensor.array] as const),
    ...[...official].map(([name, array]) => [`output/expanded/${name}`, array] as const),
  ])
}

async function runFewShot(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const { config } = reference
  const input = (name: string): NDArray => requiredTensor(reference.tensors, `input/${name}`)
  const classes = numberSetting(config, 'num_classes')
  withoutEffect(config, 'shots', 'seed') // of the choice of examples, which the case has as input/indices
  const strengths = toNumbers(input('l2_reg').data)
  const said = numbersSetting(config, 'l2_reg', strengths).map(Math.fround)
  if (said.join() !== strengths.join()) {
    throw new FormatError(`input/l2_reg must be the setting "l2_reg", ${said.join()}, found ${strengths.join()}`)
  }
  const results = strengths.map((l2) =>
    fewShot({
      trainFeatures: input('features_train'),
      trainLabels: toNumbers(input('labels_train').data),
      testFeatures: input('features_test'),
      testLabels: toNumbers(input('labels_test').data),
      selected: toNumbers(input('indices').data),
      classes,
      l2,
      biasConstant: numberSetting(config, 'bias_constant', 100),
      stdEpsilon: numberSetting(config, 'std_epsilon', 1e-5),
    }),
  )
  const [first] = results
  if (!first) throw new FormatError('the case names no l2_reg')
  const [rows, width] = [input('labels_test').data.length, sizeOf(input('features_train').shape, 1)]
  const stacked = (
    pick: (result: (typeof results)[number]) => readonly number[],
    shape: readonly number[],
    dtype: 'float32' | 'int64' = 'float32',
  ): NDArray => ({
    dtype,
    shape: [results.length, ...shape],
    data: fromNumbers(dtype, results.flatMap(pick)),
  })
  return new Map([
    ['output/mean', { dtype: 'float32', shape: [1, width], data: fromNumbers('float32', first.mean) }],
    ['output/std', { dtype: 'float32', shape: [1, width], data: fromNumbers('float32', first.std) }],
    ['output/w', stacked((r) => r.weights, [width + 1, classes])],
    ['output/scores', stacked((r) => r.scores, [rows, classes])],
    ['output/predictions', stacked((r) => r.predictions, [rows], 'int64')],
    ['output/accuracy', stacked((r) => [r.accuracy], [])],
  ])
}

/** Mixer's targets. */
export const targets: readonly CaseTargetRule[] = [
  { target: /^(vit_jax\.models_mixer|big_vision\.models\.mlp_mixer)\.MlpMixer$/, run: runFlax },
  { target: /^timm\.models\.mlp_mixer\.MlpMixer/, run: runTimm },
  { target: /^parameter \/ MAC counters/, run: runTables },
  { target: /^MlpMixer: token-mixing MLPs enlarged/, run: runHighResolution },
  { target: /^big_vision\.evaluators\.fewshot_lsr/, run: runFewShot },
  { target: /^big_vision\.train update step/, run: runPreTraining },
  {
    target: /^vit_jax\.train\.make_update_fn/,
    run: runFineTuning,
    // The momentum is stored in bfloat16, where float noise may flip the last bit: the case asks for 2^-7.
    toleranceOf: (name, general) => (name.startsWith('state/momentum/') ? { ...general, rtol: 8e-3 } : general),
  },
]
