/** Reference cases of the parts of Expire-Span: spans, attention, and which memories' spans get a gradient. */
import { gradient } from '../../../autodiff/gradient.ts'
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { FormatError } from '../../../util/errors.ts'
import { inputNamed, type NamedTensors, runModelCase } from '../../../verify/model-case.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  fixedSetting,
  inputArrays,
  inputsRead,
  numberSetting,
  type ReferenceCase,
  withoutEffect,
} from '../../../verify/target.ts'
import { distanceKeys, scaled } from '../attention.ts'
import { causalMask, ExpireSpanDrop, isOnRamp, SeqAttention } from '../expire-span.ts'
import { expireSpanConfig, parametersOf, spanSettings } from './configuration.ts'

/**
 * What noisy spans in training are moved by: undefined where they are not noisy, and in evaluation, where noise is passed over. Throws a
 * FormatError where the case has none.
 */
function spanNoise({ config, mode }: ReferenceCase, inputs: NamedTensors): { readonly noise?: Tensor } {
  if (mode !== 'train') {
    void inputs.block_span_noise // counts as read
    return {}
  }
  if (!booleanSetting(config, 'expire_span_noisy', false)) return {}
  const noise = inputs.block_span_noise
  if (!noise) throw new FormatError('noisy spans in training need the input "block_span_noise"')
  return { noise }
}

async function runDrop(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const { config } = reference
  const { expire_span_noisy: _noisy, expire_span_layerdrop: _layerdrop, ...spans } = spanSettings(reference)
  const [hid_sz, heads] = [numberSetting(config, 'hid_sz'), numberSetting(config, 'nheads')]
  withoutEffect(config, 'attn_lim', 'mem_sz') // size and block_len_M are what the part is made with
  const drop = new ExpireSpanDrop(
    { hid_sz, ...spans },
    numberSetting(config, 'size'),
    numberSetting(config, 'block_len_M'),
  )
  drop.loadStateDict(parametersOf(reference))
  return runModelCase(reference, drop, (inputs) => {
    const [hidden, ages] = [inputNamed(inputs, 'memory_hid'), inputNamed(inputs, 'current_counter')]
    const { mask, auxLoss, remaining } = drop.forward(hidden, ages, spanNoise(reference, inputs))
    const ofHeads = ops.repeatInterleave(mask, heads, 0) // [B K, M, L]
    const slight = inputs.cotangent_remaining_offset
    return {
      outputs: { mask: ofHeads, aux_loss: auxLoss, remaining_offset: remaining },
      weighted: [
        [ofHeads, inputs.cotangent_mask],
        [auxLoss, inputs.cotangent_aux_loss],
        [remaining, slight && ops.mul(slight, 0.01)],
      ],
    }
  })
}

function attentionOf(reference: ReferenceCase): SeqAttention {
  const config = expireSpanConfig(reference)
  fixedSetting(reference.config, 'data_omit_label_idx', null)
  const attention = new SeqAttention(config, distanceKeys(config, Math.min(config.attn_lim, config.mem_sz)))
  attention.loadStateDict(parametersOf(reference))
  attention.train(reference.mode === 'train')
  return attention
}

/** The attention with heads among the batch, as the official code has them: [B K, ...]. */
function attend(reference: ReferenceCase, attention: SeqAttention, inputs: NamedTensors) {
  const heads = numberSetting(reference.config, 'nheads')
  const [query, key, value] = ['query', 'key', 'value'].map((name) => {
    const given = inputNamed(inputs, name)
    const [bk, length, d] = given.sizes(3)
    return ops.reshape(given, [bk / heads, heads, length, d])
  }) as [Tensor, Tensor, Tensor]
  const columns = { hidden: inputNamed(inputs, 'memory_hid'), keys: key, values: value }
  const ages = inputNamed(inputs, 'memory_counter')
  const context = booleanSetting(reference.config, 'expire_span', false) ? spanNoise(reference, inputs) : {}
  const { output, spans, auxLoss } = attention.attend(scaled(query), columns, ages, context)
  const [b, k, m, d] = output.sizes(4)
  return { out: ops.reshape(output, [b * k, m, d]), spans, auxLoss }
}

async function runAttention(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const attention = attentionOf(reference)
  return runModelCase(reference, attention, (inputs) => {
    const { out, spans, auxLoss } = attend(reference, attention, inputs)
    return {
      outputs: { out, ...(spans && auxLoss && { spans: spans.remaining, aux_loss: auxLoss }) },
      weighted: [[out, inputs.cotangent], ...(auxLoss ? [[auxLoss, inputs.cotangent_aux_loss] as const] : [])],
    }
  })
}

/** The gradient of the task's or of the span loss with respect to every span, and who could have given it one. */
async function runSpanGradient(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const attention = attentionOf(reference)
  const run = compile((given: Record<string, Tensor>) => {
    const inputs = inputsRead(reference, given)
    const { out, spans, auxLoss } = attend(reference, attention, inputs)
    if (!spans || !auxLoss) throw new FormatError('setting "expire_span" must be true')
    const loss = inputs.cotangent ? ops.sum(ops.mul(out, inputs.cotangent)) : ops.mean(auxLoss)
    // One at a time: a gradient ends at its targets, and the spans lie behind their logits.
    const [[ofLogit], [ofSpan]] = [gradient(loss, [spans.logits]), gradient(loss, [spans.spans])]
    const [, m, l] = spans.mask.sizes(3)
    const onRamp = isOnRamp(spans.mask) // [B, M, L]
    const count = (flags: Tensor): Tensor => ops.sum(ops.cast(flags, 'int64'), 1)
    return {
      'output/span': spans.spans,
      'output/aux_loss': auxLoss,
      'output/n_ramp_queries': count(onRamp),
      'output/n_ramp_queries_causal': count(ops.logicalAnd(onRamp, causalMask(m, l))),
      'grad_input/span_logit': ofLogit,
      'grad_input/span': ofSpan,
    }
  })
  const found = await run(inputArrays(reference))
  await run.release()
  return new Map(Object.entries(found).map(([key, tensor]) => [key, tensor.array]))
}

export const partTargets: readonly CaseTargetRule[] = [
  { target: 'models.expire_span.ExpireSpanDrop', run: runDrop },
  {
    target: 'models.expire_span.SeqAttention',
    run: (reference) =>
      reference.tensors.has('grad_input/span_logit') ? runSpanGradient(reference) : runAttention(reference),
  },
]
