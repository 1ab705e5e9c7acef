/** Reference cases of predictive methods: denoising autoencoder, masked language model, masked autoencoder, VAE. */
import { sinCos2d } from '../../../models/positions.ts'
import { activationNames } from '../../../nn/activation-names.ts'
import { Linear } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { toNumbers } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import { inputNamed, runModelCase } from '../../../verify/model-case.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  choiceSetting,
  dropoutSetting,
  fixedSetting,
  nestedSettings,
  numberSetting,
  numbersSetting,
  type ReferenceCase,
  tensorsBelow,
} from '../../../verify/target.ts'
import { BertForMaskedLM } from '../bert.ts'
import { DenoisingAutoencoder } from '../methods/denoising-autoencoder.ts'
import { MaskedAutoencoderViT } from '../methods/mae.ts'
import { maskedLanguageModelLoss, maskTokens } from '../methods/masked-language-model.ts'
import { VAE } from '../methods/vae.ts'
import { loadOfficial } from '../official.ts'
import { maeLearningRate } from '../schedules.ts'
import { allStored, type Found, inputArray, numbersOf } from './support.ts'

async function runDenoising(reference: ReferenceCase): Found {
  const { config } = reference
  const model = new DenoisingAutoencoder({
    x_dim: numberSetting(config, 'x_dim'),
    hidden: numberSetting(config, 'hidden'),
    sigma: numberSetting(config, 'sigma', 1),
    tied_weights: booleanSetting(config, 'tied_weights', false),
    corruption: choiceSetting(config, 'corruption', ['gaussian', 'mask'], 'gaussian'),
  })
  fixedSetting(config, 'batch', sizeOf(inputArray(reference, 'x').shape, 0))
  const weights = tensorsBelow(reference, 'param/')
  if (!(model.dec instanceof Linear)) weights.delete('dec.weight') // of a layer whose matrix is that of the encoder
  loadOfficial(model, weights)
  const found = await runModelCase(reference, model, (inputs) => {
    const outputs = model.forward(inputNamed(inputs, 'x'), inputNamed(inputs, 'noise'))
    return { outputs: { ...outputs }, loss: outputs.loss }
  })
  return allStored(found)
}

async function runVAE(reference: ReferenceCase): Found {
  const { config } = reference
  const model = new VAE({
    x_dim: numberSetting(config, 'x_dim'),
    hidden: numberSetting(config, 'hidden'),
    z_dim: numberSetting(config, 'z_dim'),
    likelihood: choiceSetting(config, 'likelihood', ['bernoulli', 'gaussian', 'gaussian_learned']),
    beta: numberSetting(config, 'beta', 1),
    sigma_x: numberSetting(config, 'sigma_x', 1),
  })
  const { shape } = inputArray(reference, 'eps')
  fixedSetting(config, 'samples', shape[0])
  fixedSetting(config, 'batch', shape[1])
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  const found = await runModelCase(reference, model, (inputs) => {
    const outputs = model.forward(inputNamed(inputs, 'x'), inputNamed(inputs, 'eps'))
    return { outputs: { ...outputs }, loss: outputs.loss }
  })
  return allStored(found)
}

