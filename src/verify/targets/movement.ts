/** PyTorch's functions that move data, by the names of the reference entries. */
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import {
  choiceSetting,
  inputList,
  inputOf,
  numberSetting,
  numbersSetting,
  type OpCall,
  type OpTarget,
  type OpTargets,
  optionalNumber,
} from '../target.ts'
import { widest } from './promotion.ts'

/** A setting that is a number, a list of numbers, or absent. */
function axesSetting(call: OpCall, name: string): number | readonly number[] | undefined {
  const value = call.settings[name] ?? null
  if (value === null) return undefined
  return typeof value === 'number' ? value : numbersSetting(call.settings, name)
}

function requiredAxes(call: OpCall, name: string): number | readonly number[] {
  return axesSetting(call, name) ?? numbersSetting(call.settings, name)
}

/** A function of `input` and its settings. */
function moved(f: (x: Tensor, call: OpCall) => Tensor | readonly Tensor[]): OpTarget {
  return (call) => f(inputOf(call, 'input'), call)
}

function axisOf(call: OpCall, fallback?: number): number {
  return numberSetting(call.settings, 'dim', fallback)
}

const padModes = ['constant', 'reflect', 'replicate', 'circular'] as const

function diagonalOptions({ settings }: OpCall, axis1: number, axis2: number): ops.DiagonalOptions {
  return {
    offset: numberSetting(settings, 'offset', 0),
    axis1: numberSetting(settings, 'dim1', axis1),
    axis2: numberSetting(settings, 'dim2', axis2),
  }
}

/** Windows of one axis: Tensor.unfold(dimension, size, step). */
const unfolded = moved((x, { settings }) =>
  ops.unfoldAxis(
    x,
    numberSetting(settings, 'dimension', optionalNumber(settings, 'dim')),
    numberSetting(settings, 'size'),
    numberSetting(settings, 'step'),
  ),
)

/** PyTorch leaves tensors of shape [0] out, whatever shape the others have, and widens the dtypes. */
function concat(call: OpCall): Tensor {
  const given = inputList(call, 'tensors')
  const dtype = widest(given)
  const filled = given.filter(({ shape }) => shape.length !== 1 || shape[0] !== 0)
  const joined = filled.length > 0 ? filled : given
  return ops.concat(
    joined.map((x) => ops.cast(x, dtype)),
    axisOf(call, 0),
  )
}

export const targets: OpTargets = {
  'torch.reshape': moved((x, { settings }) => ops.reshape(x, numbersSetting(settings, 'shape'))),
  'torch.permute': moved((x, { settings }) => ops.permute(x, numbersSetting(settings, 'dims'))),
  'torch.transpose': moved((x, { settings }) =>
    ops.transpose(x, numberSetting(settings, 'dim0'), numberSetting(settings, 'dim1')),
  ),
  'torch.squeeze': moved((x, call) => {
    const axes = axesSetting(call, 'dim')
    if (axes === undefined) return ops.squeeze(x)
    // PyTorch leaves axes of other sizes as they are.
    const list = typeof axes === 'number' ? [axes] : axes
    return ops.squeeze(
      x,
      list.filter((axis) => x.shape.at(axis) === 1),
    )
  }),
  'torch.unsqueeze': moved((x, call) => ops.unsqueeze(x, axisOf(call))),
  'torch.broadcast_to': moved((x, { settings }) => ops.broadcastTo(x, numbersSetting(settings, 'size'))),
  'torch.flatten': moved((x, { settings }) =>
    ops.flatten(x, numberSetting(settings, 'start_dim', 0), numberSetting(settings, 'end_dim', -1)),
  ),
  cat: concat,
  stack: (call) => ops.stack(inputList(call, 'tensors'), axisOf(call, 0)),
  split: moved((x, call) => ops.split(x, requiredAxes(call, 'split_size_or_sections'), axisOf(call, 0))),
  chunk: moved((x, call) => ops.chunk(x, numberSetting(call.settings, 'chunks'), axisOf(call, 0))),
  slice: moved((x, call) => {
    const [start, stop] = [optionalNumber(call.settings, 'start'), optionalNumber(call.settings, 'stop')]
    return ops.slice(x, [start ?? null, stop ?? null, numberSetting(call.settings, 'step', 1)], axisOf(call, 0))
  }),
  'torch.narrow': moved((x, { settings }) => {
    const start = numberSetting(settings, 'start')
    return ops.slice(x, [start, start + numberSetting(settings, 'length')], numberSetting(settings, 'dim'))
  }),
  'torch.select': moved((x, { settings }) =>
    ops.select(x, numberSetting(settings, 'index'), numberSetting(settings, 'dim')),
  ),
  'torch.unbind': moved((x, call) => {
    const axis = axisOf(call, 0)
    return Array.from({ length: x.shape.at(axis) ?? 0 }, (_, i) => ops.select(x, i, axis))
  }),
  'torch.Tensor.unfold': unfolded,
  'torch.unfold_copy': unfolded,
  'torch.flip': moved((x, { settings }) => ops.flip(x, numbersSetting(settings, 'dims'))),
  'torch.roll': moved((x, call) => {
    const axes = axesSetting(call, 'dims')
    // An empty list means the same as none.
    return ops.roll(x, requiredAxes(call, 'shifts'), Array.isArray(axes) && axes.length === 0 ? undefined : axes)
  }),
  'torch.tile': moved((x, { settings }) => ops.tile(x, numbersSetting(settings, 'dims'))),
  'torch.repeat_interleave': moved((x, call) => {
    const repeats = call.inputs.repeats ? call.valuesOf('repeats') : requiredAxes(call, 'repeats')
    return ops.repeatInterleave(x, repeats, optionalNumber(call.settings, 'dim'))
  }),
  'torch.nn.functional.pad': moved((x, call) =>
    ops.pad(x, numbersSetting(call.settings, 'pad'), {
      mode: choiceSetting(call.settings, 'mode', padModes, 'constant'),
      value: numberSetting(call.settings, 'value', 0),
    }),
  ),
  'torch.tril': moved((x, { settings }) => ops.tril(x, numberSetting(settings, 'diagonal', 0))),
  'torch.triu': moved((x, { settings }) => ops.triu(x, numberSetting(settings, 'diagonal', 0))),
  'torch.diagonal': moved((x, call) => ops.diagonal(x, diagonalOptions(call, 0, 1))),
  'torch.diag_embed': moved((x, call) => ops.diagEmbed(x, diagonalOptions(call, -2, -1))),
  'torch.movedim': moved((x, call) => ops.moveAxis(x, requiredAxes(call, 'source'), requiredAxes(call, 'destination'))),
}
