/** PyTorch's pooling, folding and resampling, by the names of the reference entries. */
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import {
  batched,
  booleanSetting,
  choiceSetting,
  fixedSetting,
  inputOf,
  numberSetting,
  numbersSetting,
  type OpCall,
  type OpTarget,
  type OpTargets,
  perAxisSetting,
} from '../target.ts'

function poolOptions({ settings }: OpCall): ops.PoolOptions {
  // An absent or empty stride means the kernel's size.
  const stride = Array.isArray(settings.stride) && settings.stride.length === 0 ? null : settings.stride
  return {
    ...(stride !== undefined && stride !== null && { stride: perAxisSetting(settings, 'stride') }),
    padding: perAxisSetting(settings, 'padding', 0),
    ceilMode: booleanSetting(settings, 'ceil_mode', false),
  }
}

const kernel = ({ settings }: OpCall): number | readonly number[] => perAxisSetting(settings, 'kernel_size')

function maxOptions(call: OpCall): ops.MaxPoolOptions {
  fixedSetting(call.settings, 'return_indices', false)
  return { ...poolOptions(call), dilation: perAxisSetting(call.settings, 'dilation', 1) }
}

function avgOptions(call: OpCall): ops.AvgPoolOptions {
  const { divisor_override: divisor } = call.settings
  return {
    ...poolOptions(call),
    countIncludePad: booleanSetting(call.settings, 'count_include_pad', true),
    ...(typeof divisor === 'number' && { divisorOverride: divisor }),
  }
}

function outputSize({ settings }: OpCall): ops.AdaptiveSize {
  fixedSetting(settings, 'return_indices', false)
  const { output_size: given } = settings
  return Array.isArray(given)
    ? given.map((size) => (size === null ? null : Number(size)))
    : numberSetting(settings, 'output_size')
}

function unfoldOptions({ settings }: OpCall): ops.UnfoldOptions {
  return {
    stride: perAxisSetting(settings, 'stride', 1),
    padding: perAxisSetting(settings, 'padding', 0),
    dilation: perAxisSetting(settings, 'dilation', 1),
  }
}

const onInput =
  (f: (call: OpCall, x: ReturnType<typeof inputOf>) => ReturnType<typeof ops.relu>): OpTarget =>
  (call) =>
    f(call, inputOf(call, 'input'))

const onExamples =
  (axes: number, f: (call: OpCall, x: Tensor) => Tensor): OpTarget =>
  (call) =>
    batched(inputOf(call, 'input'), axes + 2, (x) => f(call, x))

/** Any number of axes before those of a picture, or none. */
const onPictures = (f: (call: OpCall, x: Tensor) => Tensor): OpTarget =>
  onInput((call, x) => {
    const found = f(call, ops.reshape(x, [-1, ...x.shape.slice(-3)]))
    return ops.reshape(found, [...x.shape.slice(0, -3), ...found.shape.slice(1)])
  })

const modes = ['nearest', 'nearest-exact', 'linear', 'bilinear', 'trilinear', 'bicubic', 'area'] as const

function interpolateOptions({ settings }: OpCall): ops.InterpolateOptions {
  return {
    mode: choiceSetting(settings, 'mode', modes, 'nearest'),
    alignCorners: booleanSetting(settings, 'align_corners', false),
    antialias: booleanSetting(settings, 'antialias', false),
    recomputeScaleFactor: booleanSetting(settings, 'recompute_scale_factor', false),
    ...(isGiven(settings.scale_factor) && { scaleFactor: perAxisSetting(settings, 'scale_factor') }),
  }
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null

function gridOptions({ settings }: OpCall): ops.GridSampleOptions {
  return {
    mode: choiceSetting(settings, 'mode', ['bilinear', 'nearest', 'bicubic'], 'bilinear'),
    paddingMode: choiceSetting(settings, 'padding_mode', ['zeros', 'border', 'reflection'], 'zeros'),
    alignCorners: booleanSetting(settings, 'align_corners', false),
  }
}

export const targets: OpTargets = {
  'torch.nn.functional.max_pool1d': onExamples(1, (call, x) => ops.maxPool1d(x, kernel(call), maxOptions(call))),
  'torch.nn.functional.max_pool2d': onExamples(2, (call, x) => ops.maxPool2d(x, kernel(call), maxOptions(call))),
  'torch.nn.functional.max_pool3d': onExamples(3, (call, x) => ops.maxPool3d(x, kernel(call), maxOptions(call))),
  'torch.nn.functional.avg_pool1d': onExamples(1, (call, x) => ops.avgPool1d(x, kernel(call), avgOptions(call))),
  'torch.nn.functional.avg_pool2d': onExamples(2, (call, x) => ops.avgPool2d(x, kernel(call), avgOptions(call))),
  'torch.nn.functional.avg_pool3d': onExamples(3, (call, x) => ops.avgPool3d(x, kernel(call), avgOptions(call))),
  'torch.nn.functional.adaptive_avg_pool1d': onExamples(1, (call, x) => ops.adaptiveAvgPool1d(x, outputSize(call))),
  'torch.nn.functional.adaptive_avg_pool2d': onExamples(2, (call, x) => ops.adaptiveAvgPool2d(x, outputSize(call))),
  'torch.nn.functional.adaptive_avg_pool3d': onExamples(3, (call, x) => ops.adaptiveAvgPool3d(x, outputSize(call))),
  'torch.nn.functional.adaptive_max_pool1d': onExamples(1, (call, x) => ops.adaptiveMaxPool1d(x, outputSize(call))),
  'torch.nn.functional.adaptive_max_pool2d': onExamples(2, (call, x) => ops.adaptiveMaxPool2d(x, outputSize(call))),
  'torch.nn.functional.adaptive_max_pool3d': onExamples(3, (call, x) => ops.adaptiveMaxPool3d(x, outputSize(call))),
  'torch.nn.functional.unfold': onExamples(2, (call, x) => ops.unfold(x, kernel(call), unfoldOptions(call))),
  'torch.nn.functional.fold': onExamples(1, (call, x) =>
    ops.fold(x, perAxisSetting(call.settings, 'output_size'), kernel(call), unfoldOptions(call)),
  ),
  'torch.nn.functional.pixel_shuffle': onPictures((call, x) =>
    ops.pixelShuffle(x, numberSetting(call.settings, 'upscale_factor')),
  ),
  'torch.nn.functional.pixel_unshuffle': onPictures((call, x) =>
    ops.pixelUnshuffle(x, numberSetting(call.settings, 'downscale_factor')),
  ),
  'torch.nn.functional.interpolate': onInput((call, x) =>
    ops.interpolate(
      x,
      isGiven(call.settings.size) ? perAxisSetting(call.settings, 'size') : undefined,
      interpolateOptions(call),
    ),
  ),
  'torch.nn.functional.affine_grid': (call) =>
    ops.affineGrid(inputOf(call, 'theta'), numbersSetting(call.settings, 'size'), {
      alignCorners: booleanSetting(call.settings, 'align_corners', false),
    }),
  'torch.nn.functional.grid_sample': (call) =>
    ops.gridSample(inputOf(call, 'input'), inputOf(call, 'grid'), gridOptions(call)),
}
