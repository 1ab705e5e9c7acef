/** Reference cases of the backbone and its parts. */
import { type MaxPool2d, Module, type Sequential } from '../../../nn/index.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { inputNamed } from '../../../verify/model-case.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  choiceSetting,
  numberSetting,
  numbersSetting,
  type ReferenceCase,
} from '../../../verify/target.ts'
import { resLayer } from '../bottleneck.ts'
import { type Depth, depths, type RedNetConfig } from '../config.ts'
import { RedNet, redNetStem, stemPool } from '../model.ts'
import { blockConfig, normConfig, runLoaded, weightedOutputs } from './running.ts'

type Found = Promise<Map<string, NDArray>>

/** The stem's kernel, which the folder of the official code decides where it is not given. */
function stemKernel({ config }: ReferenceCase): number {
  const folder = choiceSetting(config, 'folder', ['cls', 'det', 'seg'], 'cls')
  return numberSetting(config, 'stem_involution_kernel_size', folder === 'cls' ? 3 : 7)
}

/** The stem and the pool after it. */
class Stem extends Module {
  readonly stem: Sequential
  readonly maxpool: MaxPool2d

  constructor(stem: Sequential) {
    super()
    this.stem = stem
    this.maxpool = stemPool()
  }

  forward(images: Tensor): { readonly stem: Tensor; readonly maxpool: Tensor } {
    const stem = this.stem.forward(images)
    return { stem, maxpool: this.maxpool.forward(stem) }
  }
}

async function runStem(reference: ReferenceCase): Found {
  const { config } = reference
  const channels = numberSetting(config, 'stem_channels', 64)
  const [kernel, norm] = [{ kernel_size: stemKernel(reference) }, normConfig(config)]
  const model = new Stem(redNetStem(numberSetting(config, 'in_channels', 3), channels, kernel, norm))
  return runLoaded(reference, model, (inputs) => weightedOutputs({ ...model.forward(inputNamed(inputs, 'x')) }, inputs))
}

async function runLayer(reference: ReferenceCase): Found {
  const { config } = reference
  const model = resLayer(
    numberSetting(config, 'num_blocks'),
    numberSetting(config, 'in_channels'),
    numberSetting(config, 'out_channels'),
    numberSetting(config, 'expansion', 4),
    numberSetting(config, 'stride', 1),
    blockConfig(reference),
  )
  return runLoaded(reference, model, (inputs) =>
    weightedOutputs({ out: model.forward(inputNamed(inputs, 'x')) }, inputs),
  )
}

/** The official arguments of RedNet. */
export function redNetConfig(reference: ReferenceCase): RedNetConfig {
  const { config } = reference
  const num_stages = numberSetting(config, 'num_stages', 4)
  const depth = choiceSetting({ depth: String(numberSetting(config, 'depth')) }, 'depth', depths.map(String))
  return {
    ...blockConfig(reference),
    depth: Number(depth) as Depth,
    in_channels: numberSetting(config, 'in_channels', 3),
    stem_channels: numberSetting(config, 'stem_channels', 64),
    base_channels: numberSetting(config, 'base_channels', 64),
    expansion: numberSetting(config, 'expansion', 4),
    num_stages,
    strides: numbersSetting(config, 'strides', [1, 2, 2, 2]),
    out_indices: numbersSetting(config, 'out_indices', [3]),
    frozen_stages: numberSetting(config, 'frozen_stages', -1),
    norm_eval: booleanSetting(config, 'norm_eval', false),
    stem_involution_kernel_size: stemKernel(reference),
  }
}

async function runBackbone(reference: ReferenceCase): Found {
  const config = redNetConfig(reference)
  const model = new RedNet(config)
  const stages = config.out_indices ?? []
  return runLoaded(reference, model, (inputs) => {
    const maps = model.forward(inputNamed(inputs, 'x'))
    // The official code gives maps in the order of the network, each once.
    const ordered = [...new Set(stages)].sort((a, b) => a - b)
    const named = ordered.map((stage, i) => [`stage_${stage}`, maps[i] as Tensor] as const)
    return weightedOutputs(Object.fromEntries(named), inputs)
  })
}

export const backboneTargets: readonly CaseTargetRule[] = [
  { target: /^RedNet stem/, run: runStem },
  { target: /^ResLayer/, run: runLayer },
  { target: /^RedNet backbone/, run: runBackbone },
]
