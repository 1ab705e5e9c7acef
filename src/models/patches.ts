/**
 * Pictures as sequences of patches. Shapes: N batch, H x W picture, ph x pw patch, h x w grid of patches, S = h w tokens, row by row.
 */
import { Conv2d, init, Module, type WeightOptions } from '../nn/index.ts'
import * as ops from '../ops/index.ts'
import { sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { ShapeError } from '../util/errors.ts'

/** Height and width in pixels; one number for both. */
export type PictureSize = number | readonly [height: number, width: number]

export function heightAndWidth(size: PictureSize): readonly [height: number, width: number] {
  return typeof size === 'number' ? [size, size] : size
}

/**
 * The number of rows and columns of patches in a picture. Throws a ShapeError, whose message begins with `owner`, if patches do not
 * fill the picture.
 */
export function patchGrid(owner: string, picture: PictureSize, patch: PictureSize): readonly [h: number, w: number] {
  const [height, width] = heightAndWidth(picture)
  const [ph, pw] = heightAndWidth(patch)
  if (height % ph !== 0 || width % pw !== 0) {
    throw new ShapeError(`${owner}: pictures of ${height}x${width} pixels cannot be cut into patches of ${ph}x${pw}`, {
      hint: 'height and width must be multiples of those of a patch',
    })
  }
  return [height / ph, width / pw]
}

/**
 * Each patch as a token: a linear map of its pixels, computed as a convolution whose stride is its kernel, `proj` [C, in, ph, pw].
 * The initial weight is flax's LeCun normal.
 */
export class PatchEmbed extends Module {
  readonly proj: Conv2d
  readonly #patch: readonly [number, number]

  constructor(inChannels: number, width: number, patchSize: PictureSize, options: WeightOptions = {}) {
    super()
    this.#patch = heightAndWidth(patchSize)
    this.proj = new Conv2d(inChannels, width, this.#patch, {
      initWeight: init.lecunNormal,
      ...options,
      stride: this.#patch,
    })
  }

  /** images [N, in, H, W] -> [N, S, C]. */
  forward(images: Tensor): Tensor {
    return ops.transpose(ops.flatten(this.grid(images), 2))
  }

  /** The same as a picture of tokens: [N, C, h, w]. */
  grid(images: Tensor): Tensor {
    patchGrid('PatchEmbed', [sizeOf(images.shape, 2), sizeOf(images.shape, 3)], this.#patch)
    return this.proj.forward(images)
  }
}

/** The pixels of each patch, in the order row, column, channel: images [N, C, H, W] -> [N, S, ph pw C]. */
export function patchify(images: Tensor, patchSize: PictureSize): Tensor {
  const [n, c] = [sizeOf(images.shape, 0), sizeOf(images.shape, 1)]
  const [ph, pw] = heightAndWidth(patchSize)
  const [h, w] = patchGrid('patchify', [sizeOf(images.shape, 2), sizeOf(images.shape, 3)], patchSize)
  const cut = ops.permute(ops.reshape(images, [n, c, h, ph, w, pw]), [0, 2, 4, 3, 5, 1]) // [N, h, w, ph, pw, C]
  return ops.reshape(cut, [n, h * w, ph * pw * c])
}

/** The picture of H x W pixels whose `patchify` is given: [N, S, ph pw C] -> [N, C, H, W]. */
export function unpatchify(patches: Tensor, patchSize: PictureSize, pictureSize: PictureSize): Tensor {
  const n = sizeOf(patches.shape, 0)
  const [ph, pw] = heightAndWidth(patchSize)
  const [h, w] = patchGrid('unpatchify', pictureSize, patchSize)
  const c = sizeOf(patches.shape, 2) / (ph * pw)
  if (sizeOf(patches.shape, 1) !== h * w || !Number.isInteger(c)) {
    throw new ShapeError(
      `unpatchify: a picture of ${h}x${w} patches of ${ph}x${pw} pixels needs [N, ${h * w}, ${ph * pw} C], found ${patches}`,
    )
  }
  const cut = ops.reshape(patches, [n, h, w, ph, pw, c])
  return ops.reshape(ops.permute(cut, [0, 5, 1, 3, 2, 4]), [n, c, h * ph, w * pw])
}
