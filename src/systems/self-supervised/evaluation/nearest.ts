/** The use `nearest`: the training pictures whose representations are nearest to that of a picture. */
import { basename } from 'node:path'
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import { decodeImage } from '../../../data/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Section } from '../../../report/figures.ts'
import { picturesOf } from '../../../report/from-tensors.ts'
import { answerEach, defineUse, type UseContext } from '../../../tasks/define.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import { normalizePixels } from '../../../tasks/pictures/classifier.ts'
import { haveClasses } from '../../../tasks/pictures/facts.ts'
import { featureExtractor } from '../../../tasks/pictures/features.ts'
import type { OpenedPictures } from '../../../tasks/pictures/open.ts'
import { toNumbers } from '../../../tensor/dtype.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import { whole } from '../../../train/settings.ts'
import { type RepresentationExperiment, sample } from './vote.ts'

/** The use `nearest`. */
export const nearestPictures = defineUse({
  summary: 'the training pictures nearest to a picture by their representations, on one HTML page',
  inputs: 'FILE...',
  options: z.strictObject({
    k: whole.default(12).describe('pictures to show'),
    examples: whole.default(5000).describe('training pictures to look among'),
  }),
  run: async function* (
    { model, facts, threads }: RepresentationExperiment,
    files,
    { k, examples },
    context: UseContext<OpenedPictures>,
  ) {
    const { train, plain = train } = await context.openData()
    const known = sample(plain, examples, context.seed)
    const { features, labels } = await featureExtractor(model, threadOptions({ threads }))(known)
    const count = Math.min(k, known.length)
    model.eval()
    const find = compile((image: Tensor, rows: Tensor) => {
      const own = ops.normalize(model.features(normalizePixels(image)))
      const [cosines, places] = ops.topk(ops.matmul(own, ops.transpose(ops.normalize(rows))), count, 1)
      return { cosines, places }
    })
    const { image_size, in_channels } = facts
    const named = haveClasses(facts)
    yield* answerEach(files, async (file) => {
      const picture = await decodeImage(file, { size: image_size, channels: in_channels })
      const pixels = picture.data as Uint8Array
      const { cosines, places } = await find(constant(pixels, [1, ...picture.shape], 'uint8'), features)
      const rows = toNumbers(places.array.data)
      const near = toNumbers(cosines.array.data)
      const { image } = await known.batch(rows, { epoch: 0, seed: context.seed })
      const found = picturesOf(image).map((each, i) => ({
        ...each,
        caption: [...(named ? [facts.labels[labels[rows[i] ?? 0] ?? 0] ?? ''] : []), (near[i] ?? 0).toFixed(2)].join(
          ' ',
        ),
      }))
      const section: Section = {
        title: 'Nearest pictures',
        intro: `By the cosine of the representations.${named ? ' The classes are written below; training did not see them.' : ''}`,
        figures: [
          {
            kind: 'pictures',
            title: basename(file),
            pictures: picturesOf({ dtype: 'uint8', shape: [1, ...picture.shape], data: pixels }),
          },
          { kind: 'pictures', title: 'Nearest first', pictures: found },
        ],
      }
      const name = basename(file)
      const page = {
        title: `nearest: ${name}`,
        summary: [{ label: 'trained steps', value: context.step.toLocaleString('en') }],
        sections: [section],
      }
      return [{ input: file, file: await context.writePage(`nearest-${name}.html`, page) }]
    })
    await find.release()
  },
})
