/** Fine-tuning: weights of official, timm and tenfold checkpoints for another task, at their resolution or a multiple of it. */

import { readTensorFile } from '../../io/tensor-file.ts'
import { describeLeftOut, type TensorFile } from '../../io/tensor-format.ts'
import { freeze } from '../../nn/index.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { formatShape, type Sizes, sizes } from '../../tensor/shape.ts'
import type { Settings } from '../../train/settings.ts'
import { FormatError, ShapeError, UsageError } from '../../util/errors.ts'
import { largest } from '../../util/lists.ts'
import { pathArgument } from '../../util/shell.ts'
import { suggestion } from '../../util/words.ts'
import type { FittedWeights, Start } from '../define.ts'
import type { MixerConfig } from './config.ts'
import { enlargeTokenMixing } from './high-resolution.ts'
import { Mixer } from './model.ts'
import { fromOfficial, isOfficialName } from './official.ts'
import type { MixerSettings } from './settings.ts'

/** What is known of the pictures to train on. */
interface Pictures {
  readonly image_size: readonly [number, number]
  readonly in_channels: number
}

interface Loaded {
  /** By our names, without the head, which the new task replaces. */
  readonly state: ReadonlyMap<string, NDArray>
  readonly gelu: MixerConfig['gelu']
  readonly origin: string
}

// Averages of the weights, as timm's training saves them next to the weights, and prefers them.
const average = /(^|\.)(state_dict_ema|model_ema)\./

const stem = 'stem.proj.weight'
const isHead = (name: string): boolean => name.startsWith('head.')

/** The GELU of a model that `tenfold export` wrote: its metadata hold the configuration as JSON. */
function exportedGelu(config = ''): MixerConfig['gelu'] {
  return config.includes('"gelu":"none"') ? 'none' : 'tanh'
}

/** The tensors of a Mixer among those of a file. All names may have a prefix, such as `model.`. */
function findModel(path: string, { format, tensors, metadata }: TensorFile): Loaded {
  const official = new Map([...tensors].filter(([name]) => isOfficialName(name)))
  if (official.size > 0) {
    const state = [...fromOfficial(official)].filter(([name]) => !isHead(name))
    return { state: new Map(state), gelu: 'tanh', origin: 'official' }
  }
  // An average first; then the shortest: in a checkpoint of a run the optimizer's state has longer names.
  const [found] = [...tensors.keys()]
    .filter((name) => name === stem || name.endsWith(`.${stem}`))
    .sort((a, b) => Number(average.test(b)) - Number(average.test(a)) || a.length - b.length)
  if (found === undefined) {
    throw new FormatError(`${path}: must be a checkpoint of an MLP-Mixer, found a ${format} file without its stem`, {
      hint: `"stem/kernel" in official .npz files, "${stem}" in timm's; tenfold info ${pathArgument(path)} lists what it holds`,
    })
  }
  const prefix = found.slice(0, -stem.length)
  const own = /^(stem|blocks|norm)\./
  const state = [...tensors]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, array]) => [name.slice(prefix.length), array] as const)
    .filter(([name]) => own.test(name))
  // Exported by tenfold, or a checkpoint of one of its runs.
  const isOurs = metadata.system !== undefined || metadata.format === 'tenfold'
  const gelu = isOurs ? exportedGelu(metadata.config) : 'none'
  const origin = average.test(prefix) ? 'timm, their average' : 'timm'
  return { state: new Map(state), gelu, origin: isOurs ? 'tenfold' : origin }
}

/** The file lacks weights: the parts that were not read may be the reason. */
function incomplete(path: string, file: TensorFile, reason: string, cause?: Error): FormatError {
  const leftOut = describeLeftOut(file)
  return new FormatError(`${path}: is not a complete checkpoint of an MLP-Mixer: ${reason}`, {
    ...(cause && { cause }),
    ...(leftOut !== undefined && { hint: `not read of the file: ${leftOut}` }),
  })
}

/** The sizes that follow from the shapes of the weights. */
function sizesOf(path: string, file: TensorFile, state: ReadonlyMap<string, NDArray>) {
  const sizesOfTensor = <R extends keyof Sizes>(name: string, rank: R): Sizes[R] => {
    const shape = state.get(name)?.shape
    if (!shape) throw incomplete(path, file, `"${name}" is missing`)
    if (shape.length === rank) return sizes(shape, rank)
    throw incomplete(path, file, `"${name}" must have ${rank} axes, found shape ${formatShape(shape)}`)
  }
  const [hidden_dim, in_channels, patchHeight, patchWidth] = sizesOfTensor(stem, 4)
  const [tokens_mlp_dim, tokens] = sizesOfTensor('blocks.0.mlp_tokens.fc1.weight', 2)
  const [channels_mlp_dim] = sizesOfTensor('blocks.0.mlp_channels.fc1.weight', 2)
  const blocks = [...state.keys()].flatMap((name) => /^blocks\.(\d+)\./.exec(name)?.[1] ?? [])
  if (patchHeight !== patchWidth) {
    throw new FormatError(`${path}: patches must be square to train on, found ${patchHeight}x${patchWidth}`)
  }
  const num_blocks = largest(blocks.map(Number)) + 1
  return { patch_size: patchHeight, num_blocks, hidden_dim, tokens_mlp_dim, channels_mlp_dim, in_channels, tokens }
}

