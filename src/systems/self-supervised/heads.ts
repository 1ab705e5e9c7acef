/** Projectors and predictors: linear layers with batch norm and ReLU between. Methods differ in which have biases and where the last norm is. */
import { BatchNorm1d, type Layer, Linear, ReLU, Sequential } from '../../nn/index.ts'
import { UsageError } from '../../util/errors.ts'

/** How a head differs from the plain one. */
export interface HeadOptions {
  /** Whether the layers before the last have biases. Default: true. */
  readonly bias?: boolean
  /** Whether the last one has. Default: true. */
  readonly lastBias?: boolean
  /** The norm before each ReLU. Default: batch. */
  readonly norm?: 'batch' | 'none'
  /** What follows the last layer: nothing, a batch norm, or one without weight and bias. Default: none. */
  readonly lastNorm?: 'none' | 'batch' | 'plain'
  /** Of the norms. Default: 1e-5. */
  readonly eps?: number
}

/** Linear (batch norm, ReLU, linear)*: sizes [in, hidden ..., out]; numbered as PyTorch's Sequential. */
export function mlpHead(sizes: readonly number[], options: HeadOptions = {}): Sequential {
  const { bias = true, lastBias = true, norm = 'batch', lastNorm = 'none', eps = 1e-5 } = options
  if (sizes.length < 2) throw new UsageError(`mlpHead: sizes must be [in, ..., out], found [${sizes}]`)
  const layers = sizes.slice(1).flatMap((width, i): Layer[] => {
    const isLast = i === sizes.length - 2
    const linear = new Linear(sizes[i] ?? 0, width, { bias: isLast ? lastBias : bias })
    if (!isLast) return norm === 'batch' ? [linear, new BatchNorm1d(width, { eps }), new ReLU()] : [linear, new ReLU()]
    return lastNorm === 'none' ? [linear] : [linear, new BatchNorm1d(width, { affine: lastNorm === 'batch', eps })]
  })
  return new Sequential(...layers)
}

/** '8192-8192-8192' as widths, the form of Barlow Twins' --projector and VICReg's --mlp. */
export function parseWidths(text: string): number[] {
  const widths = text.split('-').map(Number)
  if (!widths.every((width) => Number.isInteger(width) && width > 0)) {
    throw new UsageError(`a projector must be widths like 8192-8192-8192, found "${text}"`)
  }
  return widths
}
