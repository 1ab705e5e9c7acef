/** Position features of the rows of an input array: Fourier features of a grid, or learned vectors. */
import { fourierFeatures, gridPositions } from '../../models/positions.ts'
import { init, Linear, Module } from '../../nn/index.ts'
import { parameter } from '../../nn/init.ts'
import * as ops from '../../ops/index.ts'
import { elementCount } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import { UsageError } from '../../util/errors.ts'

/** What a row knows of its place. */
export type PositionConfig =
  | {
      readonly type: 'fourier'
      /** K: frequencies of each axis, evenly spaced from 1 to half the resolution. */
      readonly num_bands: number
      /** mu of each axis. Default: the size of the array. */
      readonly max_resolution?: readonly number[]
      /** Whether the place itself is among the features. Default: true. */
      readonly concat_pos?: boolean
      /** Whether the cosines are left out. Default: false. */
      readonly sine_only?: boolean
    }
  | {
      readonly type: 'trainable'
      readonly num_channels: number
      /** Standard deviation with which they begin. Default: 0.02. */
      readonly init_scale?: number
    }
  | { readonly type: 'none' }

/** How positions join the data. */
export interface PositionOptions {
  readonly position: PositionConfig
  /** Width to which a linear layer maps the positions; -1: as they are. Default: -1. */
  readonly project_pos_dim?: number
  /** Linear layers with residuals on the positions. Default: 0. */
  readonly n_extra_pos_mlp?: number
  /** Default: concat. */
  readonly concat_or_add_pos?: 'concat' | 'add'
}

/** Channels of the positions of a grid with so many axes, before a projection. */
function positionChannels(config: PositionConfig, axes: number): number {
  if (config.type === 'none') return 0
  if (config.type === 'trainable') return config.num_channels
  const { num_bands, concat_pos = true, sine_only = false } = config
  return axes * (num_bands * (sine_only ? 1 : 2) + (concat_pos ? 1 : 0))
}

/** Joins rows with the features of their places: [B, rows, channels] -> [B, rows, outputChannels]. */
export class PositionEncoder extends Module {
  readonly position_embeddings: { readonly position_embeddings: Variable } | undefined
  readonly positions_projection: Linear | undefined
  readonly extra_pos_mlp: readonly Linear[]
  /** Channels of a row with its position. */
  readonly outputChannels: number
  readonly #options: PositionOptions
  /** Of the grid in which the rows lie, the first axis slowest. */
  readonly sizes: readonly number[]

  /** `sizes`: of the grid in which the rows lie, the first axis slowest; `channels`: of a row. */
  constructor(options: PositionOptions, sizes: readonly number[], channels: number) {
    super()
    const { position, project_pos_dim = -1, n_extra_pos_mlp = 0, concat_or_add_pos = 'concat' } = options
    this.#options = options
    this.sizes = sizes
    const own = positionChannels(position, sizes.length)
    const width = project_pos_dim > 0 ? project_pos_dim : own
    this.position_embeddings =
      position.type === 'trainable'
        ? {
            position_embeddings: parameter([elementCount(sizes), own], (shape) =>
              init.truncNormal(shape, { std: position.init_scale ?? 0.02 }),
            ),
          }
        : undefined
    this.positions_projection = project_pos_dim > 0 ? new Linear(own, project_pos_dim) : undefined
    this.extra_pos_mlp = Array.from({ length: n_extra_pos_mlp }, () => new Linear(width, width))
    if (concat_or_add_pos === 'add' && width !== channels) {
      throw new UsageError(
        `Perceiver: positions that are added must have as many channels as the data, found ${width} and ${channels}`,
        { hint: "concat_or_add_pos 'concat', or project_pos_dim, fits them" },
      )
    }
    this.outputChannels = concat_or_add_pos === 'concat' ? channels + width : channels
  }

  /** rows [B, M, C], M the product of the grid's sizes -> [B, M, outputChannels]. */
  forward(rows: Tensor): Tensor {
    const positions = this.positions() // [M, P]
    if (!positions) return rows
    if (this.#options.concat_or_add_pos === 'add') return ops.add(rows, positions)
    const [batch, count] = rows.sizes(3)
    return ops.concat([rows, ops.broadcastTo(positions, [batch, count, positions.sizes(2)[1]])], -1)
  }

  /** The features of every place, [M, P]; undefined: there are none. */
  positions(): Tensor | undefined {
    const { position } = this.#options
    if (position.type === 'none') return undefined
    let features = this.position_embeddings?.position_embeddings.value ?? this.#waves(position)
    if (this.positions_projection) features = this.positions_projection.forward(features)
    for (const [i, layer] of this.extra_pos_mlp.entries()) {
      features = ops.add(features, layer.forward(features))
      if (i < this.extra_pos_mlp.length - 1) features = ops.relu(features)
    }
    return features
  }

  #waves(position: PositionConfig): Tensor {
    if (position.type !== 'fourier') throw new UsageError('PositionEncoder: the positions are learned')
    const { num_bands, max_resolution, concat_pos = true, sine_only = false } = position
    return fourierFeatures(gridPositions(this.sizes), {
      bands: num_bands,
      maxResolution: max_resolution ?? this.sizes,
      concatPos: concat_pos,
      sineOnly: sine_only,
    })
  }
}
