/** PyTorch's activations and softmaxes, by the names of the reference entries. */
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import {
  choiceSetting,
  inputOf,
  numberSetting,
  type OpCall,
  type OpTarget,
  type OpTargets,
  withoutEffect,
} from '../target.ts'

const unary =
  (f: (x: Tensor) => Tensor): OpTarget =>
  (call) => {
    withoutEffect(call.settings, 'inplace') // where the result is written
    return f(inputOf(call, 'input'))
  }

const number = ({ settings }: OpCall, name: string, fallback: number): number => numberSetting(settings, name, fallback)

const along =
  (f: (x: Tensor, axis: number) => Tensor): OpTarget =>
  (call) =>
    f(inputOf(call, 'input'), number(call, 'dim', -1))

export const targets: OpTargets = {
  'torch.nn.functional.gelu': (call) =>
    ops.gelu(inputOf(call, 'input'), {
      approximate: choiceSetting(call.settings, 'approximate', ['none', 'tanh'], 'none'),
    }),
  quick_gelu: unary(ops.quickGelu),
  'torch.nn.functional.silu': unary(ops.silu),
  'torch.nn.functional.relu': unary(ops.relu),
  'torch.nn.functional.relu6': unary(ops.relu6),
  'torch.nn.functional.softsign': unary(ops.softsign),
  'torch.nn.functional.tanhshrink': unary(ops.tanhshrink),
  'torch.nn.functional.logsigmoid': unary(ops.logSigmoid),
  'torch.nn.functional.hardswish': unary(ops.hardswish),
  'torch.nn.functional.hardsigmoid': unary(ops.hardsigmoid),
  'torch.nn.functional.mish': unary(ops.mish),
  'torch.nn.functional.selu': unary(ops.selu),
  'torch.tanh': unary(ops.tanh),
  'torch.sigmoid': unary(ops.sigmoid),
  'torch.nn.functional.leaky_relu': (call) =>
    ops.leakyRelu(inputOf(call, 'input'), { negativeSlope: number(call, 'negative_slope', 0.01) }),
  'torch.nn.functional.elu': (call) => ops.elu(inputOf(call, 'input'), { alpha: number(call, 'alpha', 1) }),
  'torch.nn.functional.celu': (call) => ops.celu(inputOf(call, 'input'), { alpha: number(call, 'alpha', 1) }),
  'torch.nn.functional.softplus': (call) =>
    ops.softplus(inputOf(call, 'input'), { beta: number(call, 'beta', 1), threshold: number(call, 'threshold', 20) }),
  'torch.nn.functional.hardtanh': (call) =>
    ops.hardtanh(inputOf(call, 'input'), { min: number(call, 'min_val', -1), max: number(call, 'max_val', 1) }),
  'torch.nn.functional.threshold': (call) =>
    ops.threshold(inputOf(call, 'input'), number(call, 'threshold', 0), number(call, 'value', 0)),
  'torch.nn.functional.softshrink': (call) =>
    ops.softshrink(inputOf(call, 'input'), { lambda: number(call, 'lambd', 0.5) }),
  'torch.nn.functional.hardshrink': (call) =>
    ops.hardshrink(inputOf(call, 'input'), { lambda: number(call, 'lambd', 0.5) }),
  'torch.nn.functional.glu': along(ops.glu),
  geglu: along(ops.geglu),
  swiglu: along(ops.swiglu),
  'torch.nn.functional.prelu': (call) => ops.prelu(inputOf(call, 'input'), inputOf(call, 'weight')),
  'torch.nn.functional.softmax': along(ops.softmax),
  'torch.nn.functional.log_softmax': along(ops.logSoftmax),
  'torch.nn.functional.softmin': along(ops.softmin),
  'softmax-temperature': (call) =>
    ops.softmaxWithTemperature(inputOf(call, 'input'), number(call, 'temperature', 1), number(call, 'dim', -1)),
}
