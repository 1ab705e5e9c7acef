/** PyTorch's losses and similarities, by the names of the reference entries. */
import * as ops from '../../ops/index.ts'
import {
  booleanSetting,
  choiceSetting,
  inputOf,
  numberSetting,
  type OpCall,
  type OpTarget,
  type OpTargets,
  operandOf,
} from '../target.ts'

const reductions = ['mean', 'sum', 'none'] as const

function reduction({ settings }: OpCall): ops.Reduction {
  return choiceSetting(settings, 'reduction', reductions, 'mean')
}

function classOptions(call: OpCall): ops.ClassLossOptions {
  const { weight } = call.inputs
  return {
    reduction: reduction(call),
    ignoreIndex: numberSetting(call.settings, 'ignore_index', -100),
    ...(weight && { weight }),
  }
}

function weightOptions(call: OpCall): ops.WeightedLossOptions {
  const { weight } = call.inputs
  return { reduction: reduction(call), ...(weight && { weight }) }
}

function binaryOptions(call: OpCall): ops.WeightedLossOptions & { readonly posWeight?: ops.Operand } {
  const { pos_weight: posWeight } = call.inputs
  return { ...weightOptions(call), ...(posWeight && { posWeight }) }
}

function klReduction({ settings }: OpCall): ops.Reduction | 'batchmean' {
  return choiceSetting(settings, 'reduction', ['batchmean', ...reductions], 'mean')
}

/** Targets of 1 and -1, whose dtype the reference leaves open. */
function signs(call: OpCall): ops.Operand {
  return ops.cast(inputOf(call, 'target'), 'float32')
}

function margin(call: OpCall, fallback: number): { readonly margin: number; readonly reduction: ops.Reduction } {
  return { margin: numberSetting(call.settings, 'margin', fallback), reduction: reduction(call) }
}

const regression =
  (f: (call: OpCall, x: ops.Operand, y: ops.Operand) => ReturnType<typeof ops.mseLoss>): OpTarget =>
  (call) =>
    f(call, inputOf(call, 'input'), inputOf(call, 'target'))

export const targets: OpTargets = {
  'torch.nn.functional.cross_entropy': regression((call, x, y) =>
    ops.crossEntropy(x, y, {
      ...classOptions(call),
      labelSmoothing: numberSetting(call.settings, 'label_smoothing', 0),
    }),
  ),
  'torch.nn.functional.nll_loss': regression((call, x, y) => ops.nllLoss(x, y, classOptions(call))),
  'torch.nn.functional.binary_cross_entropy_with_logits': regression((call, x, y) =>
    ops.bceWithLogits(x, y, binaryOptions(call)),
  ),
  'torch.nn.functional.binary_cross_entropy': regression((call, x, y) =>
    ops.binaryCrossEntropy(x, y, binaryOptions(call)),
  ),
  'torch.nn.functional.mse_loss': regression((call, x, y) => ops.mseLoss(x, y, weightOptions(call))),
  'torch.nn.functional.l1_loss': regression((call, x, y) => ops.l1Loss(x, y, weightOptions(call))),
  'torch.nn.functional.smooth_l1_loss': regression((call, x, y) =>
    ops.smoothL1Loss(x, y, { reduction: reduction(call), beta: numberSetting(call.settings, 'beta', 1) }),
  ),
  'torch.nn.functional.huber_loss': regression((call, x, y) =>
    ops.huberLoss(x, y, { ...weightOptions(call), delta: numberSetting(call.settings, 'delta', 1) }),
  ),
  'torch.nn.functional.kl_div': regression((call, x, y) =>
    ops.klDiv(x, y, { reduction: klReduction(call), logTarget: booleanSetting(call.settings, 'log_target', false) }),
  ),
  'torch.nn.functional.cosine_similarity': (call) =>
    ops.cosineSimilarity(inputOf(call, 'x1'), inputOf(call, 'x2'), {
      axis: numberSetting(call.settings, 'dim', 1),
      eps: numberSetting(call.settings, 'eps', 1e-8),
    }),
  'torch.nn.functional.pairwise_distance': (call) =>
    ops.pairwiseDistance(inputOf(call, 'x1'), inputOf(call, 'x2'), {
      p: numberSetting(call.settings, 'p', 2),
      eps: numberSetting(call.settings, 'eps', 1e-6),
      keepDims: booleanSetting(call.settings, 'keepdim', false),
    }),
  'torch.nn.functional.cosine_embedding_loss': (call) =>
    ops.cosineEmbeddingLoss(inputOf(call, 'input1'), inputOf(call, 'input2'), signs(call), margin(call, 0)),
  'torch.nn.functional.margin_ranking_loss': (call) =>
    ops.marginRankingLoss(inputOf(call, 'input1'), inputOf(call, 'input2'), signs(call), margin(call, 0)),
  'torch.nn.functional.triplet_margin_loss': (call) =>
    ops.tripletMarginLoss(inputOf(call, 'anchor'), inputOf(call, 'positive'), inputOf(call, 'negative'), {
      ...margin(call, 1),
      p: numberSetting(call.settings, 'p', 2),
      eps: numberSetting(call.settings, 'eps', 1e-6),
      swap: booleanSetting(call.settings, 'swap', false),
    }),
  'torch.nn.functional.hinge_embedding_loss': (call) =>
    ops.hingeEmbeddingLoss(inputOf(call, 'input'), signs(call), margin(call, 1)),
  'torch.nn.functional.gaussian_nll_loss': (call) =>
    ops.gaussianNllLoss(inputOf(call, 'input'), inputOf(call, 'target'), operandOf(call, 'var'), {
      reduction: reduction(call),
      full: booleanSetting(call.settings, 'full', false),
      eps: numberSetting(call.settings, 'eps', 1e-6),
    }),
  'torch.nn.functional.poisson_nll_loss': regression((call, x, y) =>
    ops.poissonNllLoss(x, y, {
      reduction: reduction(call),
      logInput: booleanSetting(call.settings, 'log_input', true),
      full: booleanSetting(call.settings, 'full', false),
      eps: numberSetting(call.settings, 'eps', 1e-8),
    }),
  ),
  'torch.nn.functional.soft_margin_loss': (call) =>
    ops.softMarginLoss(inputOf(call, 'input'), signs(call), { reduction: reduction(call) }),
  'torch.nn.functional.multilabel_soft_margin_loss': regression((call, x, y) =>
    ops.multilabelSoftMarginLoss(x, y, binaryOptions(call)),
  ),
}
