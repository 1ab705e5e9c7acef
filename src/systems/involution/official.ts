/** The official checkpoints (mmcls, mmdet and mmseg: {meta, state_dict, optimizer}), whose names are ours. */
import { init, type Module } from '../../nn/index.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { FormatError } from '../../util/errors.ts'
import { type Depth, depths, type RedNetConfig, stageBlocks } from './config.ts'
import { ImageClassifier, RedNet } from './model.ts'

type State = ReadonlyMap<string, NDArray>

/** The weights of a checkpoint without what else a training keeps, and without the names of the wrappers around the model. */
export function weightsOf(tensors: State): Map<string, NDArray> {
  const weights = [...tensors].filter(([name]) => !/^(optimizer|meta)\./.test(name))
  return new Map(weights.map(([name, array]) => [name.replace(/^(state_dict\.)?(module\.)?/, ''), array]))
}

/** What a checkpoint's backbone is, from the names and shapes of its weights. Throws a FormatError if it is no RedNet of a published depth. */
export function redNetConfigOf(tensors: State): RedNetConfig {
  const { blocks, depth, sizes } = backboneSizesOf(tensors)
  if (depth === undefined) throw new FormatError(`no RedNet has stages of ${blocks.join(', ')} blocks`)
  return { depth, ...sizes }
}

/** The blocks of each of four stages, by the weights of a backbone. */
export function blocksOf(weights: State): number[] {
  return [1, 2, 3, 4].map((stage) => {
    const pattern = new RegExp(`^layer${stage}\\.\\d+\\.conv1\\.weight$`)
    return [...weights.keys()].filter((name) => pattern.test(name)).length
  })
}

/** The blocks of each of four stages, the published depth that has them, if one has, and all else. Throws a FormatError if it is no RedNet. */
export function backboneSizesOf(tensors: State): {
  readonly blocks: readonly number[]
  readonly depth: Depth | undefined
  readonly sizes: Omit<RedNetConfig, 'depth'>
} {
  const weights = backboneWeights(weightsOf(tensors))
  const sizeOf = (name: string, axis: number): number | undefined => weights.get(name)?.shape[axis]
  const blocks = blocksOf(weights)
  const num_stages = blocks.filter((count) => count > 0).length
  const depth = depths.find((depth) =>
    blocks.every((count, i) => count === (i < num_stages ? stageBlocks[depth][i] : 0)),
  )
  const kernels = sizeOf('stem.1.conv2.conv.weight', 0)
  const width = sizeOf('layer1.0.conv1.weight', 0)
  const stem = sizeOf('stem.4.conv.weight', 0)
  const to = sizeOf('layer1.0.conv3.weight', 0)
  const inChannels = sizeOf('stem.0.conv.weight', 1)
  if (!kernels || !width || !stem || !to || !inChannels)
    throw new FormatError('the checkpoint holds no RedNet: it has no stem with an involution, or no first stage', {
      hint: 'names are stem.1.conv2.conv.weight, layer1.0.conv1.weight, perhaps after "backbone."',
    })
  const sizes = {
    num_stages,
    strides: [1, 2, 2, 2].slice(0, num_stages),
    out_indices: [num_stages - 1],
    in_channels: inChannels,
    stem_channels: stem,
    base_channels: width,
    expansion: to / width,
    avg_down: weights.has('layer2.0.downsample.2.weight'),
    stem_involution_kernel_size: Math.sqrt(kernels / (stem / 2 / 16)),
  }
  return { blocks, depth, sizes }
}

/** The weights of the backbone alone: those after "backbone.", or all where no name begins so. */
export function backboneWeights(weights: State): Map<string, NDArray> {
  const prefix = 'backbone.'
  const inside = [...weights].filter(([name]) => name.startsWith(prefix))
  return inside.length === 0
    ? new Map(weights)
    : new Map(inside.map(([name, array]) => [name.slice(prefix.length), array] as const))
}

const stemKernel = 'stem.1.conv2.conv.weight'

/** Classification and detection have stems that differ in nothing but this kernel, which a list of shapes would hide. */
function checkStem(model: Module, weights: State): void {
  const own = [...model.variables()].find(([name]) => name.endsWith(stemKernel))
  const given = own && weights.get(own[0])
  const side = (count = 0, groups = 1): number => Math.sqrt(count / groups)
  if (!own || !given || own[1].shape[0] === given.shape[0]) return
  const groups = Math.max(1, (own[1].shape[1] ?? 4) / 4) // four channels of the generator are one group of 16
  const [found, wanted] = [side(given.shape[0], groups), side(own[1].shape[0], groups)]
  throw new FormatError(
    `the checkpoint's stem has involutions of ${found}x${found}, the model's of ${wanted}x${wanted}`,
    {
      hint: 'stem_involution_kernel_size is 3 in official checkpoints of classification, 7 in those of detection and segmentation',
    },
  )
}

/** Loads a whole checkpoint into a model of the same names: a classifier, a detector's part. */
export function loadOfficial(model: Module, tensors: State): void {
  const weights = weightsOf(tensors)
  checkStem(model, weights)
  model.loadStateDict(weights)
}

/** Loads the backbone of a checkpoint, whatever its head is. */
export function loadBackbone(backbone: RedNet, tensors: State): void {
  const weights = backboneWeights(weightsOf(tensors))
  checkStem(backbone, weights)
  backbone.loadStateDict(weights)
}

/** The classifier that a checkpoint is of. Throws a FormatError where it has no RedNet or no head. */
export function classifierOf(tensors: State): ImageClassifier {
  const classes = weightsOf(tensors).get('head.fc.bias')?.shape[0]
  if (!classes) throw new FormatError('the checkpoint has no classifier: head.fc.weight and head.fc.bias are missing')
  const model = init.skipInit(() => new ImageClassifier(new RedNet(redNetConfigOf(tensors)), classes))
  loadOfficial(model, tensors)
  return model
}
