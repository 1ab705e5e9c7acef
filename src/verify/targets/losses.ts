/** PyTorch's losses and similarities, by the names of the reference entries. */
import * as ops from '../../ops/index.ts'
import {
  booleanSetting,
  inputOf,
  numberSetting,
  type OpCall,
  type OpTarget,
  type OpTargets,
  stringSetting,
} from '../target.ts'

function reduction({ settings }: OpCall): ops.Reduction {
  const name = stringSetting(settings, 'reduction', 'mean')
  return name === 'sum' || name === 'none' ? name : 'mean'
}

function classOptions(call: OpCall): ops.CrossEntropyOptions {
  const { weight } = call.inputs
  return {
    reduction: reduction(call),
    ignoreIndex: numberSetting(call.settings, 'ignore_index', -100),
    labelSmoothing: numberSetting(call.settings, 'label_smoothing', 0),
    ...(weight && { weight }),
  }
}

function binaryOptions(call: OpCall): ops.BinaryLossOptions & { readonly posWeight?: ops.Operand } {
  const { weight, pos_weight: posWeight } = call.inputs
  return { reduction: reduction(call), ...(weight && { weight }), ...(posWeight && { posWeight }) }
}

function klReduction(call: OpCall): ops.Reduction | 'batchmean' {
  return stringSetting(call.settings, 'reduction', 'mean') === 'batchmean' ? 'batchmean' : reduction(call)
}

const regression =
  (f: (call: OpCall, x: ops.Operand, y: ops.Operand) => ReturnType<typeof ops.mseLoss>): OpTarget =>
  (call) =>
    f(call, inputOf(call, 'input'), inputOf(call, 'target'))

export const targets: OpTargets = {
  'torch.nn.functional.cross_entropy': regression((call, x, y) => ops.crossEntropy(x, y, classOptions(call))),
  'torch.nn.functional.nll_loss': regression((call, x, y) => ops.nllLoss(x, y, classOptions(call))),
  'torch.nn.functional.binary_cross_entropy_with_logits': regression((call, x, y) =>
    ops.bceWithLogits(x, y, binaryOptions(call)),
  ),
  'torch.nn.functional.binary_cross_entropy': regression((call, x, y) =>
    ops.binaryCrossEntropy(x, y, binaryOptions(call)),
  ),
  'torch.nn.functional.mse_loss': regression((call, x, y) => ops.mseLoss(x, y, { reduction: reduction(call) })),
  'torch.nn.functional.l1_loss': regression((call, x, y) => ops.l1Loss(x, y, { reduction: reduction(call) })),
  'torch.nn.functional.smooth_l1_loss': regression((call, x, y) =>
    ops.smoothL1Loss(x, y, { reduction: reduction(call), beta: numberSetting(call.settings, 'beta', 1) }),
  ),
  'torch.nn.functional.huber_loss': regression((call, x, y) =>
    ops.huberLoss(x, y, { reduction: reduction(call), delta: numberSetting(call.settings, 'delta', 1) }),
  ),
  'torch.nn.functional.kl_div': regression((call, x, y) =>
    ops.klDiv(x, y, { reduction: klReduction(call), logTarget: booleanSetting(call.settings, 'log_target', false) }),
  ),
  'torch.nn.functional.normalize': (call) =>
    ops.normalize(inputOf(call, 'input'), {
      p: numberSetting(call.settings, 'p', 2),
      axis: numberSetting(call.settings, 'dim', 1),
      eps: numberSetting(call.settings, 'eps', 1e-12),
    }),
  'torch.nn.functional.cosine_similarity': (call) =>
    ops.cosineSimilarity(inputOf(call, 'x1'), inputOf(call, 'x2'), {
      axis: numberSetting(call.settings, 'dim', 1),
      eps: numberSetting(call.settings, 'eps', 1e-8),
    }),
}