/** K such that the pictures have K x K times the tokens of the checkpoint (paper, appendix C). */
function resolutionFactor(
  path: string,
  { tokens, patch_size }: { readonly tokens: number; readonly patch_size: number },
  [height, width]: readonly [number, number],
): number {
  const [rows, columns] = [height / patch_size, width / patch_size]
  const factor = Math.sqrt((rows * columns) / tokens)
  if ([rows, columns, factor, rows / factor, columns / factor].every(Number.isInteger)) return factor
  const side = Math.sqrt(tokens) * patch_size
  throw new UsageError(
    `${path}: its token mixing is for ${tokens} patches of ${patch_size}x${patch_size} pixels, pictures of ${height}x${width} do not have K x K times as many`,
    Number.isInteger(side) ? { hint: `--set data.image_size=${side}, or a multiple: ${2 * side}, ${3 * side}` } : {},
  )
}

/** The weights in a model of their own sizes: every name and shape must be right. */
function loadInto(path: string, file: TensorFile, model: Mixer, state: ReadonlyMap<string, NDArray>): void {
  try {
    model.loadStateDict(state)
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    throw incomplete(path, file, error.message, error)
  }
}

/** A configuration with a Mixer in it. */
type MixerRecipe = Settings & { readonly model: MixerSettings }

/**
 * Reads `model.checkpoint`: official .npz, timm's state dict (safetensors or PyTorch), or a model of tenfold; undefined if none is
 * named. The head is left out, so that the new one begins at zero (as vit_jax does); pictures of K times the side get K x K
 * copies of the token mixing. Throws a FormatError for files that hold no Mixer; `fit` a UsageError for pictures that do not fit it.
 */
export async function readStart<Config extends MixerRecipe>(
  config: Config,
): Promise<Start<Config, Pictures> | undefined> {
  const { checkpoint: path } = config.model
  if (!path) return undefined
  const file = await readTensorFile(path)
  const found = findModel(path, file)
  return { fit: (chosen, pictures) => fitWeights(path, file, found, chosen, pictures) }
}

function fitWeights<Config extends MixerRecipe>(
  path: string,
  file: TensorFile,
  { state, gelu: usual, origin }: ReturnType<typeof findModel>,
  config: Config,
  { image_size, in_channels }: Pictures,
): FittedWeights<Config> {
  const { tokens, in_channels: channels, ...sizes } = sizesOf(path, file, state)
  if (channels !== in_channels) {
    throw new UsageError(`${path}: is for pictures of ${channels} channels, these have ${in_channels}`)
  }
  const factor = resolutionFactor(path, { tokens, ...sizes }, image_size)
  const gelu = config.model.gelu === 'auto' ? usual : config.model.gelu
  const small: [number, number] = [image_size[0] / factor, image_size[1] / factor]
  const model = new Mixer({
    ...sizes,
    in_channels,
    gelu,
    patch_size: [sizes.patch_size, sizes.patch_size],
    image_size: small,
    num_classes: 0,
    stoch_depth: 0,
  })
  loadInto(path, file, model, state)
  const ready = factor > 1 ? enlargeTokenMixing(model, factor) : model
  const enlarged = factor > 1 ? `, token mixing enlarged from ${small.join('x')} to ${image_size.join('x')} pixels` : ''
  return {
    config: {
      ...config,
      model: { ...config.model, ...sizes, tokens_mlp_dim: ready.config.tokens_mlp_dim, gelu },
    },
    weights: ready.stateDict(),
    summary: `weights of ${path} (${origin}): ${sizes.num_blocks} blocks of width ${sizes.hidden_dim}, patches of ${sizes.patch_size}${enlarged}; new head`,
  }
}

/** Keeps the named parts from being trained. `parts`: paths of modules or parameters, with commas between. */
export function freezeParts(model: Mixer, parts: string): void {
  const paths = parts
    .split(',')
    .map((path) => path.trim())
    .filter((path) => path !== '')
  for (const path of paths) {
    const inside = (name: string): boolean => name === path || name.startsWith(`${path}.`)
    if (![...model.variables().keys()].some(inside)) {
      throw new UsageError(`model.freeze: the model has no part "${path}"`, {
        hint: suggestion(path, ['stem', ...model.blocks.map((_, i) => `blocks.${i}`), 'norm', 'head']),
      })
    }
    freeze(model, inside)
  }
  if (model.parameters().length === 0) {
    throw new UsageError('model.freeze: every part is frozen, nothing is left to train', {
      hint: 'leave at least the head: stem,blocks,norm',
    })
  }
}
