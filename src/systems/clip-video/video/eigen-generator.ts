/**
 * Drawings by their principal components ("eigenfaces", Turk and Pentland 1991) in BigGAN's place: a linear generator of the same form, which
 * is computed in seconds, not trained. It repeats what was drawn, and mixes it; it invents nothing.
 */
import { createHash } from 'node:crypto'
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import type { ThreadOptions } from '../../../tasks/experiment.ts'
import { toNumbers } from '../../../tensor/dtype.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import { classSettings, openClasses } from '../biggan/classes.ts'
import { principalComponents } from '../biggan/codes.ts'
import type { VideoGenerator } from './models.ts'

/** The name that asks for it in the place of a run. */
export const eigenName = 'eigendrawings'

/** How many components, and of how large pictures, in pixels. */
export interface EigenOptions {
  readonly components: number
  readonly size: number
  readonly style: 'openmoji' | 'twemoji' | 'fluent-emoji'
}

/** Deviation by which noise moves the code of a class, whose own is 1. */
const noiseStrength = 0.15

/** The generator of drawings that are in memory: uint8 [N, 3, side, side], one for each name. */
export function eigenGenerator(
  pixels: Uint8Array,
  labels: readonly string[],
  { components, size }: Pick<EigenOptions, 'components' | 'size'>,
  threads: ThreadOptions = {},
): VideoGenerator {
  const [count, area] = [labels.length, 3 * size * size]
  const colours = Float32Array.from(pixels, (value) => value / 127.5 - 1)
  const found = principalComponents(colours, count, Math.min(components, count - 1))
  const width = found.deviations.length
  const mean = constant(found.mean, [1, area], 'float32')
  const codes = constant(found.codes, [count, width], 'float32')
  const directions = constant(found.directions, [width, area], 'float32')
  const generate = (latents: Tensor, classes: Tensor): Tensor => {
    const code = ops.add(ops.matmul(classes, codes), ops.mul(latents, noiseStrength)) // [1, width]
    const picture = ops.clamp(ops.add(ops.matmul(code, directions), mean), -1, 1)
    return ops.reshape(picture, [1, 3, size, size])
  }
  const run = compile(generate, threads)
  return {
    name: `${width} principal components of ${count} drawings`,
    identity: createHash('sha256').update(pixels).update(`${width}`).digest('hex').slice(0, 16),
    side: size,
    rows: 1,
    noise: width,
    classes: count,
    labels,
    generate,
    draw: async (latents, classes) => {
      const picture = await run(
        { dtype: 'float32', shape: [1, width], data: latents },
        { dtype: 'float32', shape: [1, count], data: classes },
      )
      return (picture.array.data as Float32Array).slice()
    },
  }
}

/** The same of one artist's drawings of the things that the mini BigGAN draws too. Throws a MissingDataError with the command that fetches them. */
export async function openEigenGenerator(
  threads: ThreadOptions,
  { components = 256, size = 64, style = 'twemoji' }: Partial<EigenOptions> = {},
): Promise<VideoGenerator> {
  const data = await openClasses({ ...classSettings().parse({ styles: [style] }), size })
  const { image, label } = await data.test.batch([...Array(data.test.length).keys()], { epoch: 0, seed: 0 })
  const labels = toNumbers(label.data).map((n) => data.facts.labels[n] ?? '')
  return eigenGenerator(image.data as Uint8Array, labels, { components, size }, threads)
}
