/** Pictures for the autoencoders of `methods/`: as vectors of pixels from 0 to 1, with what is hidden drawn here. */
import * as ops from '../../../ops/index.ts'
import type { StepScalars } from '../../../tasks/training.ts'
import { type RandomState, randomState } from '../../../tensor/random-state.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { UsageError } from '../../../util/errors.ts'
import { DenoisingAutoencoder, type DenoisingConfig } from '../methods/denoising-autoencoder.ts'
import { type MAEConfig, MaskedAutoencoderViT } from '../methods/mae.ts'
import { VAE, type VAEConfig } from '../methods/vae.ts'
import { exportOfLatents, exportOfPictures, type PictureSizes } from './exports.ts'
import { PictureLearner, type Reconstruction, type Turn } from './model.ts'

const numbersOf = ({ in_channels, image_size: [height, width] }: PictureSizes): number => in_channels * height * width
/** Pixels from -1..1 as rows of numbers from 0 to 1: [N, C, H, W] -> [N, C H W]. */
const unitRows = (pictures: Tensor): Tensor => ops.flatten(ops.div(ops.add(pictures, 1), 2), 1)
/** And back. */
const pictureOf = (rows: Tensor, { in_channels, image_size }: PictureSizes): Tensor =>
  ops.reshape(ops.sub(ops.mul(rows, 2), 1), [sizeOf(rows.shape, 0), in_channels, ...image_size])

/** How much of a picture a denoising autoencoder does not see. */
export interface CorruptionConfig extends Pick<DenoisingConfig, 'hidden' | 'sigma' | 'tied_weights' | 'corruption'> {
  /** Share of the pixels that are set to 0 by the corruption `mask`. */
  readonly mask_share: number
}

/** A denoising autoencoder of pictures. */
export class PictureDenoiser extends PictureLearner {
  readonly autoencoder: DenoisingAutoencoder
  readonly #config: CorruptionConfig
  readonly #sizes: PictureSizes

  constructor(config: CorruptionConfig, sizes: PictureSizes) {
    super()
    this.autoencoder = new DenoisingAutoencoder({ ...config, x_dim: numbersOf(sizes) })
    this.#config = config
    this.#sizes = sizes
  }

