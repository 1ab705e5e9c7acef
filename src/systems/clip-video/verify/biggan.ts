/** Reference cases of the released BigGANs, and of the music video's change to them. */
import { gradient } from '../../../autodiff/gradient.ts'
import { compile } from '../../../compile/compile.ts'
import { SpectralConv2d, SpectralLinear, type SpectralOptions } from '../../../models/spectral-norm.ts'
import { Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { FormatError } from '../../../util/errors.ts'
import { copyOf } from '../../../verify/arrays.ts'
import { inputNamed, runModelCase } from '../../../verify/model-case.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  choiceSetting,
  fixedSetting,
  nestedSettings,
  numberSetting,
  numbersSetting,
  perAxisSetting,
  type ReferenceCase,
  requiredTensor,
  type Settings,
  tensorsBelow,
} from '../../../verify/target.ts'
import { BigGAN } from '../biggan/generator.ts'
import type { BigGANConfig, BlockConfig } from '../config.ts'

type Found = Promise<Map<string, NDArray>>

function blockConfigs(layers: unknown): BlockConfig[] {
  const isBlock = (block: unknown): block is BlockConfig =>
    Array.isArray(block) &&
    typeof block[0] === 'boolean' &&
    block.length === 3 &&
    block.slice(1).every((size) => typeof size === 'number')
  if (Array.isArray(layers) && layers.every(isBlock)) return layers
  throw new FormatError(`setting "layers" must be a list of [up, in, out], found ${JSON.stringify(layers)}`)
}

/** A generator's configuration, as cases give it. */
export function bigganConfig(settings: Settings): BigGANConfig {
  return {
    output_dim: numberSetting(settings, 'output_dim', 128),
    z_dim: numberSetting(settings, 'z_dim', 128),
    class_embed_dim: numberSetting(settings, 'class_embed_dim', 128),
    channel_width: numberSetting(settings, 'channel_width', 128),
    num_classes: numberSetting(settings, 'num_classes', 1000),
    layers: blockConfigs(settings.layers),
    attention_layer_position: numberSetting(settings, 'attention_layer_position', 8),
    eps: numberSetting(settings, 'eps', 1e-4),
    n_stats: numberSetting(settings, 'n_stats', 51),
  }
}

type Generate = (model: BigGAN, noise: Tensor, classes: Tensor, truncation: number) => Tensor

async function runGenerator(reference: ReferenceCase, generate: Generate): Found {
  const model = new BigGAN(bigganConfig(reference.config))
  model.loadStateDict(tensorsBelow(reference, 'param/'))
  const truncations = numbersSetting(reference.config, 'truncations')
  return runModelCase(reference, model, (inputs) => {
    const images = truncations.map((truncation) =>
      generate(model, inputNamed(inputs, 'z'), inputNamed(inputs, 'class_label'), truncation),
    )
    return {
      outputs: Object.fromEntries(images.map((image, i) => [`image_${i}`, image])),
      weighted: images.map((image, i) => [image, inputs[`cotangent_${i}`]] as const),
    }
  })
}

/** What the module of a spectral norm says of itself: one step for each use, of the weight. */
function spectralOptions(settings: Settings): SpectralOptions {
  fixedSetting(settings, 'name', 'weight')
  fixedSetting(settings, 'n_power_iterations', 1)
  fixedSetting(settings, 'dim', 0)
  return { bias: booleanSetting(settings, 'bias', true), eps: numberSetting(settings, 'eps', 1e-12) }
}

/** Paddings of `nn.Conv2d` under our names. */
const paddingModes = { zeros: 'constant', reflect: 'reflect', replicate: 'replicate', circular: 'circular' } as const

function spectralConv(settings: Settings): SpectralConv2d {
  const { padding } = settings
  const mode = choiceSetting(settings, 'padding_mode', ['zeros', 'reflect', 'replicate', 'circular'], 'zeros')
  return new SpectralConv2d(
    numberSetting(settings, 'in_channels'),
    numberSetting(settings, 'out_channels'),
    perAxisSetting(settings, 'kernel_size'),
    {
      ...spectralOptions(settings),
      stride: perAxisSetting(settings, 'stride', 1),
      padding: padding === 'same' || padding === 'valid' ? padding : perAxisSetting(settings, 'padding', 0),
      dilation: perAxisSetting(settings, 'dilation', 1),
      groups: numberSetting(settings, 'groups', 1),
      paddingMode: paddingModes[mode],
    },
  )
}

/** A convolution and a linear map with spectral norms, used again and again. */
class SpectralPair extends Module {
  readonly conv: SpectralConv2d
  readonly linear: SpectralLinear

  constructor(conv: Settings, linear: Settings) {
    super()
    this.conv = spectralConv(conv)
    const [from, to] = [numberSetting(linear, 'in_features'), numberSetting(linear, 'out_features')]
    this.linear = new SpectralLinear(from, to, spectralOptions(linear))
  }

  forward(images: Tensor, rows: Tensor): readonly [Tensor, Tensor] {
    return [this.conv.forward(images), this.linear.forward(rows)]
  }
}

async function runSpectralNorm(reference: ReferenceCase): Found {
  const { config, tensors } = reference
  const calls = config.calls
  if (!Array.isArray(calls) || !calls.every((call) => call === 'train' || call === 'eval'))
    throw new FormatError(`setting "calls" must be a list of train and eval, found ${JSON.stringify(calls)}`)
  const model = new SpectralPair(nestedSettings(config, 'conv'), nestedSettings(config, 'linear'))
  model.loadStateDict(tensorsBelow(reference, 'param/'))
  const parameters = [...model.namedParameters()]
  const run = compile((images: Tensor, rows: Tensor, byConv: Tensor, byLinear: Tensor) => {
    const [conv, linear] = model.forward(images, rows)
    const loss = ops.add(ops.sum(ops.mul(conv, byConv)), ops.sum(ops.mul(linear, byLinear)))
    const gradients = gradient(
      loss,
      parameters.map(([, variable]) => variable),
    )
    return { conv, linear, gradients }
  })
  const input = (name: string): NDArray => requiredTensor(tensors, `input/${name}`)
  const given = [input('conv_x'), input('linear_x'), input('conv_cotangent'), input('linear_cotangent')] as const
  const found = new Map<string, NDArray>()
  for (const [i, call] of calls.entries()) {
    model.train(call === 'train')
    const { conv, linear, gradients } = await run(...given)
    found.set(`output/conv_y_${i}`, copyOf(conv.array)).set(`output/linear_y_${i}`, copyOf(linear.array))
    for (const [name, { array }] of model.namedBuffers()) found.set(`output/${name}_${i}`, copyOf(array))
    for (const [j, [name]] of parameters.entries())
      found.set(`output/grad_${name}_${i}`, copyOf((gradients as readonly Tensor[])[j]?.array ?? input('conv_x')))
  }
  await run.release()
  return found
}

export const bigganTargets: readonly CaseTargetRule[] = [
  {
    target: 'BigGAN',
    run: (reference) => runGenerator(reference, (model, z, classes, t) => model.forward(z, classes, t)),
  },
  {
    target: 'yk.BigGAN',
    run: (reference) => runGenerator(reference, (model, z, classes, t) => model.layered(z, classes, t)),
  },
  { target: 'spectral_norm', run: runSpectralNorm },
]
