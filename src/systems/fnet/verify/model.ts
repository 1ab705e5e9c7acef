/** Reference cases of FNet's models: the official code's (flax names) and those of transformers' FNet and BERT. */

import { activationNames } from '../../../nn/activation-names.ts'
import * as ops from '../../../ops/index.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { inputNamed, type NamedTensors, numberedTensors, runModelCase } from '../../../verify/model-case.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  choiceSetting,
  dropoutSetting,
  fixedSetting,
  numberSetting,
  type ReferenceCase,
  requiredTensor,
  type Settings,
  stringSetting,
  tensorsBelow,
  withoutEffect,
} from '../../../verify/target.ts'
import { architectures, attentionLayouts, type FNetConfig } from '../config.ts'
import { type Encoded, FNetEncoder, FNetForPreTraining, FNetForSequenceClassification } from '../model.ts'
import { loadOfficial, toBertName, toFlax } from '../official.ts'

function flaxConfig(reference: ReferenceCase): FNetConfig {
  const { config } = reference
  // Two ways to the same transform; positions to predict come with the inputs.
  withoutEffect(config, 'use_fft', 'max_predictions_per_seq')
  return {
    model_arch: choiceSetting(config, 'model_arch', architectures, 'f_net'),
    vocab_size: numberSetting(config, 'vocab_size'),
    max_seq_length: numberSetting(config, 'max_seq_length'),
    type_vocab_size: numberSetting(config, 'type_vocab_size'),
    pad_token_id: numberSetting(config, 'pad_token_id', 3),
    d_emb: numberSetting(config, 'd_emb'),
    d_model: numberSetting(config, 'd_model'),
    d_ff: numberSetting(config, 'd_ff'),
    num_layers: numberSetting(config, 'num_layers'),
    num_heads: numberSetting(config, 'num_heads', 1),
    num_attention_layers: numberSetting(config, 'num_attention_layers', 0),
    attention_layout: choiceSetting(config, 'attention_layout', attentionLayouts, 'top'),
    dropout_rate: dropoutSetting(reference, 'dropout_rate'),
    mixing_dropout_rate: dropoutSetting(reference, 'mixing_dropout_rate'),
    random_seed: numberSetting(config, 'random_seed', 0),
  }
}

/** Settings of transformers for initial weights, how a model is run, and special token ids. */
const elsewhere = [
  ...['initializer_range', 'use_cache', 'chunk_size_feed_forward', 'gradient_checkpointing'],
  ...['use_tpu_fourier_optimizations', 'tpu_short_seq_length', 'bos_token_id', 'eos_token_id'],
] as const

function transformersConfig(reference: ReferenceCase, model_arch: 'f_net' | 'bert'): FNetConfig {
  const { config } = reference
  withoutEffect(config, ...elsewhere)
  fixedSetting(config, 'position_embedding_type', 'absolute')
  fixedSetting(config, 'is_decoder', false)
  const width = numberSetting(config, 'hidden_size')
  const isBert = model_arch === 'bert'
  return {
    model_arch,
    vocab_size: numberSetting(config, 'vocab_size'),
    max_seq_length: numberSetting(config, 'max_position_embeddings'),
    type_vocab_size: numberSetting(config, 'type_vocab_size'),
    pad_token_id: numberSetting(config, 'pad_token_id', isBert ? 0 : 3),
    d_emb: width,
    d_model: width,
    d_ff: numberSetting(config, 'intermediate_size'),
    num_layers: numberSetting(config, 'num_hidden_layers'),
    num_heads: numberSetting(config, 'num_attention_heads', 1),
    num_attention_layers: 0,
    attention_layout: 'top',
    dropout_rate: dropoutSetting(reference, 'hidden_dropout_prob'),
    mixing_dropout_rate: dropoutSetting(reference, 'attention_probs_dropout_prob'),
    port: {
      hidden_act: choiceSetting(config, 'hidden_act', activationNames, isBert ? 'gelu' : 'gelu_new'),
      layer_norm_eps: numberSetting(config, 'layer_norm_eps', 1e-12),
      embedding_projection: !isBert,
      attention_mask: 'keys',
      trains_padding: false,
      tie_word_embeddings: booleanSetting(config, 'tie_word_embeddings', true),
    },
  }
}

const isReal = (mask: Tensor | undefined): Tensor | undefined => mask && ops.notEqual(mask, 0)
const rightOnes = (logits: Tensor, labels: Tensor): Tensor =>
  ops.cast(ops.equal(ops.argmax(logits, -1), labels), 'float32')

function flaxNames(config: FNetConfig) {
  return (gradients: Map<string, NDArray>) => toFlax(gradients, { heads: config.num_heads })
}

/** The matrices of random mixing, which are not parameters, as the case has them under `state/`. */
function randomState(model: FNetEncoder): [string, NDArray][] {
  const { num_heads: heads, model_arch } = model.config
  if (model_arch !== 'random') return []
  const matrices = [...model.stateDict()].filter(([name]) => name.endsWith('_kernel'))
  return [...toFlax(matrices, { heads, random: true })].map(([name, array]) => [`state/${name}`, array])
}

