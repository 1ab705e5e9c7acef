/** PyTorch's functions that gather, scatter, select and sort, by the names of the reference entries. */
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import {
  booleanSetting,
  choiceSetting,
  fixedSetting,
  inputList,
  inputOf,
  numberSetting,
  numbersSetting,
  type OpCall,
  type OpTargets,
  operandOf,
  optionalNumber,
  withoutEffect,
} from '../target.ts'
import { counted, isWhole, orderedWithIndices } from './promotion.ts'

function axisOf(call: OpCall, fallback?: number): number {
  return numberSetting(call.settings, 'dim', fallback)
}

function sortOptions({ settings }: OpCall): ops.SortOptions {
  // Ours is stable in any case.
  withoutEffect(settings, 'stable')
  return { descending: booleanSetting(settings, 'descending', false) }
}

const scatterReductions = ['sum', 'prod', 'mean', 'amax', 'amin'] as const

/** PyTorch's scatter, whose source may be a number, and its older names for two of the reductions. */
function scatter(call: OpCall): Tensor {
  const [input, index, axis] = [inputOf(call, 'input'), inputOf(call, 'index'), axisOf(call)]
  const source = call.inputs.src ?? numberSetting(call.settings, 'value')
  if ((call.settings.reduce ?? null) === null) return ops.scatter(input, index, source, axis)
  const reduce = choiceSetting(call.settings, 'reduce', ['add', 'multiply'])
  return ops.scatterReduce(input, index, source, axis, reduce === 'add' ? 'sum' : 'prod')
}

/** `indices.0`, `indices.1`, ... or, where a setting `axes` says so, those of these axes only. */
function indicesOf(call: OpCall): ops.AxisIndex[] {
  const given = inputList(call, 'indices')
  if (call.settings.axes === undefined) return given
  const axes = numbersSetting(call.settings, 'axes')
  return Array.from({ length: Math.max(...axes) + 1 }, (_, axis) => given[axes.indexOf(axis)] ?? null)
}

function index(call: OpCall): Tensor {
  return ops.index(inputOf(call, 'input'), indicesOf(call))
}

/** Rows that are looked up, and longer than `max_norm`, shortened to it; their gradient is that of the shortened ones. */
function shortened(call: OpCall, weight: Tensor): Tensor {
  const order = numberSetting(call.settings, 'norm_type', 2)
  const limit = optionalNumber(call.settings, 'max_norm')
  if (limit === undefined) return weight
  const counts = ops.bincount(ops.flatten(inputOf(call, 'input')), weight.shape[0] ?? 0)
  const length = ops.vectorNorm(weight, order, 1, { keepDims: true })
  const isLong = ops.logicalAnd(ops.greater(length, limit), ops.unsqueeze(ops.greater(counts, 0), 1))
  const change = ops.mul(weight, ops.where(isLong, ops.sub(ops.div(limit, ops.add(length, 1e-7)), 1), 0))
  return ops.add(weight, ops.stopGradient(change))
}

function embedding(call: OpCall): Tensor {
  const { settings } = call
  withoutEffect(settings, 'sparse') // how the gradient is stored
  const [index, paddingIndex] = [inputOf(call, 'input'), optionalNumber(settings, 'padding_idx')]
  const weight = shortened(call, inputOf(call, 'weight'))
  const rows = ops.embedding(index, weight, paddingIndex === undefined ? {} : { paddingIndex })
  if (!booleanSetting(settings, 'scale_grad_by_freq', false)) return rows
  const counts = ops.cast(ops.bincount(ops.flatten(index), weight.shape[0] ?? 0), 'float32')
  const share = ops.unsqueeze(ops.reciprocal(ops.indexSelect(counts, index, 0)), -1)
  const fixed = ops.stopGradient(rows)
  return ops.add(fixed, ops.mul(ops.sub(rows, fixed), share)) // the rows, with a part of their gradient
}

function embeddingBag(call: OpCall): Tensor {
  const { settings, inputs } = call
  fixedSetting(settings, 'max_norm', undefined)
  fixedSetting(settings, 'scale_grad_by_freq', false)
  withoutEffect(settings, 'norm_type', 'sparse') // of `max_norm`; how the gradient is stored
  const paddingIndex = optionalNumber(settings, 'padding_idx')
  const { offsets, per_sample_weights: perSampleWeights } = inputs
  return ops.embeddingBag(inputOf(call, 'input'), inputOf(call, 'weight'), {
    mode: choiceSetting(settings, 'mode', ['sum', 'mean', 'max'], 'mean'),
    includeLastOffset: booleanSetting(settings, 'include_last_offset', false),
    ...(offsets && { offsets }),
    ...(perSampleWeights && { perSampleWeights }),
    ...(paddingIndex !== undefined && { paddingIndex }),
  })
}

/** The largest of an input's numbers; -1 if there are none. */
const largestOf = (call: OpCall, name: string): number =>
  call.valuesOf(name).reduce((most, value) => Math.max(most, value), -1)

