/** The use `predict` of a detector: boxes, masks, names and scores, drawn onto the picture. */
import { basename, extname } from 'node:path'
import { z } from 'zod'
import { readPixels } from '../../../data/sources/image.ts'
import { writeFileAtomic } from '../../../io/atomic.ts'
import { encodePng } from '../../../io/png.ts'
import { answerEach, defineUse } from '../../../tasks/define.ts'
import { readSquare } from '../../../tasks/detection/coco-file.ts'
import { drawObjects } from '../../../tasks/detection/draw.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { share } from '../../../train/settings.ts'
import { type DetectionExperiment, finderOf } from './experiment.ts'
import { drawnObject, shownFrom } from './figures.ts'

export const predictObjects = defineUse({
  summary: 'objects in picture files: their boxes and masks drawn onto the picture',
  inputs: 'FILE...',
  options: z.strictObject({
    score: share.default(shownFrom).describe('detections of lower scores are left out'),
  }),
  run: async function* ({ model, facts, threads }: DetectionExperiment, files, { score }, { place }) {
    const [size] = facts.image_size
    const find = finderOf(model, threadOptions({ threads }))
    yield* answerEach(files, async (file) => {
      const { pixels, width, height } = await readSquare(file, size)
      const image: NDArray = { dtype: 'uint8', shape: [1, 3, size, size], data: pixels }
      const [found = []] = await find(image, [{ width, height, scale: size / Math.max(width, height) }])
      // A box beside the picture, where the square is black, is cut to nothing.
      const shown = found.filter(({ score: own, box: [, , w, h] }) => own >= score && w > 0 && h > 0)
      const { data } = await readPixels(file)
      const canvas = { pixels: Uint8Array.from(data), width, height }
      drawObjects(
        canvas,
        shown.map((each) => drawnObject(each, facts.labels)),
      )
      const path = await place(`${basename(file, extname(file))}-objects.png`)
      await writeFileAtomic(path, encodePng(canvas.pixels, width, height, 3))
      return [
        ...shown.map(({ category, score: found, box }) => {
          const [x = 0, y = 0, w = 0, h = 0] = box.map((value) => Number(value.toFixed(1)))
          const line = `${facts.labels[category] ?? category}  ${found.toFixed(3)}  x ${x} y ${y} width ${w} height ${h}`
          return { input: file, values: { category, score: found, x, y, width: w, height: h }, line }
        }),
        { input: file, file: path },
      ]
    })
  },
})
