/**
 * Masked autoencoder (He et al. 2021, arXiv 2111.06377): three quarters of the patches are hidden; a small decoder draws them again. Names of
 * parameters as in the official code.
 *
 * Shapes: N pictures, L patches, P numbers of a patch (row, column, channel), C width of the encoder, D of the decoder.
 */
import { PatchEmbed, patchGrid, patchify, sinCos2d, TransformerBlock, unpatchify } from '../../../models/index.ts'
import { init, LayerNorm, Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Variable } from '../../../tensor/variable.ts'
import { UsageError } from '../../../util/errors.ts'
import type { Declaration } from '../config.ts'

export const mae = {
  name: 'mae',
  title: 'MAE',
  paper: 'He et al. 2021, arXiv 2111.06377',
  architecture: 'predictive',
  remedy: 'contrastive',
  energy: '|y - y(x)|^2 of the hidden patches',
  loss: 'the energy of the true patches',
  collapse: 'hidden patches are given back: a picture with wrong ones has a high energy',
} as const satisfies Declaration

/** Names of the official constructor. */
export interface MAEConfig {
  readonly img_size: number
  readonly patch_size: number
  readonly in_chans: number
  readonly embed_dim: number
  readonly depth: number
  readonly num_heads: number
  readonly decoder_embed_dim: number
  readonly decoder_depth: number
  readonly decoder_num_heads: number
  readonly mlp_ratio: number
  /** Whether the numbers of a patch are standardised before they are compared. */
  readonly norm_pix_loss: boolean
  /** Of the norms. Default: 1e-6. */
  readonly eps?: number
}

const decoder = { decoder_embed_dim: 512, decoder_depth: 8, decoder_num_heads: 16 } as const
const imagenet = { img_size: 224, in_chans: 3, mlp_ratio: 4, norm_pix_loss: false, ...decoder } as const

/** The published sizes. */
export const maeVariants = {
  mae_vit_base_patch16: { ...imagenet, patch_size: 16, embed_dim: 768, depth: 12, num_heads: 12 },
  mae_vit_large_patch16: { ...imagenet, patch_size: 16, embed_dim: 1024, depth: 24, num_heads: 16 },
  mae_vit_huge_patch14: { ...imagenet, patch_size: 14, embed_dim: 1280, depth: 32, num_heads: 16 },
} as const satisfies Readonly<Record<string, MAEConfig>>

/** Which patches are seen. */
export interface Masking {
  /** Places of the patches that are kept: int [N, kept]. */
  readonly ids_keep: Tensor
  /** Where each patch is in the shuffled order: int [N, L]. */
  readonly ids_restore: Tensor
  /** 1 for hidden patches: [N, L]. */
  readonly mask: Tensor
}

/** The int(L (1 - mask_ratio)) patches with the least noise are kept. noise [N, L]. */
export function randomMasking(noise: Tensor, maskRatio: number): Masking {
  const [n, length] = noise.sizes(2)
  const kept = Math.trunc(length * (1 - maskRatio))
  const ids_shuffle = ops.argsort(noise, 1)
  const ids_restore = ops.argsort(ids_shuffle, 1)
  const shuffled = ops.concat([ops.zeros([n, kept]), ops.ones([n, length - kept])], 1)
  return {
    ids_keep: ops.slice(ids_shuffle, [0, kept], 1),
    ids_restore,
    mask: ops.gather(shuffled, ids_restore, 1),
  }
}

/** Rows of x [N, L, C] at places [N, K]: [N, K, C]. */
function takeTokens(x: Tensor, places: Tensor): Tensor {
  return ops.takeAlongAxis(x, ops.unsqueeze(places, -1), 1)
}

/** What a forward pass computes. */
export interface MAEOutputs extends Masking {
  /** The class token and the kept patches: [N, 1 + kept, C]. */
  readonly latent: Tensor
  /** [N, L, P] */
  readonly pred: Tensor
  readonly loss: Tensor
}

const tableOf = (tokens: number, width: number, grid: readonly [number, number]): Variable => {
  const table = init.parameter([1, tokens, width], sinCos2d(grid))
  table.frozen = true // fixed: never trained
  return table
}

/** Encoder of the seen patches and decoder of all. */
export class MaskedAutoencoderViT extends Module {
  readonly cls_token: Variable
  readonly pos_embed: Variable
  readonly mask_token: Variable
  readonly decoder_pos_embed: Variable
  readonly patch_embed: PatchEmbed
  readonly blocks: readonly TransformerBlock[]
  readonly norm: LayerNorm
  readonly decoder_embed: Linear
  readonly decoder_blocks: readonly TransformerBlock[]
  readonly decoder_norm: LayerNorm
  readonly decoder_pred: Linear
  readonly config: MAEConfig

