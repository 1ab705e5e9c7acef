/** PyTorch's convolutions, by the names of the reference entries. */
import * as ops from '../../ops/index.ts'
import { inputOf, numberSetting, type OpCall, type OpTargets, perAxisSetting } from '../target.ts'

function padding({ settings }: OpCall): number | readonly number[] | 'same' | 'valid' {
  const { padding: given } = settings
  return given === 'same' || given === 'valid' ? given : perAxisSetting(settings, 'padding', 0)
}

function convOptions(call: OpCall): ops.ConvOptions {
  const { settings } = call
  return {
    stride: perAxisSetting(settings, 'stride', 1),
    padding: padding(call),
    dilation: perAxisSetting(settings, 'dilation', 1),
    groups: numberSetting(settings, 'groups', 1),
  }
}

function transposeOptions({ settings }: OpCall): ops.ConvTransposeOptions {
  return {
    stride: perAxisSetting(settings, 'stride', 1),
    padding: perAxisSetting(settings, 'padding', 0),
    outputPadding: perAxisSetting(settings, 'output_padding', 0),
    dilation: perAxisSetting(settings, 'dilation', 1),
    groups: numberSetting(settings, 'groups', 1),
  }
}

export const targets: OpTargets = {
  'torch.nn.functional.conv1d': (call) =>
    ops.conv1d(inputOf(call, 'input'), inputOf(call, 'weight'), call.inputs.bias, convOptions(call)),
  'torch.nn.functional.conv2d': (call) =>
    ops.conv2d(inputOf(call, 'input'), inputOf(call, 'weight'), call.inputs.bias, convOptions(call)),
  'torch.nn.functional.conv3d': (call) =>
    ops.conv3d(inputOf(call, 'input'), inputOf(call, 'weight'), call.inputs.bias, convOptions(call)),
  'torch.nn.functional.conv_transpose1d': (call) =>
    ops.convTranspose1d(inputOf(call, 'input'), inputOf(call, 'weight'), call.inputs.bias, transposeOptions(call)),
  'torch.nn.functional.conv_transpose2d': (call) =>
    ops.convTranspose2d(inputOf(call, 'input'), inputOf(call, 'weight'), call.inputs.bias, transposeOptions(call)),
  'torch.nn.functional.conv_transpose3d': (call) =>
    ops.convTranspose3d(inputOf(call, 'input'), inputOf(call, 'weight'), call.inputs.bias, transposeOptions(call)),
}
