/** Reference cases of the detectors' parts: neck and heads. */
import { Module } from '../../../nn/index.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { FormatError } from '../../../util/errors.ts'
import { inputNamed } from '../../../verify/model-case.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  choiceSetting,
  fixedSetting,
  numberSetting,
  numbersSetting,
  optionalNumber,
  type ReferenceCase,
  requiredTensor,
  type Settings,
  withoutEffect,
} from '../../../verify/target.ts'
import { type ExtraSource, FPN, type FPNConfig, type UpsampleConfig } from '../fpn.ts'
import { MaskHead, type MaskUpsampleConfig, RPNHead } from '../heads.ts'
import { normConfig, runLoaded, weightedOutputs } from './running.ts'

type Found = Promise<Map<string, NDArray>>

function extraConvs(config: Settings): boolean | ExtraSource {
  const value = config.add_extra_convs ?? false
  if (typeof value === 'boolean') return value
  return choiceSetting<ExtraSource>(config, 'add_extra_convs', ['on_input', 'on_lateral', 'on_output'])
}

function upsampleConfig(config: Settings): UpsampleConfig {
  const settings = (config.upsample_cfg ?? {}) as Settings
  const factor = optionalNumber(settings, 'scale_factor')
  const corners = settings.align_corners ?? undefined
  return {
    mode: choiceSetting(settings, 'mode', ['nearest', 'bilinear', 'bicubic'], 'nearest'),
    ...(factor !== undefined && { scale_factor: factor }),
    ...(corners !== undefined && { align_corners: booleanSetting(settings, 'align_corners') }),
  }
}

function fpnConfig({ config }: ReferenceCase): FPNConfig {
  fixedSetting(config, 'conv_cfg', null) // other kinds of convolutions
  const norm_cfg = normConfig(config)
  const act = config.act_cfg as Settings | null | undefined
  if (act) {
    fixedSetting(act, 'type', 'ReLU')
    withoutEffect(act, 'inplace') // where the result is kept
  }
  return {
    in_channels: numbersSetting(config, 'in_channels'),
    out_channels: numberSetting(config, 'out_channels'),
    num_outs: numberSetting(config, 'num_outs'),
    start_level: numberSetting(config, 'start_level', 0),
    end_level: numberSetting(config, 'end_level', -1),
    add_extra_convs: extraConvs(config),
    extra_convs_on_inputs: booleanSetting(config, 'extra_convs_on_inputs', true),
    relu_before_extra_convs: booleanSetting(config, 'relu_before_extra_convs', false),
    no_norm_on_lateral: booleanSetting(config, 'no_norm_on_lateral', false),
    relu: Boolean(act),
    upsample_cfg: upsampleConfig(config),
    ...(norm_cfg && { norm_cfg }),
  }
}

async function runFPN(reference: ReferenceCase): Found {
  const config = fpnConfig(reference)
  const model = new FPN(config)
  return runLoaded(reference, model, (inputs) => {
    const maps = model.forward(config.in_channels.map((_, i) => inputNamed(inputs, `c${i}`)))
    return weightedOutputs(Object.fromEntries(maps.map((map, i) => [`p${i}`, map])), inputs)
  })
}

/** Both heads, under the names that the cases give them. */
class Heads extends Module {
  readonly rpn_head: RPNHead
  readonly mask_head: MaskHead

  constructor(rpn: RPNHead, mask: MaskHead) {
    super()
    this.rpn_head = rpn
    this.mask_head = mask
  }

  forward(): never {
    throw new FormatError('the heads have an input each')
  }
}

function maskUpsample(config: Settings): MaskUpsampleConfig {
  const settings = (config.upsample_cfg ?? {}) as Settings
  const type = settings.type ?? null
  if (type === null) {
    numberSetting(settings, 'scale_factor', 1) // nothing is enlarged
    return { type }
  }
  return {
    type: choiceSetting<'deconv' | 'nearest' | 'bilinear'>(settings, 'type', ['deconv', 'nearest', 'bilinear']),
    scale_factor: numberSetting(settings, 'scale_factor', 2),
  }
}

async function runHeads(reference: ReferenceCase): Found {
  const { config, tensors } = reference
  const in_channels = numberSetting(config, 'in_channels')
  const num_anchors =
    numbersSetting(config, 'anchor_scales', [8]).length * numbersSetting(config, 'anchor_ratios', [0.5, 1, 2]).length
  fixedSetting(config, 'num_anchors', num_anchors)
  const feat_channels = numberSetting(config, 'feat_channels', in_channels)
  const regionChannels = requiredTensor(tensors, 'input/roi_feature').shape[1] ?? in_channels
  const model = new Heads(
    new RPNHead({ in_channels, feat_channels, num_anchors }),
    new MaskHead({
      in_channels: regionChannels,
      conv_out_channels: numberSetting(config, 'conv_out_channels', regionChannels),
      num_convs: numberSetting(config, 'mask_num_convs', 4),
      num_classes: numberSetting(config, 'mask_num_classes'),
      class_agnostic: booleanSetting(config, 'class_agnostic', false),
      upsample_cfg: config.upsample_cfg === undefined ? { type: 'deconv' } : maskUpsample(config),
    }),
  )
  return runLoaded(reference, model, (inputs) => {
    const { scores, deltas } = model.rpn_head.forward(inputNamed(inputs, 'feature'))
    const mask_pred = model.mask_head.forward(inputNamed(inputs, 'roi_feature'))
    return weightedOutputs({ rpn_cls_score: scores, rpn_bbox_pred: deltas, mask_pred }, inputs)
  })
}

export const detectionTargets: readonly CaseTargetRule[] = [
  { target: /^FPN_involution/, run: runFPN },
  { target: /^RPNHead_involution/, run: runHeads },
]
