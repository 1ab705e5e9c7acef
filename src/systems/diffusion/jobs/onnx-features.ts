/** Features of any network in an ONNX file: with Inception-V3 of 2015 the distances are FID and sFID. */
import { readFile } from 'node:fs/promises'
import { Tensor } from 'onnxruntime-common'
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import { type NativeSession, newSession, silent, type Tensors } from '../../../runtime/binding.ts'
import { elementCount, type NDArray } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import { constant, type Tensor as Traced } from '../../../tensor/tensor.ts'
import { count, pathSetting, whole } from '../../../train/settings.ts'
import { FormatError, UsageError } from '../../../util/errors.ts'
import { suggestion } from '../../../util/words.ts'
import { type FeatureNetwork, inBatches } from './judge.ts'

export const onnxFeatureSettings = z.strictObject({
  file: pathSetting('ONNX file of a network that gives features; empty: a small classifier is trained here'),
  input: z.string().default('').describe('its input; empty: the first one'),
  pool: z.string().default('').describe('the output of the distances, precision and recall; empty: the first one'),
  spatial: z.string().default('').describe('the output of the distance of places; empty: none'),
  logits: z.string().default('').describe('the output of classes, before softmax; empty: none'),
  size: count.default(0).describe('side that it takes, to which pictures are brought (bilinear); 0: as they are'),
  channels: z
    .union([z.literal(0), z.literal(1), z.literal(3)])
    .default(0)
    .describe('that it takes; 0: as they are'),
  low: z.number().default(-1).describe('what black is to it'),
  high: z.number().default(1).describe('what white is to it'),
  layout: z.enum(['NCHW', 'NHWC']).default('NCHW').describe('order of its axes'),
  batch_size: whole.default(50).describe('pictures at once'),
})
export type OnnxFeatureSettings = z.infer<typeof onnxFeatureSettings>

/** Pictures uint8 [N, C, H, W] as the network takes them. */
function prepared(image: Traced, settings: OnnxFeatureSettings): Traced {
  const { size, channels, low, high, layout } = settings
  const own = sizeOf(image.shape, 1)
  let x = ops.cast(image, 'float32')
  if (channels === 3 && own === 1) x = ops.concat([x, x, x], 1)
  if (channels === 1 && own === 3) x = ops.mean(x, 1, { keepDims: true })
  if (size > 0) x = ops.interpolate(x, [size, size], { mode: 'bilinear' })
  const scaled = ops.add(ops.mul(x, (high - low) / 255), low)
  return layout === 'NHWC' ? ops.permute(scaled, [0, 2, 3, 1]) : scaled
}

/** A name among those that there are; the first one for an empty one. */
function chosen(file: string, kind: string, wanted: string, known: readonly { readonly name: string }[]): string {
  const names = known.map(({ name }) => name)
  if (wanted === '' && names[0] !== undefined) return names[0]
  if (names.includes(wanted)) return wanted
  throw new UsageError(`${file}: the network has no ${kind} "${wanted}"`, { hint: suggestion(wanted, names) })
}

async function openSession(file: string): Promise<NativeSession> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new UsageError(`${file}: no such file, or it cannot be read`, { cause: error })
  })
  const session = await newSession()
  try {
    session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, {
      executionProviders: ['cpu'],
      logSeverityLevel: silent,
    })
  } catch (error) {
    const [reason] = String(error instanceof Error ? error.message : error).split('\n', 1)
    throw new FormatError(`${file}: must be an ONNX model that ONNX Runtime can load, found: ${reason}`, {
      cause: error,
    })
  }
  return session
}

/** An output with one row for each picture. */
function rowsOf(file: string, name: string, tensor: Tensor | undefined, count: number): NDArray {
  if (tensor?.type !== 'float32' || tensor.dims[0] !== count) {
    const found = tensor ? `${tensor.type} [${tensor.dims.join(', ')}]` : 'nothing'
    throw new FormatError(`${file}: output "${name}" must be float32 with a row for each picture, found ${found}`)
  }
  return {
    dtype: 'float32',
    shape: [count, elementCount(tensor.dims.slice(1))],
    data: Float32Array.from(tensor.data as Float32Array),
  }
}

/** Opens the network of the settings. Throws a UsageError or FormatError that names the file. */
export async function onnxFeatures(settings: OnnxFeatureSettings): Promise<FeatureNetwork> {
  const { file, batch_size } = settings
  const session = await openSession(file)
  const input = chosen(file, 'input', settings.input, session.inputMetadata)
  const wanted = { pool: settings.pool, spatial: settings.spatial, probabilities: settings.logits }
  const outputs = Object.entries(wanted)
    .filter(([name, output]) => name === 'pool' || output !== '')
    .map(([name, output]) => [name, chosen(file, 'output', output, session.outputMetadata)] as const)
  const prepare = compile((image: Traced) => prepared(image, settings))
  const softmax = compile((logits: Traced) => ops.softmax(logits, -1))
  return async (pictures) => {
    const found = await inBatches<string>(pictures, batch_size, async (rows) => {
      const count = sizeOf(rows.shape, 0)
      const x = (await prepare(constant(rows.data, rows.shape, 'uint8'))).array
      const feeds: Tensors = { [input]: new Tensor('float32', x.data as Float32Array, x.shape) }
      const fetches = Object.fromEntries(outputs.map(([, output]) => [output, null]))
      const results = runSession(file, session, feeds, fetches)
      const arrays = outputs.map(([name, output]) => [name, rowsOf(file, output, results[output], count)] as const)
      return Object.fromEntries(arrays)
    })
    const { pool, spatial, probabilities } = found
    if (!pool) throw new FormatError(`${file}: there are no features`)
    return {
      pool,
      ...(spatial && { spatial }),
      ...(probabilities && { probabilities: (await softmax(probabilities)).array }),
    }
  }
}

function runSession(
  file: string,
  session: NativeSession,
  feeds: Tensors,
  fetches: Readonly<Record<string, null>>,
): Tensors {
  try {
    return session.run(feeds, { ...fetches }, {})
  } catch (error) {
    const [reason] = String(error instanceof Error ? error.message : error).split('\n', 1)
    throw new UsageError(`${file}: the network does not take these pictures: ${reason}`, {
      cause: error,
      hint: 'features.size, features.channels and features.layout say what it takes',
    })
  }
}
