/** The settings of networks that the recipes and jobs share. */
import { z } from 'zod'
import { ResNet, resnetStems } from '../../models/resnet.ts'
import { pathSetting, whole } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import type { RedNetConfig } from './config.ts'
import { RedNet } from './model.ts'

const networks = ['rednet', 'resnet'] as const

/** K of a kernel. */
export const odd = whole.refine((size) => size % 2 === 1, { error: 'must be odd, so that a kernel has a middle' })

/** What a recipe says of its network. */
export interface NetworkDefaults {
  readonly layers: readonly number[]
  readonly stem: 'standard' | 'small'
  readonly stem_channels: number
  readonly base_channels: number
  readonly kernel_size?: number
}

/** A backbone: RedNet, or the ResNet that has convolutions in place of its involutions. */
export function networkSettings(defaults: NetworkDefaults) {
  return z.strictObject({
    network: z.enum(networks).default('rednet').describe('rednet; or resnet: the same blocks with 3x3 convolutions'),
    layers: z
      .array(whole)
      .min(1)
      .max(4)
      .default([...defaults.layers])
      .describe('blocks of each stage; published: [1,2,4,1] (26), [2,3,5,2] (38), [3,4,6,3] (50)'),
    stem: z
      .enum(['standard', 'small'])
      .default(defaults.stem)
      .describe('standard: a quarter of height and width; small: for small pictures, which keeps them'),
    stem_channels: whole.default(defaults.stem_channels).describe('of the stem (published: 64)'),
    base_channels: whole
      .default(defaults.base_channels)
      .describe('inside the blocks of the first stage; each further one has twice as many (published: 64)'),
    kernel_size: odd.default(defaults.kernel_size ?? 7).describe('K of the involutions of the blocks'),
    stem_kernel_size: odd.default(3).describe('K of the involution in the stem'),
    group_channels: whole.default(16).describe('neighbouring channels that share a kernel'),
    reduction_ratio: whole.default(4).describe('r: by how much the kernel generator narrows the channels'),
    frozen_stages: z
      .number()
      .int()
      .min(-1)
      .max(4)
      .default(-1)
      .describe('of rednet: 0: the stem, n: also n stages keep their weights and statistics; -1: none'),
    norm_eval: z.boolean().default(false).describe('of rednet: no norm of the backbone adapts its statistics'),
    checkpoint: pathSetting('start from the backbone of these weights: an official .pth, or of tenfold'),
  })
}

export type NetworkSettings = z.infer<ReturnType<typeof networkSettings>>

/** The configuration of a RedNet. */
function redNetConfig(settings: NetworkSettings, inChannels: number): RedNetConfig {
  const { layers, stem, stem_channels, base_channels, kernel_size, group_channels, reduction_ratio } = settings
  const { frozen_stages, norm_eval } = settings
  return {
    depth: 26, // `layers` decides
    layers,
    stem,
    in_channels: inChannels,
    stem_channels,
    base_channels,
    frozen_stages,
    norm_eval,
    stem_involution_kernel_size: settings.stem_kernel_size,
    involution: { kernel_size, group_channels, reduction_ratio },
  }
}

/** The backbone of the settings, without a head. `resnet` has stem and stages of as many channels. */
export function makeBackbone(settings: NetworkSettings, inChannels: number): RedNet | ResNet {
  const { network, layers, stem, base_channels } = settings
  if (network === 'rednet') return new RedNet(redNetConfig(settings, inChannels))
  return new ResNet({
    block: 'bottleneck',
    layers,
    width: base_channels,
    stem: resnetStems[stem],
    inChannels,
    numClasses: 0,
    zeroInitResidual: true,
  })
}

/** By how much height and width shrink up to the last stage. */
function strideOf({ stem, layers }: Pick<NetworkSettings, 'stem' | 'layers'>): number {
  return (stem === 'standard' ? 4 : 1) * 2 ** (layers.length - 1)
}

/** Throws a UsageError for pictures of a size that some involution of stride 2 cannot halve. */
export function checkPictureSize(settings: NetworkSettings, size: readonly number[]): void {
  const stride = strideOf(settings)
  if (settings.network === 'resnet' || size.every((side) => side % stride === 0)) return
  throw new UsageError(
    `pictures of ${size.join('x')} do not fit ${settings.layers.length} stages with the ${settings.stem} stem: height and width must be multiples of ${stride}`,
    {
      hint: `an involution of stride 2 has one kernel for 2 x 2 pixels; --set data.image_size=${Math.max(1, Math.round((size[0] ?? stride) / stride)) * stride}`,
    },
  )
}
