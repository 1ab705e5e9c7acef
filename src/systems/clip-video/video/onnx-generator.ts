/** Any ONNX model from latents to a picture in BigGAN's place. No gradient flows through it: latents are found by trying. */
import { createHash } from 'node:crypto'
import { fromBinary } from '@bufbuild/protobuf'
import { TensorProto_DataType as DataType, type ModelProto, ModelProtoSchema, type ValueInfoProto } from 'onnx-buf'
import { loadSession } from '#runtime'
import { readBytes } from '../../../data/files.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { FormatError } from '../../../util/errors.ts'
import type { VideoGenerator } from './models.ts'

const form =
  'one input of latents [1, Z], perhaps a second one of classes [1, K], and one output [1, 3, S, S] of colours from -1 to 1, all float32'

/** Sizes of an input or output; a named axis, such as the batch, is 1. */
function shapeOf({ type }: ValueInfoProto): number[] | undefined {
  const tensor = type?.value.case === 'tensorType' ? type.value.value : undefined
  if (tensor?.elemType !== DataType.FLOAT) return undefined
  return tensor.shape?.dim.map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : 1))
}

function parseModel(path: string, bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes)
  } catch (error) {
    throw new FormatError(`${path}: is not a valid ONNX model`, { cause: error })
  }
}

/** Opens a model file. Throws a FormatError unless its inputs and its output are such. */
export async function openOnnxGenerator(path: string): Promise<VideoGenerator> {
  const bytes = await readBytes(path, 2 ** 31 - 1)
  const { graph } = parseModel(path, bytes)
  const weights = new Set((graph?.initializer ?? []).map(({ name }) => name))
  const inputs = (graph?.input ?? []).filter(({ name }) => !weights.has(name)).map(shapeOf)
  const [output, ...others] = (graph?.output ?? []).map(shapeOf)
  const [latents, classes, ...more] = inputs
  const [batch, channels, side = 0, width] = output ?? []
  const isPicture = batch === 1 && channels === 3 && side > 1 && side === width && others.length === 0
  const isRow = (shape: readonly number[] | undefined): boolean => shape?.length === 2 && shape[0] === 1
  if (!isPicture || !isRow(latents) || (inputs.length > 1 && !isRow(classes)) || more.length > 0) {
    const found = inputs.map((shape) => `[${shape?.join(', ') ?? 'another type'}]`).join(', ')
    throw new FormatError(`${path}: must have ${form}, found inputs ${found} and output [${output?.join(', ')}]`)
  }
  const session = await loadSession(bytes)
  const [noise, count] = [latents?.[1] ?? 0, classes?.[1] ?? 0]
  return {
    name: path,
    identity: createHash('sha256').update(bytes).digest('hex').slice(0, 16),
    side,
    rows: 1,
    noise,
    classes: count,
    draw: async (z, y) => {
      const given: NDArray[] = [{ dtype: 'float32', shape: [1, noise], data: z }]
      if (count > 0) given.push({ dtype: 'float32', shape: [1, count], data: y })
      const picture = new Float32Array(3 * side * side)
      await session.run(given, [{ dtype: 'float32', shape: [1, 3, side, side], buffer: () => picture }])
      return picture
    },
  }
}
