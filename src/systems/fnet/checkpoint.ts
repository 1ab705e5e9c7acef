/** Weights of a checkpoint to start from: official (flax .npz), transformers' FNet, or tenfold's own. They decide the model's sizes. */
import { readTensorFile } from '../../io/tensor-file.ts'
import { describeLeftOut } from '../../io/tensor-format.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { FormatError, reworded, ShapeError, UsageError } from '../../util/errors.ts'
import { largest } from '../../util/lists.ts'
import { pathArgument } from '../../util/shell.ts'
import { attentionLayers, attentionLayouts } from './config.ts'
import { FNetForPreTraining } from './model.ts'
import { fromFlax, fromTransformers, loadOfficial } from './official.ts'
import type { CheckpointedSettings } from './settings.ts'

type State = ReadonlyMap<string, NDArray>

/** What follows from the shapes of a checkpoint, and its tensors under our names. */
export interface CheckpointFile {
  readonly path: string
  readonly origin: 'official' | 'transformers' | 'tenfold'
  /** Without the classifier, which belongs to another task. */
  readonly state: State
  readonly vocab_size: number
  /** Rows of its table of positions: the length that its inputs are padded to. */
  readonly max_seq_length: number
  /** Heads of its attention; undefined where the file does not say. */
  readonly num_heads: number | undefined
}

const words = 'embeddings.word_embeddings.weight'
const flaxWords = 'embedder/word/embedding'

/** The tensors below the prefix that one of them has before `stem` (the shortest, if there are several), without it. */
function withoutPrefix(tensors: State, stem: string): Map<string, NDArray> | undefined {
  const [found] = [...tensors.keys()]
    .filter((name) => name === stem || name.endsWith(`.${stem}`) || name.endsWith(`/${stem}`))
    .sort((a, b) => a.length - b.length)
  if (found === undefined) return undefined
  const prefix = found.slice(0, -stem.length)
  return new Map(
    [...tensors].flatMap(([name, array]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), array] as const] : [],
    ),
  )
}

/** The encoder alone, under the names that it has in a model with a head. */
function asWhole(encoder: State): Map<string, NDArray> {
  return new Map([...encoder].map(([name, array]) => [`fnet.${name}`, array]))
}

function flaxState(path: string, tensors: State): State | undefined {
  const whole = withoutPrefix(tensors, `encoder/${flaxWords}`)
  const encoder = whole ?? withoutPrefix(tensors, flaxWords)
  if (!encoder) return undefined
  return ofFile(path, () => (whole ? fromFlax(whole) : asWhole(fromFlax(encoder))))
}

/** What `read` gives; its FormatErrors begin with the file's name. */
function ofFile(path: string, read: () => State): State {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw reworded(error, `${path}: ${error.message}`)
  }
}

function transformersState(path: string, tensors: State): State | undefined {
  if ([...tensors.keys()].some((name) => name.includes('.attention.self.'))) {
    throw new FormatError(`${path}: is a BERT of transformers, not an FNet`, {
      hint: 'BERT checkpoints are taken in the official layout only (flax, .npz)',
    })
  }
  const whole = withoutPrefix(tensors, `fnet.${words}`)
  if (whole) return ofFile(path, () => fromTransformers(whole))
  const encoder = withoutPrefix(tensors, words)
  return encoder && ofFile(path, () => asWhole(fromTransformers(encoder)))
}

/** Reads a checkpoint. Throws a UsageError or FormatError that names the file if it is not an FNet checkpoint. */
export async function readCheckpointFile(path: string): Promise<CheckpointFile> {
  const file = await readTensorFile(path)
  const { format, tensors, metadata } = file
  const leftOut = describeLeftOut(file)
  const flax = flaxState(path, tensors)
  const found = flax ?? transformersState(path, tensors)
  if (!found) {
    throw new FormatError(
      `${path}: must be a checkpoint of an FNet, found a ${format} file without its word embedding`,
      {
        hint: `"encoder/${flaxWords}" in official files, "fnet.${words}" in transformers'; tenfold info ${pathArgument(path)} lists what it holds${leftOut ? `; not read: ${leftOut}` : ''}`,
      },
    )
  }
  const state = new Map([...found].filter(([name]) => /^(fnet|cls)\./.test(name)))
  const query = [...tensors].find(([name]) => /self_attention_\d+\/query\/kernel$/.test(name))?.[1]
  const isOurs = metadata.format === 'tenfold' || metadata.system !== undefined
  return {
    path,
    origin: flax ? 'official' : isOurs ? 'tenfold' : 'transformers',
    state,
    vocab_size: rowsOf(path, state, `fnet.${words}`)[0],
    max_seq_length: rowsOf(path, state, 'fnet.embeddings.position_embeddings.weight')[0],
    num_heads: query?.shape[1],
  }
}

