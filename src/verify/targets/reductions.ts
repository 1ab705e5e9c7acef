/** PyTorch's reductions, by the names of the reference entries. */
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import {
  booleanSetting,
  choiceSetting,
  inputOf,
  numberSetting,
  numbersSetting,
  type OpCall,
  type OpTarget,
  type OpTargets,
  optionalNumber,
  withoutEffect,
} from '../target.ts'
import { counted, ordered, orderedWithIndices } from './promotion.ts'

/** `dim`: null and [] mean all axes. */
function axesOf({ settings }: OpCall): ops.Axes {
  const value = settings.dim ?? null
  if (value === null || (Array.isArray(value) && value.length === 0)) return undefined
  return numbersSetting(settings, 'dim')
}

function keepDims({ settings }: OpCall): ops.ReduceOptions {
  return { keepDims: booleanSetting(settings, 'keepdim', false) }
}

function spread({ settings }: OpCall): ops.VarianceOptions {
  const unbiased = booleanSetting(settings, 'unbiased', true) ? 1 : 0
  return {
    keepDims: booleanSetting(settings, 'keepdim', false),
    correction: numberSetting(settings, 'correction', unbiased),
  }
}

function reduced(f: (x: Tensor, axes: ops.Axes, options: ops.ReduceOptions) => Tensor): OpTarget {
  return (call) => f(inputOf(call, 'input'), axesOf(call), keepDims(call))
}

type Extremum = (x: Tensor, axis: number, options: ops.ReduceOptions) => readonly [Tensor, Tensor]

/** Over one axis: values and indices; without one: the value alone. */
function withIndices(f: Extremum, full: (x: Tensor) => Tensor): OpTarget {
  return (call) => {
    const axis = optionalNumber(call.settings, 'dim')
    const x = inputOf(call, 'input')
    return axis === undefined ? full(x) : f(x, axis, keepDims(call))
  }
}

function argument(f: (x: Tensor, axis: number | undefined, options: ops.ReduceOptions) => Tensor): OpTarget {
  return (call) => f(inputOf(call, 'input'), optionalNumber(call.settings, 'dim'), keepDims(call))
}

const interpolations = ['linear', 'lower', 'higher', 'midpoint', 'nearest'] as const

function quantile(call: OpCall): Tensor {
  const { settings } = call
  const interpolation = choiceSetting(settings, 'interpolation', interpolations, 'linear')
  const q = Array.isArray(settings.q) ? numbersSetting(settings, 'q') : numberSetting(settings, 'q')
  return ops.quantile(inputOf(call, 'input'), q, optionalNumber(settings, 'dim'), { ...keepDims(call), interpolation })
}

export const targets: OpTargets = {
  'torch.sum': reduced((x, axes, options) => ops.sum(counted(x), axes, options)),
  'torch.mean': reduced(ops.mean),
  'torch.nansum': reduced((x, axes, options) => ops.nansum(counted(x), axes, options)),
  'torch.nanmean': reduced(ops.nanmean),
  'torch.cov': (call) => {
    const { fweights, aweights } = call.inputs
    return ops.cov(inputOf(call, 'input'), {
      correction: numberSetting(call.settings, 'correction', 1),
      ...(fweights && { fweights }),
      ...(aweights && { aweights }),
    })
  },
  'torch.corrcoef': (call) => ops.corrcoef(inputOf(call, 'input')),
  'torch.diff': (call) => {
    const { prepend, append } = call.inputs
    return ops.diff(inputOf(call, 'input'), {
      n: numberSetting(call.settings, 'n', 1),
      axis: numberSetting(call.settings, 'dim', -1),
      ...(prepend && { prepend }),
      ...(append && { append }),
    })
  },
  'torch.prod': reduced((x, axes, options) => ops.prod(counted(x), axes, options)),
  'torch.amax': reduced(ordered(ops.max)),
  'torch.amin': reduced(ordered(ops.min)),
  'torch.amax.full': (call) => ordered(ops.max)(inputOf(call, 'input')),
  'torch.amin.full': (call) => ordered(ops.min)(inputOf(call, 'input')),
  'torch.logsumexp': reduced((x, axes, options) => ops.logSumExp(ops.cast(x, 'float32'), axes, options)),
  'torch.any': reduced(ops.any),
  'torch.all': reduced(ops.all),
  'torch.count_nonzero': reduced(ops.countNonzero),
  'torch.max': withIndices(orderedWithIndices(ops.maxWithIndices), ordered(ops.max)),
  'torch.min': withIndices(orderedWithIndices(ops.minWithIndices), ordered(ops.min)),
  'torch.median': withIndices(ops.medianWithIndices, ops.median),
  'torch.argmax': argument(ops.argmax),
  'torch.argmin': argument(ops.argmin),
  'torch.var': (call) => ops.variance(inputOf(call, 'input'), axesOf(call), spread(call)),
  'torch.std': (call) => ops.std(inputOf(call, 'input'), axesOf(call), spread(call)),
  'torch.var_mean': (call) => ops.varMean(inputOf(call, 'input'), axesOf(call), spread(call)),
  'torch.std_mean': (call) => [
    ops.std(inputOf(call, 'input'), axesOf(call), spread(call)),
    ops.mean(inputOf(call, 'input'), axesOf(call), keepDims(call)),
  ],
  'torch.linalg.vector_norm': (call) =>
    ops.vectorNorm(inputOf(call, 'x'), numberSetting(call.settings, 'ord', 2), axesOf(call), keepDims(call)),
  'torch.quantile': quantile,
  'torch.cdist': (call) => {
    withoutEffect(call.settings, 'compute_mode') // a choice between ways to the same result
    return ops.cdist(inputOf(call, 'x1'), inputOf(call, 'x2'), { order: numberSetting(call.settings, 'p', 2) })
  },
  'torch.trace': (call) => ops.trace(inputOf(call, 'input')),
}
