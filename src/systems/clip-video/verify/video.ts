/** Reference cases of the music video: lyrics, losses, cutouts, the optimisation of a line, interpolation, frames. */
import { gradient } from '../../../autodiff/gradient.ts'
import { compile } from '../../../compile/compile.ts'
import { freeze } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import type { Shape } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { FormatError } from '../../../util/errors.ts'
import { arrayOf, copyOf } from '../../../verify/arrays.ts'
import {
  type CaseTargetRule,
  choiceSetting,
  fixedSetting,
  numberSetting,
  numbersSetting,
  type ReferenceCase,
  requiredTensor,
  rowAt,
  type Settings,
  tensorsBelow,
  withoutEffect,
} from '../../../verify/target.ts'
import { BigGAN } from '../biggan/generator.ts'
import { VisionTransformer } from '../clip/vision-transformer.ts'
import { type CutoutBox, clipView, cutOut, cutoutPads, cutoutPlaces, cutoutSize } from '../video/cutouts.ts'
import { stretchedBytes } from '../video/frames.ts'
import { blend, blendWeights, pictureCount } from '../video/interpolation.ts'
import { videoLosses } from '../video/losses.ts'
import { lineLosses, lineOptimizer, VideoLatents } from '../video/optimisation.ts'
import { numbersOf, recordsOf } from './arrays.ts'
import { bigganConfig } from './biggan.ts'
import { visionTransformerConfig } from './clip.ts'

type Found = Promise<Map<string, NDArray>>

/** Rows of integers as cutouts. */
function boxesOf(boxes: NDArray): CutoutBox[] {
  const values = toNumbers(boxes.data)
  return Array.from({ length: values.length / 7 }, (_, i) => {
    const row = values.slice(7 * i, 7 * i + 7) as [number, number, number, number, number, number, number]
    const [size, top, column, left, right, above, below] = row
    return { size, row: top, column, left, right, top: above, bottom: below }
  })
}

async function runCutouts(reference: ReferenceCase): Found {
  const { config, tensors } = reference
  const [side, cutSize] = [numberSetting(config, 'side'), numberSetting(config, 'cut_size')]
  const [white, strength] = [numberSetting(config, 'pad_value', 1), numberSetting(config, 'noise_scale', 0.01649)]
  const range = { least: numberSetting(config, 'size_min', 0.362), greatest: numberSetting(config, 'size_max', 0.7099) }
  withoutEffect(config, 'size_mean', 'size_std', 'pad_min', 'pad_max') // the case has the draws
  const input = (name: string): NDArray => requiredTensor(tensors, `input/${name}`)
  const boxes = boxesOf(input('boxes'))
  fixedSetting(config, 'cutouts', boxes.length)
  const run = compile((picture: Tensor, places: Tensor, noise: Tensor, cotangent: Tensor) => {
    const cutouts = clipView(cutOut(picture, places, white), noise, strength)
    const [byPicture] = gradient(ops.sum(ops.mul(cutouts, cotangent)), [picture])
    return { cutouts, byPicture }
  })
  const places = cutoutPlaces(boxes, side, cutSize)
  const { cutouts, byPicture } = await run(input('image'), places, input('noise'), input('cotangent'))
  await run.release()
  const size = numbersOf(reference, 'size_draw').map((draw) => cutoutSize(draw, side, range))
  const draws = numbersOf(reference, 'pad_draw')
  const pads = Array.from({ length: draws.length / 3 }, (_, i) =>
    cutoutPads(draws[3 * i] ?? 0, draws[3 * i + 1] ?? 0, draws[3 * i + 2] ?? 0),
  )
  return new Map([
    ['output/cutouts', cutouts.array],
    ['grad_input/image', byPicture.array],
    ['output/size', arrayOf(size, 'int64')],
    ['output/pads', arrayOf(pads.flat(), 'int64', [pads.length, 4])],
  ])
}

