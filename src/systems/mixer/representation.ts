/** Mixer's frozen features, for few-shot evaluation (paper, section 3). */
import { compile } from '../../compile/compile.ts'
import { DataLoader } from '../../data/index.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { evaluationBatchSize, normalizePixels, type ThreadOptions } from '../../train/classifier.ts'
import { appendAll } from '../../util/lists.ts'
import type { Representation } from '../define.ts'
import { openFolder } from './data.ts'
import type { Mixer } from './model.ts'
import type { PictureFacts } from './train.ts'

/** The representation before the head, and pictures of other tasks brought to the model's size; half of them for testing. */
export function mixerRepresentation(
  model: Mixer,
  { image_size, in_channels }: PictureFacts,
  options: ThreadOptions,
): Representation {
  const run = compile((image: Tensor) => model.features(normalizePixels(image)), options)
  return {
    features: async (data) => {
      model.eval()
      const width = model.config.hidden_dim
      const features = new Float32Array(data.length * width)
      const labels: number[] = []
      for await (const { image, label } of new DataLoader(data, { batchSize: evaluationBatchSize(data) })) {
        const rows = await run(image as NDArray)
        features.set(rows.array.data as Float32Array, labels.length * width)
        appendAll(labels, toNumbers((label as NDArray).data))
      }
      return { features: { dtype: 'float32', shape: [data.length, width], data: features }, labels }
    },
    openFolder: (folder) =>
      openFolder(folder, {
        size: image_size,
        channels: in_channels,
        testShare: 0.5,
        seed: 0,
        hint: 'mend or remove them',
      }),
  }
}
