/** Descriptions of files and runs, for `tenfold info`. */
import { open, readFile } from 'node:fs/promises'
import { fromBinary } from '@bufbuild/protobuf'
import { TensorProto_DataType as DataType, type ModelProto, ModelProtoSchema, type ValueInfoProto } from 'onnx-buf'
import { cannotRead } from '../io/errors.ts'
import { readTensorFile } from '../io/tensor-file.ts'
import { elementCount } from '../tensor/dtype.ts'
import { type CheckpointChoice, checkpointSteps, chosenCheckpoint } from '../train/checkpoint.ts'
import { RunDirectory } from '../train/run.ts'
import { FormatError } from '../util/errors.ts'

/** What is said of a file or run. */
export interface Description {
  readonly title: string
  readonly facts: Readonly<Record<string, string>>
  readonly tensors: readonly {
    readonly name: string
    readonly dtype: string
    readonly shape: readonly (number | string)[]
  }[]
}

/** What a run is, and the tensors of one of its checkpoints. A run without any checkpoint has no tensors. */
export async function describeRun(
  path: string,
  choice: CheckpointChoice = 'last',
  onWarning: (message: string) => void = () => {},
): Promise<Description> {
  const run = await RunDirectory.open(path)
  const { system, recipe, seed, config, started, versions } = run.description
  const { numbered, best } = await checkpointSteps(run.checkpoints)
  const isNew = numbered.length === 0 && best === undefined && choice === 'last'
  const checkpoint = isNew
    ? undefined
    : await chosenCheckpoint(path, run.checkpoints, choice, (_path, reason) => onWarning(reason))
  const evaluation = (await run.readMetrics()).filter((line) => line.type === 'evaluation').at(-1)
  return {
    title: `run of ${system}/${recipe}, seed ${seed}`,
    facts: {
      started,
      step: checkpoint ? String(checkpoint.state.step) : 'no checkpoint yet',
      checkpoints: numbered.join(', '),
      ...(best !== undefined && { 'best checkpoint': String(best) }),
      ...(evaluation && { 'last test': JSON.stringify(evaluation) }),
      config: JSON.stringify(config),
      versions: JSON.stringify(versions),
    },
    tensors: [...(checkpoint?.tensors ?? [])].map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
  }
}

/** ONNX files begin with the field of their version number; the formats of tensors never do. */
function looksLikeOnnx(bytes: Uint8Array): boolean {
  return bytes[0] === 0x08 && (bytes[1] ?? 0) < 32
}

function describeValue({ name, type }: ValueInfoProto): Description['tensors'][number] {
  const tensor = type?.value.case === 'tensorType' ? type.value.value : undefined
  const shape =
    tensor?.shape?.dim.map(({ value }) => (value.case === 'dimParam' ? value.value : Number(value.value ?? -1))) ?? []
  return { name, dtype: (DataType[tensor?.elemType ?? 0] ?? 'unknown').toLowerCase(), shape }
}

function parseOnnx(path: string, bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes)
  } catch (error) {
    throw new FormatError(`${path}: is no valid ONNX model`, { cause: error })
  }
}

function describeOnnx(path: string, bytes: Uint8Array): Description {
  const model = parseOnnx(path, bytes)
  const { graph } = model
  const weights = graph?.initializer ?? []
  const parameters = weights.reduce((sum, { dims }) => sum + elementCount(dims.map(Number)), 0)
  return {
    title: `ONNX model "${graph?.name ?? ''}" by ${model.producerName || 'unknown'}`,
    facts: {
      opset: model.opsetImport.map(({ domain, version }) => `${domain || 'ai.onnx'} ${version}`).join(', '),
      nodes: String(graph?.node.length ?? 0),
      parameters: parameters.toLocaleString('en'),
      ...Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value])),
    },
    tensors: [
      ...(graph?.input ?? []).map((info) => ({ ...describeValue(info), name: `input ${info.name}` })),
      ...(graph?.output ?? []).map((info) => ({ ...describeValue(info), name: `output ${info.name}` })),
      ...weights.map(({ name, dims, dataType }) => ({
        name,
        dtype: (DataType[dataType] ?? '').toLowerCase(),
        shape: dims.map(Number),
      })),
    ],
  }
}

/** The first bytes of a file, and its size. */
async function beginningOf(path: string): Promise<{ readonly start: Uint8Array; readonly size: number }> {
  const file = await open(path).catch((error: unknown) => Promise.reject(cannotRead(path, error)))
  try {
    const start = new Uint8Array(16)
    const { bytesRead } = await file.read(start, 0, start.length, 0)
    return { start: start.subarray(0, bytesRead), size: (await file.stat()).size }
  } finally {
    await file.close()
  }
}

// Protocol buffers have at most 2 GiB, and so ONNX models.
const largestOnnx = 2 ** 31

export async function describeFile(path: string): Promise<Description> {
  const { start, size } = await beginningOf(path)
  if (looksLikeOnnx(start) && size < largestOnnx) return describeOnnx(path, await readFile(path))
  const { format, tensors, metadata } = await readTensorFile(path)
  const parameters = [...tensors.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0)
  return {
    title: `${format} file`,
    facts: {
      tensors: String(tensors.size),
      numbers: parameters.toLocaleString('en'),
      bytes: size.toLocaleString('en'),
      ...metadata,
    },
    tensors: [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
  }
}