async function runLosses(reference: ReferenceCase): Found {
  const { config, tensors } = reference
  const found = new Map<string, NDArray>()
  for (const [i, set] of recordsOf(config, 'sets').entries()) {
    const options = {
      latentThreshold: numberSetting(set, 'thrsh_lat', 1),
      smallestClasses: numberSetting(set, 'smallest_classes', 999),
    }
    // Sizes of the tensors, and what the set is there for.
    withoutEffect(set, 'latents', 'z_dim', 'num_classes', 'embed_dim', 'cutouts', 'mean_square')
    const run = compile((latents: Tensor, logits: Tensor, text: Tensor, cutouts: Tensor) => {
      const losses = videoLosses({ latents, classes: ops.sigmoid(logits), text, cutouts }, options)
      return { losses, gradients: gradient(losses.total, [latents, logits, cutouts]) }
    })
    const names = [`param/normu_${i}`, `param/cls_${i}`, `input/text_features_${i}`, `input/image_features_${i}`]
    const [normu, cls, text, image] = names.map((name) => requiredTensor(tensors, name)) as [
      NDArray,
      NDArray,
      NDArray,
      NDArray,
    ]
    const { losses, gradients } = await run(normu, cls, text, image)
    await run.release()
    const [byLatents, byLogits, byImage] = gradients as readonly [Tensor, Tensor, Tensor]
    found.set(`output/lat_loss_${i}`, losses.latent.array).set(`output/cls_loss_${i}`, losses.class.array)
    found.set(`output/cos_loss_${i}`, losses.similarity.array).set(`output/loss_${i}`, losses.total.array)
    found.set(`grad/normu_${i}`, byLatents.array).set(`grad/cls_${i}`, byLogits.array)
    found.set(`grad_input/image_features_${i}`, byImage.array)
  }
  return found
}

async function runTrajectory(reference: ReferenceCase): Found {
  const { config, tensors } = reference
  const generatorConfig = bigganConfig(config.generator as Settings)
  const generator = new BigGAN(generatorConfig).eval()
  generator.loadStateDict(tensorsBelow(reference, 'param/generator/'))
  const visual = new VisionTransformer(visionTransformerConfig(config.visual as Settings)).eval()
  visual.loadStateDict(tensorsBelow(reference, 'param/visual/'))
  freeze(generator)
  freeze(visual)
  const latents = new VideoLatents(numberSetting(config, 'latents'), generatorConfig.z_dim, generatorConfig.num_classes)
  const names = [...latents.namedParameters().keys()]
  const given = names.map((name) => [name, requiredTensor(tensors, `param/${name}`)] as const)
  latents.loadStateDict(new Map(given))
  const [beta1 = 0.9, beta2 = 0.999] = numbersSetting(config, 'betas', [0.9, 0.999])
  const optimizer = lineOptimizer(latents, {
    lr: numberSetting(config, 'lr', 0.1),
    betas: [beta1, beta2],
    eps: numberSetting(config, 'eps', 1e-8),
  })
  const truncation = numberSetting(config, 'truncation', 1)
  const options = {
    generate: (z: Tensor, classes: Tensor) => generator.layered(z, classes, truncation),
    see: (pictures: Tensor) => visual.forward(pictures),
    noiseStrength: numberSetting(config, 'noise_scale', 0.01649),
    smallestClasses: numberSetting(config, 'smallest_classes', 999),
  }
  const step = compile((text: Tensor, places: Tensor, noise: Tensor) => {
    const { classes, losses } = lineLosses(latents, { text, places, noise }, options)
    const gradients = gradient(losses.total, latents.parameters())
    optimizer.update(gradients)
    return { classes, losses: ops.stack([losses.latent, losses.class, losses.similarity], 0), gradients }
  })
  const [boxes, noise] = [requiredTensor(tensors, 'input/boxes'), requiredTensor(tensors, 'input/noise')]
  const [side, cutSize] = [numberSetting(config, 'side'), numberSetting(config, 'cut_size')]
  fixedSetting(config, 'cutouts', boxes.shape[1])
  const found = new Map<string, NDArray>()
  const [losses, normus, logits]: [number[], number[], number[]] = [[], [], []]
  const steps = numberSetting(config, 'steps')
  for (let i = 0; i < steps; i++) {
    const places = cutoutPlaces(boxesOf(rowAt(boxes, i)), side, cutSize)
    const outcome = await step(requiredTensor(tensors, 'input/text_features'), places, rowAt(noise, i))
    if (i === 0) for (const [j, { array }] of outcome.gradients.entries()) found.set(`grad/${names[j]}`, copyOf(array))
    losses.push(...toNumbers(outcome.losses.array.data))
    normus.push(...toNumbers(latents.normu.data))
    logits.push(...toNumbers(latents.cls.data))
    // What is saved: latents after the last update, classes before it.
    if (i === steps - 1) found.set('output/final_class', copyOf(outcome.classes.array))
  }
  await step.release()
  found.set('output/final_z', copyOf(latents.normu.array))
  found.set('output/losses', arrayOf(losses, 'float32', [steps, 3]))
  found.set('output/normu', arrayOf(normus, 'float32', [steps, ...latents.normu.shape]))
  found.set('output/cls', arrayOf(logits, 'float32', [steps, ...latents.cls.shape]))
  return found
}