async function runFlaxEncoder(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const model = new FNetEncoder(flaxConfig(reference))
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  const found = await runModelCase(
    reference,
    model,
    (inputs) => {
      const mask = isReal(inputs.input_mask)
      const { hidden, pooled } = model.forward(inputNamed(inputs, 'input_ids'), inputNamed(inputs, 'type_ids'), {
        mask,
      })
      return {
        outputs: { hidden, pooled },
        weighted: [
          [hidden, inputs.cotangent_hidden],
          [pooled, inputs.cotangent_pooled],
        ],
      }
    },
    flaxNames(model.config),
  )
  return new Map([...found, ...randomState(model)])
}

async function runFlaxPreTraining(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const model = new FNetForPreTraining(flaxConfig(reference))
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  return runModelCase(
    reference,
    model,
    (inputs) => {
      const { maskedLmLogits, nextSentenceLogits } = model.forward(
        inputNamed(inputs, 'input_ids'),
        inputNamed(inputs, 'type_ids'),
        { positions: inputNamed(inputs, 'masked_lm_positions'), mask: isReal(inputs.input_mask) },
      )
      const [batch, predictions, vocabulary] = maskedLmLogits.sizes(3)
      const count = batch * predictions
      const logits = ops.reshape(maskedLmLogits, [count, vocabulary])
      const labels = ops.reshape(inputNamed(inputs, 'masked_lm_labels'), [count])
      const weights = ops.reshape(ops.cast(inputNamed(inputs, 'masked_lm_weights'), 'float32'), [count])
      const order = ops.reshape(inputNamed(inputs, 'next_sentence_labels'), [batch])
      const maskedLoss = ops.sum(ops.mul(ops.crossEntropy(logits, labels, { reduction: 'none' }), weights))
      const normalization = ops.sum(weights)
      const orderLoss = ops.crossEntropy(nextSentenceLogits, order, { reduction: 'sum' })
      const loss = ops.add(ops.div(maskedLoss, normalization), ops.div(orderLoss, batch))
      return {
        loss,
        outputs: {
          loss,
          masked_lm_logits: logits,
          masked_lm_loss: maskedLoss,
          masked_lm_correct: ops.sum(ops.mul(rightOnes(logits, labels), weights)),
          masked_lm_normalization: normalization,
          masked_lm_total: normalization,
          next_sentence_logits: nextSentenceLogits,
          next_sentence_loss: orderLoss,
          next_sentence_correct: ops.cast(ops.sum(rightOnes(nextSentenceLogits, order)), 'int64'),
          num_next_sentence_labels: ops.full([], batch),
        },
      }
    },
    flaxNames(model.fnet.config),
  )
}

async function runFlaxClassification(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const { config } = reference
  const isRegression = stringSetting(config, 'dataset_name', '') === 'glue/stsb'
  const model = new FNetForSequenceClassification(
    flaxConfig(reference),
    numberSetting(config, 'n_classes', isRegression ? 1 : 2),
  )
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  return runModelCase(
    reference,
    model,
    (inputs) => {
      const [ids, types] = [inputNamed(inputs, 'input_ids'), inputNamed(inputs, 'type_ids')]
      const logits = model.forward(ids, types, { mask: isReal(inputs.input_mask) })
      const given = inputNamed(inputs, 'labels')
      const labels = ops.reshape(given, [given.size])
      if (isRegression) {
        const loss = ops.mseLoss(ops.select(logits, 0, 1), ops.cast(labels, 'float32'))
        return { loss, outputs: { logits, loss } }
      }
      const loss = ops.crossEntropy(logits, labels)
      const right = ops.cast(ops.sum(rightOnes(logits, labels)), 'int64')
      return { loss, outputs: { logits, loss, correct_predictions: right } }
    },
    flaxNames(model.fnet.config),
  )
}

const unchanged = (gradients: Map<string, NDArray>): Map<string, NDArray> => gradients
const bertKeys = (gradients: Map<string, NDArray>): Map<string, NDArray> =>
  new Map([...gradients].map(([name, array]) => [toBertName(name), array]))

function everyState({ hiddenStates, attentions }: Encoded): NamedTensors {
  return { ...numberedTensors('hidden_states', hiddenStates), ...numberedTensors('attentions', attentions) }
}

const typesOf = (inputs: NamedTensors, ids: Tensor): Tensor => inputs.token_type_ids ?? ops.zeros(ids.shape, 'int64')

/** transformers' position_ids [L], [1, L] or [B, L]. */
function positionsOf({ position_ids: given }: NamedTensors, ids: Tensor): Tensor | undefined {
  return given?.rank === 1 ? ops.reshape(given, [1, sizeOf(ids.shape, 1)]) : given
}

