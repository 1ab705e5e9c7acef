/** The reference case of BigGAN-deep's training: one step of each network. */
import { compile } from '../../../compile/compile.ts'
import type { Module } from '../../../nn/index.ts'
import { Adam } from '../../../optim/index.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { FormatError } from '../../../util/errors.ts'
import { copyOf } from '../../../verify/arrays.ts'
import type { NamedTensors } from '../../../verify/model-case.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  fixedSetting,
  numberSetting,
  type ReferenceCase,
  requiredTensor,
  type Settings,
  stringSetting,
  tensorsBelow,
  withoutEffect,
} from '../../../verify/target.ts'
import { type ArchitectureName, generatorArchitectures } from '../biggan/architectures.ts'
import { Discriminator } from '../biggan/discriminator.ts'
import { TrainableGenerator } from '../biggan/trainable-generator.ts'
import { trainDiscriminator, trainGenerator } from '../biggan/training.ts'

type Found = Promise<Map<string, NDArray>>

function resolutionOf(settings: Settings): ArchitectureName {
  const resolution = numberSetting(settings, 'resolution', 128)
  if (resolution in generatorArchitectures) return resolution as ArchitectureName
  const known = Object.keys(generatorArchitectures).join(', ')
  throw new FormatError(`setting "resolution" must be one of ${known}, found ${resolution}`)
}

function generatorOf(settings: Settings): TrainableGenerator {
  // With other values the official code of BigGAN-deep fails.
  fixedSetting(settings, 'G_shared', true)
  fixedSetting(settings, 'hier', true)
  withoutEffect(settings, 'G_kernel_size', 'G_init') // kernels are always 3, and the case has the weights
  const style = stringSetting(settings, 'norm_style', 'bn')
  if (!/^(bn|in|nonorm|gn|gn_(ch|grp)_\d+)$/.test(style))
    throw new FormatError(`setting "norm_style" must be bn, in, nonorm, gn, gn_ch_N or gn_grp_N, found "${style}"`)
  return new TrainableGenerator({
    G_ch: numberSetting(settings, 'G_ch', 64),
    G_depth: numberSetting(settings, 'G_depth', 2),
    dim_z: numberSetting(settings, 'dim_z', 128),
    bottom_width: numberSetting(settings, 'bottom_width', 4),
    resolution: resolutionOf(settings),
    G_attn: stringSetting(settings, 'G_attn', '64'),
    n_classes: numberSetting(settings, 'n_classes', 1000),
    num_G_SVs: numberSetting(settings, 'num_G_SVs', 1),
    num_G_SV_itrs: numberSetting(settings, 'num_G_SV_itrs', 1),
    shared_dim: numberSetting(settings, 'shared_dim', 0),
    BN_eps: numberSetting(settings, 'BN_eps', 1e-5),
    SN_eps: numberSetting(settings, 'SN_eps', 1e-12),
    G_param: stringSetting(settings, 'G_param', 'SN'),
    norm_style: style,
    mybn: booleanSetting(settings, 'mybn', false),
    cross_replica: booleanSetting(settings, 'cross_replica', false),
  })
}

function discriminatorOf(settings: Settings): Discriminator {
  fixedSetting(settings, 'D_param', 'SN')
  withoutEffect(settings, 'D_wide', 'D_kernel_size', 'D_init') // BigGAN-deep's discriminator reads none of them
  return new Discriminator({
    D_ch: numberSetting(settings, 'D_ch', 64),
    D_depth: numberSetting(settings, 'D_depth', 2),
    resolution: resolutionOf(settings),
    D_attn: stringSetting(settings, 'D_attn', '64'),
    n_classes: numberSetting(settings, 'n_classes', 1000),
    num_D_SVs: numberSetting(settings, 'num_D_SVs', 1),
    num_D_SV_itrs: numberSetting(settings, 'num_D_SV_itrs', 1),
    SN_eps: numberSetting(settings, 'SN_eps', 1e-12),
    output_dim: numberSetting(settings, 'output_dim', 1),
  })
}

function adamOf(network: Module, settings: Settings, letter: 'G' | 'D'): Adam {
  return new Adam(network.parameters(), {
    lr: numberSetting(settings, `${letter}_lr`, letter === 'G' ? 5e-5 : 2e-4),
    betas: [numberSetting(settings, `${letter}_B1`, 0), numberSetting(settings, `${letter}_B2`, 0.999)],
    eps: numberSetting(settings, 'adam_eps', 1e-8),
  })
}

async function runStep(reference: ReferenceCase): Found {
  const { config, tensors } = reference
  const [ofG, ofD] = [config.G as Settings, config.D as Settings]
  const [generator, discriminator] = [generatorOf(ofG), discriminatorOf(ofD)]
  generator.loadStateDict(tensorsBelow(reference, 'param/G.'))
  discriminator.loadStateDict(tensorsBelow(reference, 'param/D.'))
  const byD = { optimizer: adamOf(discriminator, ofD, 'D'), orthogonality: numberSetting(config, 'D_ortho', 0) }
  const byG = { optimizer: adamOf(generator, ofG, 'G'), orthogonality: numberSetting(config, 'G_ortho', 0) }
  const first = compile((noise: Tensor, classes: Tensor, images: Tensor, labels: Tensor) => {
    const batch = { latents: { noise, classes }, real: { images, classes: labels } }
    const { fake, real, losses, gradients } = trainDiscriminator(generator, discriminator, batch, byD)
    return {
      outputs: { d_fake: fake, d_real: real, d_loss_real: losses.real, d_loss_fake: losses.fake },
      gradients,
    }
  })
  const second = compile((noise: Tensor, classes: Tensor) => {
    const { images, fake, loss, gradients } = trainGenerator(generator, discriminator, { noise, classes }, byG)
    return { outputs: { g_image: images, g_fake: fake, g_loss: loss }, gradients }
  })
  const input = (name: string): NDArray => requiredTensor(tensors, `input/${name}`)
  const found = new Map<string, NDArray>()
  const keep = (
    { outputs, gradients }: { readonly outputs: NamedTensors; readonly gradients: readonly Tensor[] },
    network: Module,
    prefix: string,
  ): void => {
    for (const [name, tensor] of Object.entries(outputs)) found.set(`output/${name}`, copyOf(tensor.array))
    const names = [...network.namedParameters().keys()]
    for (const [i, g] of gradients.entries()) found.set(`grad/${prefix}.${names[i]}`, copyOf(g.array))
  }
  const keepState = (network: Module, prefix: string): void => {
    for (const [name, array] of network.stateDict()) found.set(`output/${prefix}.${name}`, array)
  }
  keep(await first(input('z_d'), input('y_d'), input('real'), input('y_real')), discriminator, 'D')
  keepState(discriminator, 'after/D')
  keep(await second(input('z_g'), input('y_g')), generator, 'G')
  keepState(generator, 'after/G')
  keepState(discriminator, 'after_g_step/D')
  await first.release()
  await second.release()
  return found
}

export const bigganTrainingTargets: readonly CaseTargetRule[] = [{ target: 'BigGANdeep.G_D', run: runStep }]