  #noise(shape: readonly number[], state: RandomState): Tensor {
    const { corruption, mask_share } = this.#config
    if (corruption === 'gaussian') return ops.randomNormal([...shape], { state })
    return ops.cast(ops.greaterOrEqual(ops.randomUniform([...shape], { state }), mask_share), 'float32')
  }

  #step(pictures: Tensor, state: RandomState) {
    const rows = unitRows(pictures)
    return this.autoencoder.forward(rows, this.#noise(rows.shape, state))
  }

  turns(): readonly Turn[] {
    const scalars = (pictures: Tensor): StepScalars => ({ loss: this.#step(pictures, randomState()).loss })
    return [{ parameters: this.parameters(), scalars }]
  }

  features(pictures: Tensor): Tensor {
    return this.autoencoder.features(unitRows(pictures))
  }

  score(pictures: Tensor, _labels: Tensor, state: RandomState): Readonly<Record<string, Tensor>> {
    return { loss: this.#step(pictures, state).loss }
  }

  override reconstruct(pictures: Tensor, state: RandomState): Reconstruction {
    const { corrupted, reconstruction } = this.#step(pictures, state)
    return { seen: pictureOf(corrupted, this.#sizes), drawn: pictureOf(reconstruction, this.#sizes) }
  }

  exports() {
    const autoencoder = () =>
      exportOfPictures(this.#sizes, (pictures) => {
        const code = this.features(pictures)
        return { representation: code, picture: pictureOf(this.autoencoder.dec.forward(code), this.#sizes) }
      })
    return { autoencoder }
  }
}

/** A variational autoencoder of pictures. */
export class PictureVAE extends PictureLearner {
  readonly vae: VAE
  readonly #config: Omit<VAEConfig, 'x_dim'>
  readonly #sizes: PictureSizes

  constructor(config: Omit<VAEConfig, 'x_dim'>, sizes: PictureSizes) {
    super()
    this.vae = new VAE({ ...config, x_dim: numbersOf(sizes) })
    this.#config = config
    this.#sizes = sizes
  }

  /** With so many samples of z for each picture. */
  #step(pictures: Tensor, samples: number, state: RandomState) {
    const noise = ops.randomNormal([samples, sizeOf(pictures.shape, 0), this.#config.z_dim], { state })
    return this.vae.forward(unitRows(pictures), noise)
  }

  /** What the decoder expects to see for z [N, Z], as pictures. */
  decode(z: Tensor): Tensor {
    const decoded = this.vae.decode(z)
    const { likelihood } = this.#config
    if (likelihood === 'bernoulli') return pictureOf(ops.sigmoid(decoded), this.#sizes)
    const mean = likelihood === 'gaussian' ? decoded : (ops.chunk(decoded, 2, -1)[0] ?? decoded)
    return pictureOf(mean, this.#sizes)
  }

  turns(): readonly Turn[] {
    const scalars = (pictures: Tensor): StepScalars => {
      const { loss, kl } = this.#step(pictures, 1, randomState())
      return { loss, kl: ops.mean(kl) }
    }
    return [{ parameters: this.parameters(), scalars }]
  }

  features(pictures: Tensor): Tensor {
    return this.vae.features(unitRows(pictures))
  }

  score(pictures: Tensor, _labels: Tensor, state: RandomState): Readonly<Record<string, Tensor>> {
    const { elbo, iwae, kl } = this.#step(pictures, 5, state)
    return { loss: ops.neg(ops.mean(elbo)), kl: ops.mean(kl), iwae: ops.mean(iwae) }
  }

  override draw(count: number, state: RandomState): Tensor {
    return this.decode(ops.randomNormal([count, this.#config.z_dim], { state }))
  }

  /** From the mean of q(z|x). */
  override reconstruct(pictures: Tensor): Reconstruction {
    return { seen: pictures, drawn: this.decode(this.features(pictures)) }
  }

  exports() {
    return {
      encoder: () => exportOfPictures(this.#sizes, (pictures) => ({ representation: this.features(pictures) })),
      decoder: () => exportOfLatents(this.#config.z_dim, (z) => this.decode(z)),
    }
  }
}

/** Sizes of a masked autoencoder, but for those of the pictures. */
export interface MaskingSizes extends Omit<MAEConfig, 'img_size' | 'in_chans'> {
  readonly mask_ratio: number
}

/** A masked autoencoder of pictures. */
export class PictureMAE extends PictureLearner {
  readonly mae: MaskedAutoencoderViT
  readonly #ratio: number
  readonly #sizes: PictureSizes

  constructor({ mask_ratio, ...config }: MaskingSizes, sizes: PictureSizes) {
    super()
    const [height, width] = sizes.image_size
    if (height !== width) {
      throw new UsageError(`mae: pictures must be square, found ${height} x ${width}`, {
        hint: '--set data.image_size=32',
      })
    }
    this.mae = new MaskedAutoencoderViT({ ...config, img_size: height, in_chans: sizes.in_channels })
    this.#ratio = mask_ratio
    this.#sizes = sizes
  }

  #step(pictures: Tensor, state: RandomState) {
    const [n] = pictures.sizes(4)
    const patches = sizeOf(this.mae.pos_embed.shape, 1) - 1
    return this.mae.forward(pictures, ops.randomUniform([n, patches], { state }), this.#ratio)
  }

  turns(): readonly Turn[] {
    const scalars = (pictures: Tensor): StepScalars => ({ loss: this.#step(pictures, randomState()).loss })
    return [{ parameters: this.parameters(), scalars }]
  }

  features(pictures: Tensor): Tensor {
    return this.mae.features(pictures)
  }

  score(pictures: Tensor, _labels: Tensor, state: RandomState): Readonly<Record<string, Tensor>> {
    return { loss: this.#step(pictures, state).loss }
  }

  /** Hidden patches are grey in what is seen; in what is drawn, the seen ones are as they are. */
  override reconstruct(pictures: Tensor, state: RandomState): Reconstruction {
    const { pred, mask } = this.#step(pictures, state)
    const patches = this.mae.patchify(pictures)
    const isHidden = ops.unsqueeze(mask, -1) // [N, L, 1]
    const seen = ops.mul(patches, ops.sub(1, isHidden))
    const drawn = ops.add(seen, ops.mul(this.mae.toPixels(pred, pictures), isHidden))
    return { seen: this.mae.unpatchify(seen), drawn: this.mae.unpatchify(drawn) }
  }

  exports() {
    const encoder = () => exportOfPictures(this.#sizes, (pictures) => ({ representation: this.features(pictures) }))
    return { encoder }
  }
}
