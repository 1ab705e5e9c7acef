/** The page's mini CLIP, and how it is shown drawings in training: as the music video shows pictures to CLIP, mostly parts of them with white around. */

import * as ops from '../../ops/index.ts'
import { CLIP } from '../../systems/clip-video/model.ts'
import { type CutoutBox, clipView, cutoutPads, cutoutPlaces } from '../../systems/clip-video/video/cutouts.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Generator } from '../../util/random.ts'
import { sizes } from './settings.ts'
import { contextLength, encode, vocabulary } from './world.ts'

/** A CLIP with both towers of the published architecture, as small as its heads of 64 allow. */
export function miniCLIP(): CLIP {
  return new CLIP({
    embed_dim: sizes.embed,
    image_resolution: sizes.side,
    vision_layers: sizes.visionLayers,
    vision_width: sizes.visionWidth,
    vision_patch_size: sizes.patch,
    context_length: contextLength,
    vocab_size: vocabulary.length,
    transformer_width: sizes.textWidth,
    transformer_heads: 1,
    transformer_layers: sizes.textLayers,
  })
}

/**
 * The contrastive loss of drawings [N, 3, side, side] and their texts, with pictures that no text may find beside the drawings: what the generator makes
 * of noise and any class vector. The paper has none; here a line is steered through such pictures, and CLIP must know them from drawings.
 */
export function matchingLoss(clip: CLIP, drawings: Tensor, tokens: Tensor, wrong: Tensor): Tensor {
  const pictures = ops.concat([drawings, wrong], 0)
  const views = clipView(pictures, ops.randomNormal(pictures.shape))
  const { logits_per_text } = clip.logits(clip.encodeImage(views), clip.encodeText(tokens)) // [N, N + M]
  const [count] = logits_per_text.sizes(2)
  const [own, logits_per_image] = [ops.arange(count), ops.transpose(ops.slice(logits_per_text, [0, count], 1))]
  return ops.mul(ops.add(ops.crossEntropy(logits_per_image, own), ops.crossEntropy(logits_per_text, own)), 0.5)
}

/** Texts as token ids, int32 [N, L]. */
export function tokensOf(texts: readonly string[]): NDArray {
  return { dtype: 'int32', shape: [texts.length, contextLength], data: Int32Array.from(texts.flatMap(encode)) }
}

/** Share of drawings that are seen in whole. */
const whole = 0.5
const everything: CutoutBox = { size: sizes.side, row: 0, column: 0, left: 0, right: 0, top: 0, bottom: 0 }

/** All of a drawing, or a part of .7 to all of its side with some white around. */
function drawPart(random: Generator): CutoutBox {
  const { side } = sizes
  const [a = 0, b = 0, c = 0, d = 0] = random.uniform(4)
  if (a < whole) return everything
  const size = Math.round(side * (0.7 + 0.3 * b))
  const padding = Math.round((50 * side) / 512)
  const [left, right, top, bottom] = cutoutPads(padding, 10 + 80 * c, 10 + 80 * d)
  return {
    size,
    row: random.integers(0, side - size + 1, 1)[0] ?? 0,
    column: random.integers(0, side - size + 1, 1)[0] ?? 0,
    left,
    right,
    top,
    bottom,
  }
}

/** Parts of drawings [3, side, side] one behind the other, white where there is nothing: float32 [N, 3, side, side]. */
export function cutOf(drawings: readonly Float32Array[], boxes: readonly CutoutBox[]): NDArray {
  const { side } = sizes
  const area = side * side
  const places = cutoutPlaces(boxes, side, side).data as BigInt64Array
  const data = new Float32Array(drawings.length * 3 * area)
  for (const [n, pixels] of drawings.entries()) {
    for (let i = 0; i < area; i++) {
      const place = Number(places[n * area + i])
      for (let c = 0; c < 3; c++) data[(3 * n + c) * area + i] = place === area ? 1 : (pixels[c * area + place] ?? 0)
    }
  }
  return { dtype: 'float32', shape: [drawings.length, 3, side, side], data }
}

/** Random parts of drawings, as CLIP sees them in training. */
export function partsOf(drawings: readonly Float32Array[], random: Generator): NDArray {
  return cutOf(
    drawings,
    drawings.map(() => drawPart(random)),
  )
}
