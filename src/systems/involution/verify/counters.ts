/** Reference cases of counts: parameters, multiply-adds, the published FLOPs. */
import { ResNet, resnetVariants } from '../../../models/resnet.ts'
import { Conv2d, Involution, init } from '../../../nn/index.ts'
import { fromNumbers, type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { FormatError } from '../../../util/errors.ts'
import {
  type CaseTargetRule,
  fixedSetting,
  numberSetting,
  numbersSetting,
  type ReferenceCase,
  requiredTensor,
} from '../../../verify/target.ts'
import { type Depth, depths } from '../config.ts'
import { type Counts, countsOf } from '../count.ts'
import { ImageClassifier, RedNet } from '../model.ts'

/** The rows of a table, each of as many whole numbers as its last axis has. */
function rowsOf({ tensors }: ReferenceCase, name: string, width: number): number[][] {
  const numbers = toNumbers(requiredTensor(tensors, `input/${name}`).data)
  return Array.from({ length: numbers.length / width }, (_, i) => [...numbers.slice(i * width, (i + 1) * width)])
}

function table(rows: readonly (readonly number[])[]): NDArray {
  const shape = [rows.length, rows[0]?.length ?? 0]
  return { dtype: 'int64', shape, data: fromNumbers('int64', rows.flat()) }
}

function knownDepth(found: number | undefined): Depth {
  const depth = depths.find((depth) => depth === found)
  if (!depth) throw new FormatError(`rows must be of depths ${depths.join(', ')}, found ${found}`)
  return depth
}

const opFields = ['channels', 'kernel_size', 'reduction_ratio', 'group_channels', 'stride', 'height', 'width']

/** An involution with its kernel generator, and the convolution of the same size. */
function opCounts([
  channels = 0,
  kernel = 1,
  reductionRatio,
  groupChannels,
  stride = 1,
  height = 0,
  width = 0,
]: number[]) {
  const shape = [1, channels, height, width]
  const options = { ...(reductionRatio && { reductionRatio }), ...(groupChannels && { groupChannels }) }
  const conv = new Conv2d(channels, channels, kernel, { stride, padding: (kernel - 1) / 2, bias: false })
  const [ours, usual] = [countsOf(new Involution(channels, kernel, stride, options), shape), countsOf(conv, shape)]
  return [ours.params, ours.macs, usual.params, usual.macs]
}

async function runCounters(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const { config } = reference
  const [height = 0, width = 0] = numbersSetting(config, 'image_size', [224, 224])
  const classes = numberSetting(config, 'num_classes', 1000)
  const stem_channels = numberSetting(config, 'stem_channels', 64)
  const base_channels = numberSetting(config, 'base_channels', 64)
  const columns = config.columns as readonly (keyof Counts)[]
  fixedSetting(config, 'rednet_row_fields', ['depth', 'stem_involution_kernel_size'])
  fixedSetting(config, 'op_row_fields', opFields)
  fixedSetting(config, 'op_columns', ['involution_params', 'involution_macs', 'conv_params_without_bias', 'conv_macs'])
  const counted = (build: () => ImageClassifier): number[] => {
    const counts = countsOf(init.skipInit(build), [1, 3, height, width])
    return columns.map((column) => {
      const count = counts[column]
      if (count === undefined) throw new FormatError(`setting "columns" has an unknown count, "${column}"`)
      return count
    })
  }
  const redNet = ([depth, stem_involution_kernel_size = 3]: number[]): number[] =>
    counted(
      () =>
        new ImageClassifier(
          new RedNet({ depth: knownDepth(depth), stem_channels, base_channels, stem_involution_kernel_size }),
          classes,
        ),
    )
  const resNet = ([depth]: number[]): number[] => {
    const variant = resnetVariants[`resnet${knownDepth(depth)}`]
    const options = { ...variant, width: base_channels, stemWidth: stem_channels, numClasses: 0 }
    return counted(() => new ImageClassifier(new ResNet(options), classes))
  }
  return new Map([
    ['output/rednet_counts', table(rowsOf(reference, 'rednet_rows', 2).map(redNet))],
    [
      'output/op_counts',
      table(rowsOf(reference, 'op_rows', opFields.length).map((row) => init.skipInit(() => opCounts(row)))),
    ],
    ['output/resnet_counts', table(rowsOf(reference, 'resnet_rows', 1).map(resNet))],
  ])
}

export const counterTargets: readonly CaseTargetRule[] = [
  { target: /^parameter \/ multiply-add counters/, run: runCounters },
]
