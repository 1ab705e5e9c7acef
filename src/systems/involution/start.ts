/** Trainings that begin from the backbone of a checkpoint: official files, or those of runs. */
import { readTensorFile } from '../../io/tensor-file.ts'
import { resnetStems } from '../../models/resnet.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import type { Settings } from '../../train/settings.ts'
import { FormatError, reworded, TenfoldError, UsageError } from '../../util/errors.ts'
import type { Start } from '../define.ts'
import { backboneSizesOf, backboneWeights, blocksOf, weightsOf } from './official.ts'
import type { NetworkSettings } from './settings.ts'

/** Detectors and segmentors always have the standard stem, and no setting for it. */
type BackboneSettings = Omit<NetworkSettings, 'stem'> & Partial<Pick<NetworkSettings, 'stem'>>

/** What is known of the pictures to train on. */
interface Pictures {
  readonly labels: readonly string[]
  /** Default: 3. */
  readonly in_channels?: number
}

type State = ReadonlyMap<string, NDArray>

/** A network of the settings' form that has the weights. */
interface Found<Own> {
  readonly model: Own
  readonly name: string
  readonly in_channels: number
}

/** The shape of a weight; empty where it is missing. */
const shapeOf = (weights: State, name: string): readonly number[] => weights.get(name)?.shape ?? []

type Kernels = Pick<NetworkSettings, 'kernel_size' | 'group_channels' | 'reduction_ratio'>

/**
 * K, channels of a group and r of the blocks' involutions. Weights have only the product of K * K and the number of groups: the groups
 * are those of the settings where some odd K fits them, else as published.
 */
function kernelsOf(weights: State, { kernel_size, group_channels, reduction_ratio }: Kernels): Kernels {
  const block = 'layer1.0.conv2.conv'
  const [reduced = 0, channels = 0] = shapeOf(weights, `${block}1.conv.weight`)
  const [rows = 0] = shapeOf(weights, `${block}2.conv.weight`)
  const fits = Math.floor(channels / reduction_ratio) === reduced
  const kernelOf = (group: number): number => Math.sqrt((rows * group) / channels)
  const group = [group_channels, 16].find((group) => kernelOf(group) % 2 === 1)
  return {
    kernel_size: group === undefined ? kernel_size : kernelOf(group),
    group_channels: group ?? group_channels,
    reduction_ratio: fits ? reduction_ratio : Math.floor(channels / reduced),
  }
}

type StemKernel = Pick<NetworkSettings, 'group_channels' | 'stem_kernel_size'>

/** K of the stem's involution, in which a group has at most all channels. */
function stemKernelOf(weights: State, { group_channels, stem_kernel_size }: StemKernel): number {
  const [, channels = 0] = shapeOf(weights, 'stem.1.conv1.conv.weight')
  const [rows = 0] = shapeOf(weights, 'stem.1.conv2.conv.weight')
  const kernel = Math.sqrt((rows * Math.min(group_channels, channels)) / channels)
  return kernel % 2 === 1 ? kernel : stem_kernel_size
}

/** The RedNet whose weights these are. Throws a FormatError if they are of none. */
function redNetOf<Own extends BackboneSettings>(settings: Own, weights: State): Found<Own> {
  const { blocks, depth, sizes } = backboneSizesOf(weights)
  const { num_stages = 4, stem_channels = 64, base_channels = 64, in_channels = 3 } = sizes
  const layers = blocks.slice(0, num_stages)
  const kernels = kernelsOf(weights, settings)
  const { stem_kernel_size } = settings
  const model: Own = {
    ...settings,
    ...kernels,
    network: 'rednet',
    layers,
    // Published ones have this; of a run of one's own the settings must say what it had.
    ...(depth !== undefined && num_stages === 4 && settings.stem !== undefined && { stem: 'standard' }),
    stem_channels,
    base_channels,
    stem_kernel_size: stemKernelOf(weights, { ...kernels, stem_kernel_size }),
  }
  const name = depth === undefined ? `a RedNet of ${layers.join(', ')} blocks` : `RedNet-${depth}`
  return { model, name, in_channels }
}

/** The ResNet whose weights these are (torchvision's and mmcls's names are ours). Throws a FormatError for one of other blocks. */
function resNetOf<Own extends BackboneSettings>(settings: Own, weights: State): Found<Own> {
  const [base_channels = 0, in_channels = 0, side = 0] = shapeOf(weights, 'conv1.weight')
  const layers = blocksOf(weights).filter((count) => count > 0)
  if (!weights.has('layer1.0.conv3.weight'))
    throw new FormatError('the checkpoint holds a ResNet without bottlenecks, which these recipes have', {
      hint: 'ResNet-18 and ResNet-34 have basic blocks; ResNet-50 has bottlenecks',
    })
  const stem = side === resnetStems.small.kernel ? 'small' : 'standard'
  if (settings.stem === undefined && stem === 'small')
    throw new FormatError('the checkpoint holds a ResNet with the small stem, this recipe has the standard one')
  const model: Own = { ...settings, network: 'resnet', layers, base_channels, ...(settings.stem && { stem }) }
  return { model, name: `a ResNet of ${layers.join(', ')} blocks`, in_channels }
}

/** The network whose weights these are. */
function networkOf<Own extends BackboneSettings>(settings: Own, weights: State): Found<Own> {
  return weights.has('conv1.weight') ? resNetOf(settings, weights) : redNetOf(settings, weights)
}

/**
 * Reads `model.checkpoint`; undefined if none is named. The head is left out. Throws a FormatError for a file without a RedNet or ResNet;
 * `fit` a UsageError for pictures of other channels.
 */
export async function readBackbone<Config extends Settings & { readonly model: BackboneSettings }>({
  model: { checkpoint: path },
}: Config): Promise<Start<Config, Pictures> | undefined> {
  if (!path) return undefined
  const { tensors } = await readTensorFile(path)
  const plain = new Map([...tensors].map(([name, array]) => [name.replace(/^model\./, ''), array] as const))
  const backbone = backboneWeights(weightsOf(plain))
  return {
    fit: (config, pictures) => {
      try {
        const { model, name, in_channels } = networkOf(config.model, backbone)
        const given = pictures.in_channels ?? 3
        if (in_channels !== given)
          throw new UsageError(`is for pictures of ${in_channels} channels, these have ${given}`)
        const weights = [...backbone].filter(([weight]) => /^(stem|conv1|bn1|layer\d)\./.test(weight))
        return {
          config: { ...config, model },
          weights: new Map(weights.map(([weight, array]) => [`backbone.${weight}`, array] as const)),
          summary: `backbone of ${path}: ${name}; new head`,
        }
      } catch (error) {
        if (!(error instanceof TenfoldError)) throw error
        throw reworded(error, `${path}: ${error.message}`)
      }
    },
  }
}
