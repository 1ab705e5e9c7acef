/** Training that starts from a trained U-Net: an official `.pt`, or any file with its tensors under the official names. */
import { readTensorFile } from '../../io/tensor-file.ts'
import { describeLeftOut, type TensorFile } from '../../io/tensor-format.ts'
import { init } from '../../nn/index.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { sameShape } from '../../tensor/shape.ts'
import type { Settings } from '../../train/settings.ts'
import { FormatError, ShapeError } from '../../util/errors.ts'
import { pathArgument } from '../../util/shell.ts'
import type { Start } from '../define.ts'
import type { UNetConfig } from './config.ts'
import { SuperResModel, UNetModel } from './model.ts'
import {
  type DiffusionSettings,
  type PictureSizes,
  type UNetSettings,
  type UpsamplerSettings,
  unetConfig,
} from './settings.ts'

/** Every U-Net begins with it; its shape is [4 model_channels, model_channels]. */
const firstWeight = 'time_embed.0.weight'
const labelWeight = 'label_emb.weight'

/** The tensors of a U-Net among those of a file: all names may have a prefix, as `model.` in a checkpoint of a run. */
function findModel(path: string, { format, tensors }: TensorFile): Map<string, NDArray> {
  const [found] = [...tensors.keys()]
    .filter((name) => name === firstWeight || name.endsWith(`.${firstWeight}`))
    .sort((a, b) => a.length - b.length)
  if (found === undefined) {
    throw new FormatError(
      `${path}: must be a checkpoint of a U-Net, found a ${format} file without its "${firstWeight}"`,
      {
        hint: `tenfold info ${pathArgument(path)} lists what it holds`,
      },
    )
  }
  const prefix = found.slice(0, -firstWeight.length)
  const own = /^(time_embed|label_emb|input_blocks|middle_block|output_blocks|out)\./
  return new Map(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, array]) => [name.slice(prefix.length), array] as const)
      .filter(([name]) => own.test(name)),
  )
}

/** Weights for a network: all of them, but for the labels where there are others. */
export interface LoadedWeights {
  readonly weights: ReadonlyMap<string, NDArray>
  /** Whether the network has labels that the file knows nothing of. */
  readonly newLabels: boolean
}

/** The weights of a file for the network of a configuration. Throws a FormatError that says what does not fit. */
export function fitWeights(
  path: string,
  file: TensorFile,
  config: UNetConfig,
  make: (config: UNetConfig) => UNetModel = (chosen) => new UNetModel(chosen),
): LoadedWeights {
  const state = findModel(path, file)
  const model = init.skipInit(() => make(config))
  const [own, given] = [model.label_emb?.weight, state.get(labelWeight)]
  const newLabels = own !== undefined && !(given && sameShape(own.shape, given.shape))
  if (newLabels || !own) state.delete(labelWeight)
  const complete = newLabels ? new Map(state).set(labelWeight, own.array) : state
  try {
    model.loadStateDict(complete)
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    const width = state.get(firstWeight)?.shape[1]
    const leftOut = describeLeftOut(file)
    const hints = [
      `its base width is ${width} (model.model_channels)`,
      ...(leftOut === undefined ? [] : [`not read of the file: ${leftOut}`]),
    ]
    throw new FormatError(`${path}: does not fit the network of the settings: ${error.message}`, {
      cause: error,
      hint: hints.join('; '),
    })
  }
  return { weights: state, newLabels }
}

/** A configuration with a U-Net in it. */
type DenoiserRecipe = Settings & { readonly model: UNetSettings; readonly diffusion: DiffusionSettings }

/** Reads `model.checkpoint`; undefined if none is named. Labels are new where there are others. */
export function readStart<Config extends DenoiserRecipe>(
  config: Config,
): Promise<Start<Config, PictureSizes> | undefined> {
  return readStartOf(config, (network) => new UNetModel(network))
}

/** The same for an upsampler. */
export function readUpsamplerStart<Config extends DenoiserRecipe & { readonly model: UpsamplerSettings }>(
  config: Config,
): Promise<Start<Config, PictureSizes> | undefined> {
  return readStartOf(config, (network) => new SuperResModel(network))
}

async function readStartOf<Config extends DenoiserRecipe>(
  config: Config,
  make: (config: UNetConfig) => UNetModel,
): Promise<Start<Config, PictureSizes> | undefined> {
  const { checkpoint: path } = config.model
  if (path === '') return undefined
  const file = await readTensorFile(path)
  return {
    fit: (chosen, facts) => {
      const { weights, newLabels } = fitWeights(path, file, unetConfig(chosen.model, facts, chosen.diffusion), make)
      const labels = newLabels ? '; the labels are new' : ''
      return { config: chosen, weights, summary: `weights of ${path}: ${weights.size} tensors${labels}` }
    },
  }
}