async function runTransformersModel(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const model = new FNetEncoder(transformersConfig(reference, 'f_net'))
  const hasPooler = booleanSetting(reference.config, 'add_pooling_layer', true)
  loadOfficial(model, tensorsBelow(reference, 'param/'), /^pooler\./)
  return runModelCase(
    reference,
    model,
    (inputs) => {
      const ids = inputNamed(inputs, 'input_ids')
      const encoded = model.forward(ids, typesOf(inputs, ids), { positionIds: positionsOf(inputs, ids) })
      const { hidden, pooled } = encoded
      return {
        outputs: { last_hidden_state: hidden, ...(hasPooler && { pooler_output: pooled }), ...everyState(encoded) },
        weighted: [
          [hidden, inputs.cotangent_last_hidden_state],
          [pooled, hasPooler ? inputs.cotangent_pooler_output : undefined],
        ],
      }
    },
    unchanged,
  )
}

/** transformers' FNetForPreTraining, FNetForMaskedLM (without the order of sentences) and BertForPreTraining. */
function transformersPreTraining(model_arch: 'f_net' | 'bert') {
  return async (reference: ReferenceCase): Promise<Map<string, NDArray>> => {
    const model = new FNetForPreTraining(transformersConfig(reference, model_arch))
    loadOfficial(model, tensorsBelow(reference, 'param/'), /^(cls\.seq_relationship|fnet\.pooler)\./)
    const ignored = { ignoreIndex: -100 }
    return runModelCase(
      reference,
      model,
      (inputs) => {
        const ids = inputNamed(inputs, 'input_ids')
        const mask = isReal(inputs.attention_mask ?? ops.ones(ids.shape, 'int64'))
        const { encoded, maskedLmLogits, nextSentenceLogits } = model.forward(ids, typesOf(inputs, ids), {
          mask,
          positionIds: positionsOf(inputs, ids),
        })
        const labels = ops.reshape(inputNamed(inputs, 'labels'), [ids.size])
        const vocabulary = model.fnet.config.vocab_size
        const maskedLoss = ops.crossEntropy(ops.reshape(maskedLmLogits, [ids.size, vocabulary]), labels, ignored)
        const order = inputs.next_sentence_label
        const orderLoss = order && ops.crossEntropy(nextSentenceLogits, ops.reshape(order, [order.size]), ignored)
        const loss = orderLoss ? ops.add(maskedLoss, orderLoss) : maskedLoss
        return {
          loss,
          outputs: {
            loss,
            logits: maskedLmLogits,
            prediction_logits: maskedLmLogits,
            seq_relationship_logits: nextSentenceLogits,
            masked_lm_loss: maskedLoss,
            ...(orderLoss && { next_sentence_loss: orderLoss }),
            ...everyState(encoded),
          },
        }
      },
      model_arch === 'bert' ? bertKeys : unchanged,
    )
  }
}

type Problem = 'regression' | 'single_label_classification' | 'multi_label_classification'

function problemOf(config: Settings, labels: NDArray | undefined): Problem {
  const kinds = ['regression', 'single_label_classification', 'multi_label_classification'] as const
  const whole = labels?.dtype === 'int64' || labels?.dtype === 'int32'
  const inferred = numberSetting(config, 'num_labels', 2) === 1 ? kinds[0] : whole ? kinds[1] : kinds[2]
  return choiceSetting(config, 'problem_type', kinds, inferred)
}

function classificationLoss(problem: Problem, logits: Tensor, labels: Tensor): Tensor {
  if (problem === 'single_label_classification') return ops.crossEntropy(logits, ops.reshape(labels, [labels.size]))
  const targets = ops.reshape(ops.cast(labels, 'float32'), logits.shape)
  return problem === 'regression' ? ops.mseLoss(logits, targets) : ops.bceWithLogits(logits, targets)
}

async function runTransformersClassification(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const { config } = reference
  const classes = numberSetting(config, 'num_labels', 2)
  const model = new FNetForSequenceClassification(transformersConfig(reference, 'f_net'), classes)
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  const problem = problemOf(config, requiredTensor(reference.tensors, 'input/labels'))
  return runModelCase(
    reference,
    model,
    (inputs) => {
      const [ids, labels] = [inputNamed(inputs, 'input_ids'), inputNamed(inputs, 'labels')]
      const logits = model.forward(ids, typesOf(inputs, ids), { positionIds: positionsOf(inputs, ids) })
      const loss = classificationLoss(problem, logits, labels)
      return { loss, outputs: { logits, loss } }
    },
    unchanged,
  )
}

/** The targets of the models. */
export const modelTargets: readonly CaseTargetRule[] = [
  { target: /^f_net EncoderModel$/, run: runFlaxEncoder },
  { target: /^f_net PreTrainingModel$/, run: runFlaxPreTraining },
  { target: /^f_net SequenceClassificationModel$/, run: runFlaxClassification },
  { target: /^FNetModel$/, run: runTransformersModel },
  { target: /^FNetFor(PreTraining|MaskedLM)$/, run: transformersPreTraining('f_net') },
  { target: /^BertForPreTraining$/, run: transformersPreTraining('bert') },
  { target: /^FNetForSequenceClassification$/, run: runTransformersClassification },
]