async function runMaskedLM(reference: ReferenceCase): Found {
  const { config } = reference
  const model = new BertForMaskedLM({
    vocab_size: numberSetting(config, 'vocab_size', 30_522),
    hidden_size: numberSetting(config, 'hidden_size', 768),
    num_hidden_layers: numberSetting(config, 'num_hidden_layers', 12),
    num_attention_heads: numberSetting(config, 'num_attention_heads', 12),
    intermediate_size: numberSetting(config, 'intermediate_size', 3072),
    max_position_embeddings: numberSetting(config, 'max_position_embeddings', 512),
    type_vocab_size: numberSetting(config, 'type_vocab_size', 2),
    hidden_act: choiceSetting(config, 'hidden_act', activationNames, 'gelu'),
    layer_norm_eps: numberSetting(config, 'layer_norm_eps', 1e-12),
    pad_token_id: numberSetting(config, 'pad_token_id', 0),
    tie_word_embeddings: booleanSetting(config, 'tie_word_embeddings', true),
    hidden_dropout_prob: dropoutSetting(reference, 'hidden_dropout_prob'),
    attention_probs_dropout_prob: dropoutSetting(reference, 'attention_probs_dropout_prob'),
  })
  const masking = {
    mlm_probability: numberSetting(config, 'mlm_probability', 0.15),
    mask_token_id: numberSetting(config, 'mask_token_id'),
    special_token_ids: numbersSetting(config, 'special_token_ids'),
  }
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  const found = await runModelCase(reference, model, (inputs) => {
    const draws = {
      u_select: inputNamed(inputs, 'u_select'),
      u_kind: inputNamed(inputs, 'u_kind'),
      random_words: inputNamed(inputs, 'random_words'),
    }
    const { inputIds, labels } = maskTokens(inputNamed(inputs, 'input_ids'), draws, masking)
    const mask = ops.notEqual(inputNamed(inputs, 'attention_mask'), 0)
    const logits = model.forward(inputIds, { mask })
    const loss = maskedLanguageModelLoss(logits, labels)
    return { outputs: { masked_input_ids: inputIds, labels, logits, loss }, loss }
  })
  return allStored(found)
}

async function runMAE(reference: ReferenceCase): Found {
  const { config } = reference
  const norm = nestedSettings(config, 'norm_layer')
  choiceSetting(norm, 'type', ['LayerNorm'])
  const ratio = numberSetting(config, 'mask_ratio', 0.75)
  const model = new MaskedAutoencoderViT({
    img_size: numberSetting(config, 'img_size', 224),
    patch_size: numberSetting(config, 'patch_size', 16),
    in_chans: numberSetting(config, 'in_chans', 3),
    embed_dim: numberSetting(config, 'embed_dim', 1024),
    depth: numberSetting(config, 'depth', 24),
    num_heads: numberSetting(config, 'num_heads', 16),
    decoder_embed_dim: numberSetting(config, 'decoder_embed_dim', 512),
    decoder_depth: numberSetting(config, 'decoder_depth', 8),
    decoder_num_heads: numberSetting(config, 'decoder_num_heads', 16),
    mlp_ratio: numberSetting(config, 'mlp_ratio', 4),
    norm_pix_loss: booleanSetting(config, 'norm_pix_loss', false),
    eps: numberSetting(norm, 'eps', 1e-5),
  })
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  const found = await runModelCase(reference, model, (inputs) => {
    const imgs = inputNamed(inputs, 'imgs')
    const { latent, mask, ids_restore, pred, loss } = model.forward(imgs, inputNamed(inputs, 'noise'), ratio)
    const outputs = {
      latent,
      mask,
      ids_restore,
      pred,
      loss,
      patches: model.patchify(imgs),
      unpatchified_pred: model.unpatchify(pred),
    }
    return { outputs, loss }
  })
  return allStored(found)
}

async function runMAETables(reference: ReferenceCase): Found {
  const { config } = reference
  const rate = maeLearningRate({
    lr: numberSetting(config, 'lr'),
    min_lr: numberSetting(config, 'min_lr', 0),
    warmup_epochs: numberSetting(config, 'warmup_epochs'),
    epochs: numberSetting(config, 'epochs'),
  })
  const [grid, width] = [numberSetting(config, 'grid_size'), numberSetting(config, 'embed_dim')]
  const shape = [grid ** 2 + (booleanSetting(config, 'cls_token', false) ? 1 : 0), width]
  return new Map([
    ['output/lr', numbersOf(toNumbers(inputArray(reference, 'epoch').data).map(rate))],
    ['output/pos_embed', { dtype: 'float32', shape, data: sinCos2d([grid, grid])(shape) }],
  ])
}

export const predictiveTargets: readonly CaseTargetRule[] = [
  { target: 'denoising autoencoder', run: runDenoising },
  { target: 'VAE ELBO', run: runVAE },
  { target: /^masked language model \(denoising\)/, run: runMaskedLM },
  { target: 'MaskedAutoencoderViT.forward', run: runMAE },
  { target: /^MAE adjust_learning_rate/, run: runMAETables },
]
