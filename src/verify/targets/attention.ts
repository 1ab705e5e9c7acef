/** PyTorch's attention, recurrent layers and FNet's Fourier mixing, by the names of the reference entries. */
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import {
  booleanSetting,
  fixedSetting,
  inputOf,
  numberSetting,
  type OpCall,
  type OpTarget,
  type OpTargets,
  optionalNumber,
  withoutEffect,
} from '../target.ts'

/** Boolean masks are stored as uint8; others are added to the scores. */
function maskOf(call: OpCall, name: string): Tensor | undefined {
  const mask = call.inputs[name]
  return mask?.dtype === 'uint8' ? ops.cast(mask, 'bool') : mask
}

function scaledDotProductAttention(call: OpCall): Tensor {
  fixedSetting(call.settings, 'dropout_p', 0)
  const mask = maskOf(call, 'attn_mask')
  const scale = optionalNumber(call.settings, 'scale')
  return ops.scaledDotProductAttention(inputOf(call, 'query'), inputOf(call, 'key'), inputOf(call, 'value'), {
    causal: booleanSetting(call.settings, 'is_causal', false),
    enableGqa: booleanSetting(call.settings, 'enable_gqa', false),
    ...(mask && { mask }),
    ...(scale !== undefined && { scale }),
  })
}

/** A mask of MultiheadAttention, in which 1 means ignore, as what is added to the scores. */
function additive(mask: Tensor): Tensor {
  return mask.dtype === 'bool' ? ops.where(mask, Number.NEGATIVE_INFINITY, 0) : mask
}

function multiHeadAttention(call: OpCall): Tensor[] {
  fixedSetting(call.settings, 'dropout', 0)
  withoutEffect(call.settings, 'need_weights') // they are an output of every entry
  const heads = numberSetting(call.settings, 'num_heads')
  // Axes of sequences and batches that are the other way round.
  const isSwapped = !booleanSetting(call.settings, 'batch_first', true) && inputOf(call, 'query').rank === 3
  const ordered = (x: Tensor): Tensor => (isSwapped ? ops.transpose(x, 0, 1) : x)
  const query = ordered(inputOf(call, 'query'))
  const [attend, padding] = [maskOf(call, 'attn_mask'), maskOf(call, 'key_padding_mask')]
  const masks: Tensor[] = []
  if (attend) masks.push(additive(attend.rank === 3 && query.rank === 3 ? perHead(attend, heads) : attend))
  if (padding) masks.push(ops.unsqueeze(ops.unsqueeze(additive(padding), -2), -2)) // [S], or [batch, S]
  const { output, weights } = ops.multiHeadAttention(
    query,
    ordered(inputOf(call, 'key')),
    ordered(inputOf(call, 'value')),
    {
      inProjWeight: call.inputs.in_proj_weight,
      qProjWeight: call.inputs.q_proj_weight,
      kProjWeight: call.inputs.k_proj_weight,
      vProjWeight: call.inputs.v_proj_weight,
      inProjBias: call.inputs.in_proj_bias,
      biasK: call.inputs.bias_k,
      biasV: call.inputs.bias_v,
      outProjWeight: inputOf(call, 'out_proj_weight'),
      outProjBias: call.inputs.out_proj_bias,
    },
    {
      heads,
      addZeroAttn: booleanSetting(call.settings, 'add_zero_attn', false),
      ...(masks.length > 0 && { mask: masks.reduce((sum, mask) => ops.add(sum, mask)) }),
    },
  )
  return [
    ordered(output),
    booleanSetting(call.settings, 'average_attn_weights', false) ? ops.mean(weights, -3) : weights,
  ]
}

/** [batch heads, L, S] -> [batch, heads, L, S]. */
function perHead(mask: Tensor, heads: number): Tensor {
  return ops.reshape(mask, [-1, heads, ...mask.shape.slice(1)])
}

/** `h0` and `c0` are [1, B, H]: one layer, one direction. */
function stateOf(call: OpCall, name: string): Tensor | undefined {
  const state = call.inputs[name]
  return state && ops.squeeze(state, 0)
}

function weightsOf(call: OpCall): ops.RecurrentWeights {
  for (const [name, value] of Object.entries({ num_layers: 1, bidirectional: false, batch_first: true, dropout: 0 })) {
    fixedSetting(call.settings, name, value)
  }
  return {
    weightIh: inputOf(call, 'weight_ih'),
    weightHh: inputOf(call, 'weight_hh'),
    biasIh: call.inputs.bias_ih,
    biasHh: call.inputs.bias_hh,
  }
}

function recurrent(run: (x: Tensor, weights: ops.RecurrentWeights, h: Tensor | undefined) => ops.Recurrent): OpTarget {
  return (call) => {
    const { output, h } = run(inputOf(call, 'input'), weightsOf(call), stateOf(call, 'h0'))
    return [output, ops.unsqueeze(h, 0)]
  }
}

function lstm(call: OpCall): Tensor[] {
  const state = { h: stateOf(call, 'h0'), c: stateOf(call, 'c0') }
  const { output, h, c } = ops.lstm(inputOf(call, 'input'), weightsOf(call), state)
  return [output, ops.unsqueeze(h, 0), ops.unsqueeze(c, 0)]
}

export const targets: OpTargets = {
  sdpa: scaledDotProductAttention,
  mha: multiHeadAttention,
  lstm,
  gru: recurrent((x, weights, h) => ops.gru(x, weights, { h })),
  rnn_tanh: recurrent((x, weights, h) => ops.rnn(x, weights, { h })),
  rnn_relu: recurrent((x, weights, h) => ops.rnn(x, weights, { h, nonlinearity: 'relu' })),
  fft2_real: (call) => ops.fft2Real(inputOf(call, 'input')),
}
