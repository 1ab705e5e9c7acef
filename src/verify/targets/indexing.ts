/** PyTorch's functions that gather, scatter, select and sort, by the names of the reference entries. */
import * as ops from '../../ops/index.ts'
import {
  booleanSetting,
  choiceSetting,
  fixedSetting,
  inputOf,
  numberSetting,
  type OpCall,
  type OpTargets,
  operandOf,
  optionalNumber,
  withoutEffect,
} from '../target.ts'

function axisOf(call: OpCall, fallback?: number): number {
  return numberSetting(call.settings, 'dim', fallback)
}

function sortOptions({ settings }: OpCall): ops.SortOptions {
  // Ours is stable in any case.
  withoutEffect(settings, 'stable')
  return { descending: booleanSetting(settings, 'descending', false) }
}

export const targets: OpTargets = {
  'torch.nn.functional.embedding': (call) => {
    fixedSetting(call.settings, 'max_norm', undefined)
    fixedSetting(call.settings, 'scale_grad_by_freq', false)
    withoutEffect(call.settings, 'norm_type', 'sparse') // of `max_norm`; how the gradient is stored
    const paddingIndex = optionalNumber(call.settings, 'padding_idx')
    const options = paddingIndex === undefined ? {} : { paddingIndex }
    return ops.embedding(inputOf(call, 'input'), inputOf(call, 'weight'), options)
  },
  'torch.gather': (call) => ops.gather(inputOf(call, 'input'), inputOf(call, 'index'), axisOf(call)),
  'torch.take_along_dim': (call) =>
    ops.takeAlongAxis(inputOf(call, 'input'), inputOf(call, 'indices'), optionalNumber(call.settings, 'dim')),
  'torch.index_select': (call) => ops.indexSelect(inputOf(call, 'input'), inputOf(call, 'index'), axisOf(call)),
  'torch.scatter_add': (call) =>
    ops.scatterAdd(inputOf(call, 'input'), inputOf(call, 'index'), inputOf(call, 'src'), axisOf(call)),
  'torch.index_add': (call) =>
    ops.indexAdd(inputOf(call, 'input'), inputOf(call, 'index'), inputOf(call, 'source'), axisOf(call), {
      alpha: numberSetting(call.settings, 'alpha', 1),
    }),
  masked_fill: (call) =>
    ops.maskedFill(inputOf(call, 'input'), ops.cast(inputOf(call, 'mask'), 'bool'), operandOf(call, 'value')),
  'torch.nn.functional.one_hot': (call) =>
    ops.oneHot(inputOf(call, 'input'), numberSetting(call.settings, 'num_classes')),
  'torch.topk': (call) => {
    // Unsorted, any order is correct, so ours is.
    withoutEffect(call.settings, 'sorted')
    return ops.topk(inputOf(call, 'input'), numberSetting(call.settings, 'k'), axisOf(call, -1), {
      largest: booleanSetting(call.settings, 'largest', true),
    })
  },
  'torch.sort': (call) => ops.sort(inputOf(call, 'input'), axisOf(call, -1), sortOptions(call)),
  'torch.argsort': (call) => ops.argsort(inputOf(call, 'input'), axisOf(call, -1), sortOptions(call)),
  'torch.cumsum': (call) => ops.cumsum(inputOf(call, 'input'), axisOf(call)),
  'torch.cumprod': (call) => ops.cumprod(inputOf(call, 'input'), axisOf(call)),
  'torch.logcumsumexp': (call) => ops.logCumsumExp(inputOf(call, 'input'), axisOf(call)),
  'torch.cummax': (call) => ops.cummax(inputOf(call, 'input'), axisOf(call)),
  'torch.cummin': (call) => ops.cummin(inputOf(call, 'input'), axisOf(call)),
  'torch.searchsorted': (call) =>
    ops.searchsorted(inputOf(call, 'sorted_sequence'), operandOf(call, 'input'), {
      right:
        booleanSetting(call.settings, 'right', false) ||
        choiceSetting(call.settings, 'side', ['left', 'right'], 'left') === 'right',
    }),
  'torch.bincount': (call) => {
    const weights = call.inputs.weights
    const length = numberSetting(call.settings, 'minlength')
    return ops.bincount(inputOf(call, 'input'), length, weights ? { weights } : {})
  },
}