/** Beside whole numbers the value is cut to a whole one. */
function maskedFill(call: OpCall): Tensor {
  const [input, value] = [inputOf(call, 'input'), operandOf(call, 'value')]
  const fits = typeof value === 'number' && isWhole(input) ? Math.trunc(value) : value
  return ops.maskedFill(input, ops.cast(inputOf(call, 'mask'), 'bool'), fits)
}

/** `sorter`: the order in which the sequence is sorted. */
function searchsorted(call: OpCall): Tensor {
  const [sequence, { sorter }] = [inputOf(call, 'sorted_sequence'), call.inputs]
  return ops.searchsorted(sorter ? ops.gather(sequence, sorter, -1) : sequence, operandOf(call, 'input'), {
    right:
      booleanSetting(call.settings, 'right', false) ||
      choiceSetting(call.settings, 'side', ['left', 'right'], 'left') === 'right',
  })
}

export const targets: OpTargets = {
  'torch.nn.functional.embedding': embedding,
  'torch.gather': (call) => ops.gather(inputOf(call, 'input'), inputOf(call, 'index'), axisOf(call)),
  'torch.take_along_dim': (call) =>
    ops.takeAlongAxis(inputOf(call, 'input'), inputOf(call, 'indices'), optionalNumber(call.settings, 'dim')),
  // One place alone leaves an axis of size 1, too.
  'torch.index_select': (call) =>
    ops.indexSelect(inputOf(call, 'input'), ops.reshape(inputOf(call, 'index'), [-1]), axisOf(call)),
  'torch.scatter_add': (call) =>
    ops.scatterAdd(inputOf(call, 'input'), inputOf(call, 'index'), inputOf(call, 'src'), axisOf(call)),
  'torch.scatter': scatter,
  'torch.scatter_reduce': (call) =>
    ops.scatterReduce(
      inputOf(call, 'input'),
      inputOf(call, 'index'),
      inputOf(call, 'src'),
      axisOf(call),
      choiceSetting(call.settings, 'reduce', scatterReductions),
      { includeSelf: booleanSetting(call.settings, 'include_self', true) },
    ),
  'torch.index_copy': (call) =>
    ops.indexCopy(inputOf(call, 'input'), inputOf(call, 'index'), inputOf(call, 'source'), axisOf(call)),
  'torch.index_put': (call) =>
    ops.indexPut(inputOf(call, 'input'), indicesOf(call), operandOf(call, 'values'), {
      accumulate: booleanSetting(call.settings, 'accumulate', false),
    }),
  'torch.masked_scatter': (call) =>
    ops.maskedScatter(inputOf(call, 'input'), ops.cast(inputOf(call, 'mask'), 'bool'), inputOf(call, 'source')),
  index,
  'torch.nn.functional.embedding_bag': embeddingBag,
  'torch.index_add': (call) =>
    ops.indexAdd(inputOf(call, 'input'), inputOf(call, 'index'), inputOf(call, 'source'), axisOf(call), {
      alpha: numberSetting(call.settings, 'alpha', 1),
    }),
  masked_fill: maskedFill,
  'torch.nn.functional.one_hot': (call) => {
    const classes = numberSetting(call.settings, 'num_classes', -1)
    return ops.oneHot(inputOf(call, 'input'), classes === -1 ? 1 + largestOf(call, 'input') : classes)
  },
  'torch.bucketize': (call) =>
    ops.searchsorted(inputOf(call, 'boundaries'), operandOf(call, 'input'), {
      right: booleanSetting(call.settings, 'right', false),
    }),
  'torch.topk': (call) => {
    // Unsorted, any order is correct, so ours is.
    withoutEffect(call.settings, 'sorted')
    return ops.topk(inputOf(call, 'input'), numberSetting(call.settings, 'k'), axisOf(call, -1), {
      largest: booleanSetting(call.settings, 'largest', true),
    })
  },
  'torch.sort': (call) => ops.sort(inputOf(call, 'input'), axisOf(call, -1), sortOptions(call)),
  'torch.argsort': (call) => ops.argsort(inputOf(call, 'input'), axisOf(call, -1), sortOptions(call)),
  'torch.cumsum': (call) => ops.cumsum(counted(inputOf(call, 'input')), axisOf(call)),
  'torch.cumprod': (call) => ops.cumprod(counted(inputOf(call, 'input')), axisOf(call)),
  'torch.logcumsumexp': (call) => ops.logCumsumExp(inputOf(call, 'input'), axisOf(call)),
  'torch.cummax': (call) => orderedWithIndices(ops.cummax)(inputOf(call, 'input'), axisOf(call)),
  'torch.cummin': (call) => orderedWithIndices(ops.cummin)(inputOf(call, 'input'), axisOf(call)),
  'torch.searchsorted': searchsorted,
  'torch.bincount': (call) => {
    const weights = call.inputs.weights
    const length = Math.max(numberSetting(call.settings, 'minlength', 0), 1 + largestOf(call, 'input'))
    return ops.bincount(inputOf(call, 'input'), length, weights ? { weights } : {})
  },
}
