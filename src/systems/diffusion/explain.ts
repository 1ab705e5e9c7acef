/** What a diffusion process shows of itself: a picture on its way to noise, and the schedule. */
import { compile } from '../../compile/compile.ts'
import type { Dataset } from '../../data/dataset.ts'
import type { PictureFields } from '../../data/layout.ts'
import * as ops from '../../ops/index.ts'
import type { Figure, Section } from '../../report/figures.ts'
import { picturesOf } from '../../report/from-tensors.ts'
import { normalizePixels } from '../../tasks/pictures/classifier.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { Generator } from '../../util/random.ts'
import type { GaussianDiffusion } from './gaussian-diffusion.ts'

/** Times of the pictures on the way. */
const shown = 8

/** The report's section on the forward process. */
export async function explainDenoiser(diffusion: GaussianDiffusion, test: Dataset<PictureFields>): Promise<Section> {
  const { image } = await test.batch([0], { epoch: 0, seed: 0 })
  const times = Array.from({ length: shown }, (_, i) => Math.round((i * (diffusion.steps - 1)) / (shown - 1)))
  const shape = [shown, ...image.shape.slice(1)]
  const noise = constant(new Generator(0).normal(shape.reduce((product, size) => product * size, 1)), shape, 'float32')
  const run = compile((pixels: Tensor, t: Tensor, added: Tensor) =>
    diffusion.qSample(ops.broadcastTo(normalizePixels(pixels), shape), t, added),
  )
  const noisy = await run(image, constant(BigInt64Array.from(times, BigInt), [shown], 'int64'), noise)
  const pictures = picturesOf(noisy.array).map((picture, i) => ({ ...picture, caption: `t = ${times[i]}` }))
  await run.release()
  const figures: Figure[] = [
    { kind: 'pictures', title: 'A test picture on its way to noise', pictures, size: 96 },
    {
      kind: 'lines',
      title: 'What is left of the picture',
      x: { label: 't' },
      y: { label: 'share' },
      series: [
        { name: 'picture', points: pointsOf(diffusion.tables.sqrt_alphas_cumprod) },
        { name: 'noise', points: pointsOf(diffusion.tables.sqrt_one_minus_alphas_cumprod) },
      ],
    },
  ]
  return {
    title: 'The way to noise',
    intro: 'x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise: the network learns to name the noise at every t.',
    figures,
  }
}

function pointsOf(values: readonly number[]): { x: number; y: number }[] {
  return values.map((y, x) => ({ x, y }))
}