  constructor(config: MAEConfig) {
    super()
    const { img_size, patch_size, in_chans, embed_dim, decoder_embed_dim, mlp_ratio, eps = 1e-6 } = config
    const grid = patchGrid('MAE', img_size, patch_size)
    const tokens = grid[0] * grid[1] + 1
    if (embed_dim % 4 !== 0 || decoder_embed_dim % 4 !== 0) {
      throw new UsageError(
        `MAE: embed_dim and decoder_embed_dim must be multiples of 4, for sines and cosines of rows and columns, found ${embed_dim} and ${decoder_embed_dim}`,
      )
    }
    const weights = { initWeight: init.xavierUniform, initBias: init.zeros }
    const token = (width: number): Variable => init.parameter([1, 1, width], (s) => init.normal(s, { std: 0.02 }))
    const blocks = (depth: number, width: number, heads: number): TransformerBlock[] =>
      Array.from(
        { length: depth },
        () => new TransformerBlock(width, { heads, mlpWidth: Math.trunc(width * mlp_ratio), eps }),
      )
    this.config = config
    this.cls_token = token(embed_dim)
    this.pos_embed = tableOf(tokens, embed_dim, grid)
    this.mask_token = token(decoder_embed_dim)
    this.decoder_pos_embed = tableOf(tokens, decoder_embed_dim, grid)
    this.patch_embed = new PatchEmbed(in_chans, embed_dim, patch_size, {
      initWeight: (shape) => init.xavierUniform([shape[0] ?? 0, shape.slice(1).reduce((a, b) => a * b, 1)]),
    })
    this.blocks = blocks(config.depth, embed_dim, config.num_heads)
    this.norm = new LayerNorm(embed_dim, { eps })
    this.decoder_embed = new Linear(embed_dim, decoder_embed_dim, weights)
    this.decoder_blocks = blocks(config.decoder_depth, decoder_embed_dim, config.decoder_num_heads)
    this.decoder_norm = new LayerNorm(decoder_embed_dim, { eps })
    this.decoder_pred = new Linear(decoder_embed_dim, patch_size ** 2 * in_chans, weights)
  }

  /** imgs [N, in_chans, H, W]; noise [N, L], by which patches are hidden. */
  forward(imgs: Tensor, noise: Tensor, maskRatio: number): MAEOutputs {
    const masking = randomMasking(noise, maskRatio)
    const latent = this.#encode(imgs, masking.ids_keep)
    const pred = this.#decode(latent, masking.ids_restore)
    return { ...masking, latent, pred, loss: this.loss(imgs, pred, masking.mask) }
  }

  /** The class token's representation of whole pictures: [N, C]. What a linear probe takes. */
  features(imgs: Tensor): Tensor {
    return ops.select(this.#encode(imgs), 0, 1)
  }

  /** [N, 1 + kept, C]; all patches where none are named. */
  #encode(imgs: Tensor, kept?: Tensor): Tensor {
    const [classPlace, places] = ops.split(this.pos_embed, [1, sizeOf(this.pos_embed.shape, 1) - 1], 1) as [
      Tensor,
      Tensor,
    ]
    const patches = ops.add(this.patch_embed.forward(imgs), places) // [N, L, C]
    const seen = kept ? takeTokens(patches, kept) : patches // [N, kept, C]
    const [n, , width] = seen.sizes(3)
    const classToken = ops.expand(ops.add(this.cls_token, classPlace), [n, 1, width]) // after masking: never hidden
    let x = ops.concat([classToken, seen], 1)
    for (const block of this.blocks) x = block.forward(x)
    return this.norm.forward(x)
  }

  /** [N, L, P] */
  #decode(latent: Tensor, restore: Tensor): Tensor {
    const x = this.decoder_embed.forward(latent) // [N, 1 + kept, D]
    const [n, seen, width] = x.sizes(3)
    const hidden = sizeOf(restore.shape, 1) + 1 - seen
    const shuffled = ops.concat([ops.slice(x, [1, seen], 1), ops.expand(this.mask_token, [n, hidden, width])], 1) // [N, L, D]
    const ordered = ops.concat([ops.slice(x, [0, 1], 1), takeTokens(shuffled, restore)], 1)
    let tokens = ops.add(ordered, this.decoder_pos_embed) // [N, 1 + L, D]
    for (const block of this.decoder_blocks) tokens = block.forward(tokens)
    const pred = this.decoder_pred.forward(this.decoder_norm.forward(tokens))
    return ops.slice(pred, [1, sizeOf(pred.shape, 1)], 1)
  }

  /** The numbers of each patch: imgs [N, in_chans, H, W] -> [N, L, P]. */
  patchify(imgs: Tensor): Tensor {
    return patchify(imgs, this.config.patch_size)
  }

  /** Pictures of patches [N, L, P]. */
  unpatchify(patches: Tensor): Tensor {
    return unpatchify(patches, this.config.patch_size, this.config.img_size)
  }

  /** Predictions [N, L, P] as pixels: with norm_pix_loss the mean and the spread of the true patches are put back, as the demo does. */
  toPixels(pred: Tensor, imgs: Tensor): Tensor {
    if (!this.config.norm_pix_loss) return pred
    const [variance, mean] = ops.varMean(this.patchify(imgs), -1, { keepDims: true })
    return ops.add(ops.mul(pred, ops.sqrt(ops.add(variance, 1e-6))), mean)
  }

  /** Mean squared error of the hidden patches. */
  loss(imgs: Tensor, pred: Tensor, mask: Tensor): Tensor {
    const patches = this.patchify(imgs)
    const target = this.config.norm_pix_loss ? standardised(patches) : patches
    const errors = ops.mean(ops.square(ops.sub(pred, target)), -1) // [N, L]
    return ops.div(ops.sum(ops.mul(errors, mask)), ops.sum(mask))
  }
}

/** Each row less its mean, over its standard deviation: unbiased, with 1e-6 inside the root. */
function standardised(patches: Tensor): Tensor {
  const [variance, mean] = ops.varMean(patches, -1, { keepDims: true })
  return ops.div(ops.sub(patches, mean), ops.sqrt(ops.add(variance, 1e-6)))
}
