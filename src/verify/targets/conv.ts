/** PyTorch's convolutions, by the names of the reference entries. */
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import {
  batched,
  inputOf,
  numberSetting,
  type OpCall,
  type OpTarget,
  type OpTargets,
  perAxisSetting,
} from '../target.ts'

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

type Conv = (x: Tensor, weight: Tensor, bias: Tensor | undefined, call: OpCall) => Tensor

const onExamples =
  (axes: number, f: Conv): OpTarget =>
  (call) =>
    batched(inputOf(call, 'input'), axes + 2, (x) => f(x, inputOf(call, 'weight'), call.inputs.bias, call))

export const targets: OpTargets = {
  'torch.nn.functional.conv1d': onExamples(1, (x, w, b, call) => ops.conv1d(x, w, b, convOptions(call))),
  'torch.nn.functional.conv2d': onExamples(2, (x, w, b, call) => ops.conv2d(x, w, b, convOptions(call))),
  'torch.nn.functional.conv3d': onExamples(3, (x, w, b, call) => ops.conv3d(x, w, b, convOptions(call))),
  'torch.nn.functional.conv_transpose1d': onExamples(1, (x, w, b, call) =>
    ops.convTranspose1d(x, w, b, transposeOptions(call)),
  ),
  'torch.nn.functional.conv_transpose2d': onExamples(2, (x, w, b, call) =>
    ops.convTranspose2d(x, w, b, transposeOptions(call)),
  ),
  'torch.nn.functional.conv_transpose3d': onExamples(3, (x, w, b, call) =>
    ops.convTranspose3d(x, w, b, transposeOptions(call)),
  ),
}
