/** PyTorch's normalisation functions, by the names of the reference entries. */
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import {
  booleanSetting,
  inputOf,
  numberSetting,
  numbersSetting,
  type OpCall,
  type OpTargets,
  withoutEffect,
} from '../target.ts'

function normOptions(call: OpCall): ops.NormOptions {
  const { weight, bias } = call.inputs
  return { weight, bias, eps: numberSetting(call.settings, 'eps', 1e-5) }
}

function byRunningStatistics(call: OpCall): Tensor {
  withoutEffect(call.settings, 'momentum') // of statistics that are not updated
  const [mean, variance] = [inputOf(call, 'running_mean'), inputOf(call, 'running_var')]
  return ops.batchNorm(inputOf(call, 'input'), mean, variance, normOptions(call))
}

/** Running statistics may be missing where only the output is asked for. */
function batchNormTrain(call: OpCall): ops.BatchNormResult {
  const input = inputOf(call, 'input')
  const channels = input.shape.slice(1, 2)
  const { running_mean: mean = ops.zeros(channels), running_var: variance = ops.ones(channels) } = call.inputs
  const momentum = numberSetting(call.settings, 'momentum', 0.1)
  return ops.batchNormTrain(input, mean, variance, { ...normOptions(call), momentum })
}

/** By the statistics of each example; the running ones, if given, are updated but are not an output. */
function instanceNorm(call: OpCall): Tensor {
  withoutEffect(call.settings, 'momentum')
  void [call.inputs.running_mean, call.inputs.running_var]
  return ops.instanceNorm(inputOf(call, 'input'), normOptions(call))
}

export const targets: OpTargets = {
  'torch.nn.functional.layer_norm': (call) =>
    ops.layerNorm(inputOf(call, 'input'), numbersSetting(call.settings, 'normalized_shape'), normOptions(call)),
  'torch.nn.functional.rms_norm': (call) =>
    ops.rmsNorm(inputOf(call, 'input'), numbersSetting(call.settings, 'normalized_shape'), {
      weight: call.inputs.weight,
      eps: numberSetting(call.settings, 'eps', 2 ** -23),
    }),
  'torch.nn.functional.group_norm': (call) =>
    ops.groupNorm(inputOf(call, 'input'), numberSetting(call.settings, 'num_groups'), normOptions(call)),
  'torch.nn.functional.instance_norm': (call) =>
    booleanSetting(call.settings, 'use_input_stats', true) ? instanceNorm(call) : byRunningStatistics(call),
  'torch.nn.functional.batch_norm': (call) =>
    booleanSetting(call.settings, 'training', false) ? batchNormTrain(call).output : byRunningStatistics(call),
  'torch.nn.functional.local_response_norm': (call) =>
    ops.localResponseNorm(inputOf(call, 'input'), numberSetting(call.settings, 'size'), {
      alpha: numberSetting(call.settings, 'alpha', 1e-4),
      beta: numberSetting(call.settings, 'beta', 0.75),
      k: numberSetting(call.settings, 'k', 1),
    }),
  'torch.nn.functional.normalize': (call) =>
    ops.normalize(inputOf(call, 'input'), {
      p: numberSetting(call.settings, 'p', 2),
      axis: numbersSetting(call.settings, 'dim', [1]),
      eps: numberSetting(call.settings, 'eps', 1e-12),
    }),
  spectral_norm: (call) => {
    const { weight, sigma, u, v } = ops.spectralNorm(inputOf(call, 'weight'), inputOf(call, 'u'), inputOf(call, 'v'), {
      iterations: numberSetting(call.settings, 'n_power_iterations', 1),
      eps: numberSetting(call.settings, 'eps', 1e-12),
    })
    return [weight, sigma, u, v]
  },
  batch_norm_train: (call) => {
    const { output, runningMean, runningVar } = batchNormTrain(call)
    return [output, runningMean, runningVar]
  },
}
