/** Descriptions of files and runs, for `tenfold info`. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fromBinary } from '@bufbuild/protobuf'
import { TensorProto_DataType as DataType, type ModelProto, ModelProtoSchema, type ValueInfoProto } from 'onnx-buf'
import { beginningOf, readTensorFile } from '../io/tensor-file.ts'
import { describeLeftOut, fileFormat } from '../io/tensor-format.ts'
import { elementCount } from '../tensor/dtype.ts'
import { type CheckpointChoice, checkpointSteps } from '../train/checkpoint.ts'
import { RunDirectory } from '../train/run.ts'
import { FormatError } from '../util/errors.ts'
import { pathArgument } from '../util/shell.ts'

/** The description of a file or run. */
export interface Description {
  /** For a run: the step of the checkpoint that is described. */
  readonly step?: number
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
  const onDamage = (_path: string, reason: string): void => onWarning(reason)
  const checkpoint =
    choice === 'last' ? await run.newestCheckpoint(onDamage) : await run.chosenCheckpoint(choice, onDamage)
  const evaluation = (await run.readMetrics()).filter((line) => line.type === 'evaluation').at(-1)
  return {
    ...(checkpoint && { step: checkpoint.state.step }),
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
    throw new FormatError(`${path}: is not a valid ONNX model`, {
      cause: error,
      hint: 'is the file complete? copy, download or export it again',
    })
  }
}

function describeOnnx(path: string, bytes: Uint8Array): Description {
  const model = parseOnnx(path, bytes)
  const { graph } = model
  const weights = graph?.initializer ?? []
  const parameters = weights.reduce((sum, { dims }) => sum + elementCount(dims.map(Number)), 0)
  const external = externalFiles(model)
  return {
    title: `ONNX model "${graph?.name ?? ''}" by ${model.producerName || 'unknown'}`,
    facts: {
      opset: model.opsetImport.map(({ domain, version }) => `${domain || 'ai.onnx'} ${version}`).join(', '),
      nodes: String(graph?.node.length ?? 0),
      parameters: parameters.toLocaleString('en'),
      ...(external.length > 0 && { 'external data': external.join(', ') }),
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

// Protocol buffers, and so ONNX models, have at most 2 GiB.
const largestOnnx = 2 ** 31

/** A file of any kind. Throws a FormatError that says what it is, if nothing can be listed. */
export async function describeFile(path: string): Promise<Description> {
  const { start, size } = await beginningOf(path)
  const kind = fileFormat(start, size)
  if (kind === 'onnx' && size < largestOnnx) return describeOnnx(path, await readFile(path))
  if (kind === 'other') await refuseExternalData(path)
  const file = await readTensorFile(path)
  const { format, tensors, metadata } = file
  const leftOut = describeLeftOut(file)
  const parameters = [...tensors.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0)
  return {
    title: `${format} file`,
    facts: {
      tensors: String(tensors.size),
      numbers: parameters.toLocaleString('en'),
      bytes: size.toLocaleString('en'),
      ...(leftOut !== undefined && { 'left out': leftOut }),
      ...metadata,
    },
    tensors: [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
  }
}

/** The files next to an ONNX model that hold its weights. */
function externalFiles({ graph }: ModelProto): string[] {
  const locations = (graph?.initializer ?? []).flatMap(({ externalData }) =>
    externalData.flatMap(({ key, value }) => (key === 'location' ? [value] : [])),
  )
  return [...new Set(locations)]
}

// A model with its weights outside is small: larger ones are not looked into.
const largestLookedInto = 2 ** 28

/** Throws a FormatError if a model in the same folder keeps its weights in this file. */
async function refuseExternalData(path: string): Promise<void> {
  const folder = dirname(path)
  for (const name of await readdir(folder).catch(() => [])) {
    const model = join(folder, name)
    const found = name.endsWith('.onnx') ? await stat(model).catch(() => undefined) : undefined
    if (!found?.isFile() || found.size > largestLookedInto) continue
    const bytes = await readFile(model)
    if (fileFormat(bytes) !== 'onnx' || !externalFiles(parseOnnx(model, bytes)).includes(basename(path))) continue
    throw new FormatError(
      `${path}: is the external data of the ONNX model ${name}, which says where each tensor is in it`,
      {
        hint: `tenfold info ${pathArgument(model)}`,
      },
    )
  }
}
