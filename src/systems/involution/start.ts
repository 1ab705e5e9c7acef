/** Trainings that begin from the backbone of a checkpoint: official files, or those of runs. */
import { readTensorFile } from '../../io/tensor-file.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import type { Settings } from '../../train/settings.ts'
import { TenfoldError, UsageError } from '../../util/errors.ts'
import type { Start } from '../define.ts'
import { backboneSizesOf, backboneWeights, weightsOf } from './official.ts'
import type { NetworkSettings } from './settings.ts'

/** Detectors and segmentors always have the standard stem, and no setting for it. */
type BackboneSettings = Omit<NetworkSettings, 'stem'> & Partial<Pick<NetworkSettings, 'stem'>>

/** What is known of the pictures to train on. */
interface Pictures {
  readonly labels: readonly string[]
  /** Default: 3. */
  readonly in_channels?: number
}

/** The settings of the RedNet whose weights these are. */
function settingsOf<Own extends BackboneSettings>(settings: Own, tensors: ReadonlyMap<string, NDArray>) {
  const { blocks, depth, sizes } = backboneSizesOf(tensors)
  const { num_stages = 4, stem_channels = 64, base_channels = 64, in_channels = 3 } = sizes
  const model: Own = {
    ...settings,
    network: 'rednet',
    layers: blocks.slice(0, num_stages),
    ...(settings.stem !== undefined && { stem: 'standard' }),
    stem_channels,
    base_channels,
    stem_kernel_size: sizes.stem_involution_kernel_size ?? 3,
    // Published ones have these; of a run of one's own the settings must say what it had.
    ...(depth !== undefined && { kernel_size: 7, group_channels: 16, reduction_ratio: 4 }),
  }
  const name = depth === undefined ? `a RedNet of ${model.layers.join(', ')} blocks` : `RedNet-${depth}`
  return { model, name, in_channels }
}

/**
 * Reads `model.checkpoint`; undefined if none is named. The head is left out. Throws a FormatError for a file without a RedNet; `fit` a
 * UsageError for pictures of other channels.
 */
export async function readBackbone<Config extends Settings & { readonly model: BackboneSettings }>({
  model: { checkpoint: path },
}: Config): Promise<Start<Config, Pictures> | undefined> {
  if (!path) return undefined
  const { tensors } = await readTensorFile(path)
  const plain = new Map([...tensors].map(([name, array]) => [name.replace(/^model\./, ''), array] as const))
  return {
    fit: (config, pictures) => {
      try {
        const { model, name, in_channels } = settingsOf(config.model, plain)
        const given = pictures.in_channels ?? 3
        if (in_channels !== given)
          throw new UsageError(`is for pictures of ${in_channels} channels, these have ${given}`)
        const weights = [...backboneWeights(weightsOf(plain))].filter(([weight]) => /^(stem|layer\d)\./.test(weight))
        return {
          config: { ...config, model },
          weights: new Map(weights.map(([weight, array]) => [`backbone.${weight}`, array] as const)),
          summary: `backbone of ${path}: ${name}; new head`,
        }
      } catch (error) {
        if (!(error instanceof TenfoldError)) throw error
        throw new UsageError(`${path}: ${error.message}`, {
          cause: error,
          ...(error.hint !== undefined && { hint: error.hint }),
        })
      }
    },
  }
}
