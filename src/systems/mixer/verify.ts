/** Reference cases of the official implementations: vit_jax and big_vision (flax names), timm. */
import { vectorJacobianProduct } from '../../autodiff/gradient.ts'
import { compile } from '../../compile/compile.ts'
import { readNpz } from '../../io/npz.ts'
import * as ops from '../../ops/index.ts'
import { fromNumbers, type NDArray, toNumbers } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { fewShot } from '../../train/few-shot.ts'
import { FormatError } from '../../util/errors.ts'
import {
  type CaseTargetRule,
  numberSetting,
  numbersSetting,
  type ReferenceCase,
  requiredTensor,
  type Settings,
  stringSetting,
  tensorsBelow,
} from '../../verify/target.ts'
import { type MixerConfig, multiplyAdds } from './config.ts'
import { enlargeTokenMixing } from './high-resolution.ts'
import { Mixer } from './model.ts'
import { fromOfficial, toOfficial } from './official.ts'
import { bigVisionSchedule, fineTuningRate } from './official-training.ts'
import { parameterCount } from './parameters.ts'
import { officialConfig, pair, toChannelsFirst } from './verify-case.ts'
import { runFineTuning, runPreTraining } from './verify-training.ts'

function timmConfig(config: Settings): MixerConfig {
  const width = numberSetting(config, 'embed_dim')
  const [tokenRatio = 0.5, channelRatio = 4] = numbersSetting(config, 'mlp_ratio', [0.5, 4])
  return {
    patch_size: pair(config, 'patch_size'),
    image_size: pair(config, 'img_size'),
    in_channels: numberSetting(config, 'in_chans', 3),
    num_classes: numberSetting(config, 'num_classes'),
    num_blocks: numberSetting(config, 'num_blocks'),
    hidden_dim: width,
    tokens_mlp_dim: numberSetting(config, 'tokens_dim', Math.trunc(tokenRatio * width)),
    channels_mlp_dim: numberSetting(config, 'channels_dim', Math.trunc(channelRatio * width)),
    stoch_depth: 0,
    gelu: stringSetting(config, 'act_layer', 'gelu_exact_erf').includes('tanh') ? 'tanh' : 'none',
  }
}

const toChannelsLast = (stem: Tensor): Tensor => ops.permute(stem, [0, 2, 3, 1])

/** Everything the flax models report, under the names of both. */
function flaxOutputs(model: Mixer, images: Tensor, dropped?: Tensor): Record<string, Tensor> {
  const { stem, blocks, preHeadLayerNorm, preLogits, logits } = model.outputs(toChannelsFirst(images), dropped)
  const last = toChannelsLast(stem)
  const [n = 0, h = 0, w = 0, c = 0] = last.shape
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

async function runFlax(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const model = new Mixer(officialConfig(reference.config))
  model.train(reference.mode === 'train')
  const weights = tensorsBelow(reference, 'param/')
  const npz = reference.tensors.get('input/npz_bytes')
  const official = npz ? readNpz(npz.data as Uint8Array).tensors : weights
  model.loadStateDict(fromOfficial(official))
  const names = Object.fromEntries(model.namedParameters())
  const run = compile((image: Tensor, cotangent: Tensor, mask: Tensor | null) => {
    const outputs = flaxOutputs(model, image, mask ? ops.cast(mask, 'float32') : undefined)
    const [gradInput, ...gradients] = vectorJacobianProduct(
      [outputs.logits as Tensor],
      [cotangent],
      [image, ...Object.values(names)],
    )
    return { outputs, gradInput: gradInput as Tensor, gradients }
  })
  const mask = reference.tensors.get('input/drop_mask') ?? null
  const { outputs, gradInput, gradients } = await run(
    requiredTensor(reference.tensors, 'input/image'),
    requiredTensor(reference.tensors, 'input/cotangent'),
    mask,
  )
  await run.release()
  const byName = Object.keys(names).map((name, i) => [name, (gradients[i] as Tensor).array] as const)
  return new Map([
    ...Object.entries(outputs).map(([name, tensor]) => [`output/${name}`, tensor.array] as const),
    ...[...toOfficial(byName)].map(([name, array]) => [`grad/${name}`, array] as const),
    ['grad_input/image', gradInput.array] as const,
  ])
}

async function runTimm(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const config = timmConfig(reference.config)
  const [model, flax] = [new Mixer(config), new Mixer({ ...config, gelu: 'tanh' })]
  const weights = tensorsBelow(reference, 'param/')
  for (const each of [model, flax]) each.eval().loadStateDict(weights)
  const names = Object.fromEntries(model.namedParameters())
  const run = compile((image: Tensor, cotangent: Tensor) => {
    const { preHeadLayerNorm: features, logits } = model.outputs(image)
    const [gradInput, ...gradients] = vectorJacobianProduct([logits], [cotangent], [image, ...Object.values(names)])
    return {
      outputs: { features, logits, logits_flax_tanh_gelu: flax.forward(image) },
      gradInput: gradInput as Tensor,
      gradients,
    }
  })
  const { outputs, gradInput, gradients } = await run(
    requiredTensor(reference.tensors, 'input/image'),
    requiredTensor(reference.tensors, 'input/cotangent'),
  )
  await run.release()
  return new Map([
    ...Object.entries(outputs).map(([name, tensor]) => [`output/${name}`, tensor.array] as const),
    ...Object.keys(names).map((name, i) => [`grad/${name}`, (gradients[i] as Tensor).array] as const),
    ['grad_input/image', gradInput.array] as const,
  ])
}

const vector = (values: readonly number[], dtype: 'float32' | 'int64' = 'float32'): NDArray => ({
  dtype,
  shape: [values.length],
  data: fromNumbers(dtype, values),
})

async function runTables({ config, tensors }: ReferenceCase): Promise<Map<string, NDArray>> {
  const result = new Map<string, NDArray>()
  const variants = Object.values(config.variants as Record<string, Settings>).map((variant) => {
    const { patch, ...rest } = variant
    return officialConfig({ ...config, ...rest, patch_size: [Number(patch), Number(patch)] })
  })
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
      const steps = toNumbers(tensors.get(`input/steps_${kind}_${i}`)?.data ?? new Float32Array())
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
  const results = toNumbers(input('l2_reg').data).map((l2) =>
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
  const [rows = 0, width = 0] = [toNumbers(input('labels_test').data).length, input('features_train').shape[1]]
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