async function runInterpolation(reference: ReferenceCase): Found {
  const { config, tensors } = reference
  const perSecond = numberSetting(config, 'interpolation', 10)
  const [z, classes] = [requiredTensor(tensors, 'input/z'), requiredTensor(tensors, 'input/class_vectors')]
  fixedSetting(config, 'latents', z.shape[1])
  fixedSetting(config, 'z_dim', z.shape[2])
  fixedSetting(config, 'num_classes', classes.shape[2])
  const times = numbersOf(reference, 'times')
  // The caption of a segment is that of its earlier entry, and the last entry has no segment.
  if (recordsOf(config, 'captions').length !== times.length - 1)
    throw new FormatError(`setting "captions" must be ${times.length - 1} texts, one for each segment`)
  const seconds = times.slice(1).map((time, i) => time - (times[i] ?? 0))
  const counts = seconds.map((length) => pictureCount(length, perSecond))
  const blended = (saved: NDArray): NDArray => {
    const rows = counts.flatMap((count, i) => blend(rowAt(saved, i), rowAt(saved, i + 1), blendWeights(count)))
    return arrayOf(
      rows.flatMap(({ data }) => toNumbers(data)),
      'float32',
      [rows.length, ...saved.shape.slice(1)],
    )
  }
  return new Map([
    ['output/z', blended(z)],
    ['output/class_vectors', blended(classes)],
    ['output/images_per_segment', arrayOf(counts, 'int64')],
    ['output/seconds_per_image', arrayOf(seconds.map((length, i) => length / (counts[i] ?? 1)))],
  ])
}

/** What the script hands on of a generator's picture: StyleGAN's, a batch of one, within -1 to 1 and as 0 to 256. */
function pictureOf(generator: string, { shape, data }: NDArray): { readonly shape: Shape; readonly values: number[] } {
  const values = toNumbers(data)
  if (generator !== 'stylegan') return { shape, values }
  const single = (value: number): number => Math.fround((Math.fround(Math.min(1, Math.max(-1, value)) + 1) / 2) * 256)
  return { shape: shape.slice(-3), values: values.map(single) }
}

async function runFrameBytes(reference: ReferenceCase): Found {
  const generator = choiceSetting(reference.config, 'generator', ['biggan', 'dall-e', 'stylegan'], 'biggan')
  fixedSetting(reference.config, 'pre_scaled', true)
  return new Map(
    [...tensorsBelow(reference, 'input/')].map(([name, image]) => {
      const { shape, values } = pictureOf(generator, image)
      const [, height = 0, width = 0] = shape
      const bytes = stretchedBytes(values, height, width)
      return [`output/${name.replace('image', 'bytes')}`, { dtype: 'uint8', shape: [height, width, 3], data: bytes }]
    }),
  )
}

export const videoTargets: readonly CaseTargetRule[] = [
  { target: 'cutouts', run: runCutouts },
  { target: 'ascend_txt.losses', run: runLosses },
  { target: 'train', run: runTrajectory },
  { target: 'interpolate', run: runInterpolation },
  { target: 'create_image', run: runFrameBytes },
]
