/** The use `inspect`: the kernels that a trained RedNet makes for a picture. */
import { basename } from 'node:path'
import { z } from 'zod'
import { decodeImage } from '../../data/index.ts'
import type { Section } from '../../report/figures.ts'
import { picturesOf } from '../../report/from-tensors.ts'
import { answerEach, defineUse } from '../../tasks/define.ts'
import { likeTraining, type PictureClassifier } from '../../tasks/pictures/predict.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { toNumbers } from '../../tensor/dtype.ts'
import { UsageError } from '../../util/errors.ts'
import { percent } from '../../util/words.ts'
import { involutionsOf, kernelMaps, kernelsAt, sumGrid, usualLayer } from './explain.ts'

/** Where on the layer's map a pixel of the picture lies; the middle where none is picked. */
function placeOf(
  picked: { readonly y: number; readonly x: number },
  [height, width]: readonly number[],
  { shape }: NDArray,
): readonly [number, number] {
  const [rows = 1, columns = 1] = shape.slice(4)
  const along = (name: string, value: number, side: number, cells: number): number => {
    if (value >= side) throw new UsageError(`--${name} must be below the side of the pictures, ${side}, found ${value}`)
    return Math.floor((value * cells) / side)
  }
  return [along('y', picked.y, height ?? 1, rows), along('x', picked.x, width ?? 1, columns)]
}

/** Rows or columns from the border of the picture; -1: the middle. */
const picked = z.number().int().min(-1).default(-1)

/** The use `inspect`. */
export const inspectKernels = defineUse({
  summary: 'the kernels that an involution makes for a picture: their sums at every pixel, and those of one pixel',
  inputs: 'FILE...',
  options: z.strictObject({
    layer: z.string().default('').describe('the involution, like layer2.0.conv2; empty: the last of a middle stage'),
    y: picked.describe(
      'the pixel whose kernel is drawn, from the top of the picture as the model sees it; -1: the middle',
    ),
    x: picked.describe('and from its left; -1: the middle'),
    groups: z.number().int().positive().default(32).describe('groups to draw, at most'),
  }),
  run: async function* ({ model, facts }: PictureClassifier, files, options, { step, writePage }) {
    const names = [...involutionsOf(model).keys()]
    const layer = options.layer || usualLayer(names)
    if (layer === undefined)
      throw new UsageError('this run has no involution to inspect', {
        hint: 'it was trained with model.network=resnet',
      })
    yield* answerEach(files, async (file) => {
      const [height, width] = facts.image_size
      const decoded = await decodeImage(file, { size: facts.image_size, channels: facts.in_channels })
      const pixels = likeTraining(decoded.data as Uint8Array, facts)
      const image: NDArray = { dtype: 'uint8', shape: [1, ...decoded.shape], data: pixels }
      const { kernels, probabilities } = await kernelMaps(model, image, layer)
      const pixel = {
        y: options.y < 0 ? Math.floor(height / 2) : options.y,
        x: options.x < 0 ? Math.floor(width / 2) : options.x,
      }
      const place = placeOf(pixel, facts.image_size, kernels)
      const [, groups, , , rows, columns] = kernels.shape
      const values = toNumbers(probabilities.data)
      const best = values.indexOf(Math.max(...values))
      const section: Section = {
        title: `Kernels of ${layer}`,
        intro: `${groups} ${groups === 1 ? 'group' : 'groups'} of channels, a kernel at each of ${rows} x ${columns} pixels. Layers: ${names.join(', ')}.`,
        figures: [
          { kind: 'pictures', title: 'The picture', pictures: picturesOf(image), size: 168 },
          sumGrid(kernels, 0, 'The sum of the kernel at each pixel', options.groups),
          {
            kind: 'heatmaps',
            title: `The kernel at pixel ${pixel.y}, ${pixel.x}`,
            caption: `That of row ${place[0]}, column ${place[1]} of the layer's map; red positive, blue negative.`,
            matrices: kernelsAt(kernels, 0, place).slice(0, options.groups),
            size: 96,
          },
        ],
      }
      const name = basename(file)
      const summary = [
        {
          label: 'predicted',
          value: facts.labels[best] ?? String(best),
          note: percent(values[best] ?? 0),
        },
        { label: 'trained steps', value: step.toLocaleString('en') },
      ]
      const page = await writePage(`inspect-${name}.html`, { title: `kernels: ${name}`, summary, sections: [section] })
      return [{ input: file, file: page }]
    })
  },
})
