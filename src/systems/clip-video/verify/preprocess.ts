/** The reference case of CLIP's preparation of pictures. */
import type { PillowImage, PillowMode } from '../../../data/pillow.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { FormatError } from '../../../util/errors.ts'
import {
  type CaseTargetRule,
  choiceSetting,
  fixedSetting,
  numberSetting,
  type ReferenceCase,
  requiredTensor,
  type Settings,
} from '../../../verify/target.ts'
import { preparePicture } from '../clip/preprocess.ts'
import { recordsOf } from './arrays.ts'

const modes = ['1', 'L', 'LA', 'RGB', 'RGBA', 'CMYK', 'P'] as const satisfies readonly PillowMode[]

function bytesOf({ tensors }: ReferenceCase, name: string): NDArray & { readonly data: Uint8Array } {
  const { data, ...array } = requiredTensor(tensors, `input/${name}`)
  if (data instanceof Uint8Array) return { ...array, data }
  throw new FormatError(`input "${name}" must be uint8, found ${array.dtype}`)
}

function imageOf(reference: ReferenceCase, settings: Settings, i: number): PillowImage {
  const mode = choiceSetting(settings, 'mode', modes)
  const { shape, data } = bytesOf(reference, `image_${i}`)
  const [height = 0, width = 0] = shape
  fixedSetting(settings, 'height', height)
  fixedSetting(settings, 'width', width)
  const palette = mode === 'P' ? bytesOf(reference, `palette_${i}`).data : undefined
  return { mode, height, width, data, ...(palette && { palette }) }
}

async function runPreprocess(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  return new Map(
    recordsOf(reference.config, 'images').flatMap((settings, i) => {
      const { bytes, pixels } = preparePicture(imageOf(reference, settings, i), numberSetting(settings, 'n_px'))
      return [[`output/bytes_${i}`, bytes] as const, [`output/tensor_${i}`, pixels] as const]
    }),
  )
}

export const preprocessTargets: readonly CaseTargetRule[] = [{ target: 'preprocess', run: runPreprocess }]