/** Both sizes of a matrix. */
function rowsOf(path: string, state: State, name: string): readonly [rows: number, columns: number] {
  const [rows, columns] = state.get(name)?.shape ?? []
  if (rows === undefined || columns === undefined) {
    throw new FormatError(`${path}: is not a complete checkpoint of an FNet: "${name}" is missing`)
  }
  return [rows, columns]
}

/** How the layers mix, judging by their tensors. Mixing without tensors, and fixed random matrices, come from the settings. */
function mixingOf({ path, state }: CheckpointFile, layers: number, wanted: CheckpointedSettings) {
  const layersWith = (name: string): number[] =>
    Array.from({ length: layers }, (_, i) => i).filter((i) => state.has(`fnet.encoder.layer.${i}.fourier.self.${name}`))
  const attending = layersWith('query.weight')
  const found = attending.length === layers ? 'bert' : layersWith('seq_kernel').length > 0 ? 'linear' : undefined
  const isPossible = found === undefined ? wanted.model_arch !== 'bert' && wanted.model_arch !== 'linear' : true
  // `random` saves matrices as `linear` does, and only the settings know that they are not to be trained.
  const model_arch = found === 'linear' && wanted.model_arch === 'random' ? 'random' : (found ?? wanted.model_arch)
  if (!isPossible || (wanted.model_arch !== 'f_net' && wanted.model_arch !== model_arch)) {
    throw new UsageError(`${path}: its layers are not those of model.model_arch=${wanted.model_arch}`, {
      hint: found ? `leave the setting out: it is ${found}` : 'leave the setting out, or set ff_only or random',
    })
  }
  if (model_arch === 'bert' || attending.length === 0) {
    return { model_arch, num_attention_layers: 0, attention_layout: wanted.attention_layout }
  }
  for (const attention_layout of ['top', ...attentionLayouts] as const) {
    for (let num_attention_layers = 1; num_attention_layers <= layers; num_attention_layers++) {
      const layout = { model_arch, num_layers: layers, num_attention_layers, attention_layout }
      const attends = attentionLayers(layout).flatMap((does, i) => (does ? [i] : []))
      if (attends.join() === attending.join()) return { model_arch, num_attention_layers, attention_layout }
    }
  }
  throw new FormatError(
    `${path}: no layout of a hybrid has attention in the layers ${attending.join(', ')} of ${layers}`,
  )
}

/** The settings of the encoder with the sizes of the checkpoint. */
function settingsOf(file: CheckpointFile, wanted: CheckpointedSettings): CheckpointedSettings {
  const { path, state } = file
  const size = (name: string) => rowsOf(path, state, `fnet.${name}.weight`)
  const layers = [...state.keys()].flatMap((name) => /^fnet\.encoder\.layer\.(\d+)\./.exec(name)?.[1] ?? [])
  const num_layers = Math.max(0, largest(layers.map(Number)) + 1)
  return {
    ...wanted,
    ...mixingOf(file, num_layers, wanted),
    num_layers,
    d_emb: size('embeddings.word_embeddings')[1],
    d_model: size('embeddings.projection')[0],
    d_ff: size('encoder.layer.0.intermediate.dense')[0],
    type_vocab_size: size('embeddings.token_type_embeddings')[0],
    num_heads: file.num_heads ?? wanted.num_heads,
  }
}

/** The checkpoint as a model starts from it. */
export interface CheckpointWeights {
  readonly model: CheckpointedSettings
  /** By the names of the pre-training model; heads that the file lacks are left out. */
  readonly weights: ReadonlyMap<string, NDArray>
  readonly summary: string
}

/**
 * The weights for a model with these settings; the checkpoint's sizes replace the settings'. Throws a FormatError if a tensor of
 * the encoder is missing or has another shape, and for tensors that no FNet has.
 */
export function checkpointWeights(file: CheckpointFile, wanted: CheckpointedSettings): CheckpointWeights {
  const { path, origin, state, vocab_size, max_seq_length } = file
  const model = settingsOf(file, wanted)
  const loaded = new FNetForPreTraining({ ...model, vocab_size, max_seq_length, pad_token_id: 0 })
  try {
    loadOfficial(loaded, state, /^cls\./)
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    throw new FormatError(`${path}: is not a complete checkpoint of an FNet: ${error.message}`, { cause: error })
  }
  const weights = new Map([...loaded.stateDict()].filter(([name]) => name.startsWith('fnet.') || state.has(name)))
  const summary = `weights of ${path} (${origin}): ${model.model_arch}, ${model.num_layers} layers of width ${model.d_model}, ${vocab_size} tokens, texts padded to ${max_seq_length}`
  return { model, weights, summary }
}
