/** Any array of rows: inputs [N, M, C] of a file, with positions and a mask where it has them. */
import { z } from 'zod'
import { fourierFeatures } from '../../../models/positions.ts'
import { Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import {
  type ArrayConfig,
  type ArrayExperiment,
  arrayExperiment,
  arrayMetrics,
} from '../../../tasks/arrays/experiment.ts'
import { type ArrayFacts, arrayFacts } from '../../../tasks/arrays/facts.ts'
import { arrayDataSettings, openArrayFiles, readArrayExamples } from '../../../tasks/arrays/files.ts'
import { predictFiles } from '../../../tasks/arrays/predict.ts'
import type { BuildOptions } from '../../../tasks/experiment.ts'
import { normalizePixels } from '../../../tasks/pictures/classifier.ts'
import { classifierOptimizerSettings } from '../../../tasks/pictures/settings.ts'
import { trainSettings } from '../../../tasks/settings.ts'
import { sizes } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Settings } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { defineRecipe } from '../../define.ts'
import { explainReading } from '../attention-reader.ts'
import { PerceiverClassifier } from '../classifier.ts'
import { type PositionConfig, PositionEncoder } from '../positions.ts'
import { networkConfig, type PerceiverSettings, perceiverSettings, positionConfig } from '../settings.ts'
import { arrayReading, attentionOverArrays } from './attention-arrays.ts'

/** What an example is for the model: inputs [B, M, C], positions [B, M, d], mask bool [B, M]. */
export type ArrayInputs = Readonly<Record<'inputs', Tensor>> & Partial<Readonly<Record<'positions' | 'mask', Tensor>>>

/** Rows that know their place: by given positions, or by their number in the array. */
class ArrayRows extends Module {
  readonly outputChannels: number
  /** For rows without positions, or with learned ones. */
  readonly encoder: PositionEncoder | undefined
  readonly #waves: { readonly bands: number; readonly maxResolution: number } | undefined

  /** `axes`: coordinates of a position; 0: there are none. */
  constructor(rows: number, channels: number, axes: number, position: PositionConfig) {
    super()
    const isGiven = axes > 0 && position.type === 'fourier'
    this.encoder = isGiven ? undefined : new PositionEncoder({ position }, [rows], channels)
    const { num_bands = 0, max_resolution: [mu = rows ** (1 / axes)] = [] } =
      position.type === 'fourier' ? position : {}
    this.#waves = isGiven ? { bands: num_bands, maxResolution: mu } : undefined
    this.outputChannels = this.encoder?.outputChannels ?? channels + axes * (2 * num_bands + 1)
  }

  /** [B, M, C] -> [B, M, outputChannels]; uint8 0..255 become -1..1. */
  forward({ inputs, positions }: ArrayInputs): Tensor {
    const rows = inputs.dtype === 'uint8' ? normalizePixels(inputs) : inputs
    if (this.encoder) return this.encoder.forward(rows)
    if (!this.#waves || !positions) throw new UsageError('ArrayRows: there must be positions for each row, found none')
    return ops.concat([rows, fourierFeatures(positions, this.#waves)], -1)
  }

  mask({ mask }: ArrayInputs): Tensor | undefined {
    return mask
  }
}

/** A Perceiver that reads any rows. */
export type ArrayPerceiver = PerceiverClassifier<ArrayInputs, ArrayRows>

interface ArrayRecipe extends ArrayConfig, Settings {
  readonly model: PerceiverSettings
}

function arrayPerceiver(model: PerceiverSettings, { inputs, labels }: ArrayFacts): ArrayPerceiver {
  const [rows, channels] = sizes(inputs.inputs?.shape ?? [], 2)
  const [axes = 0] = inputs.positions?.shape.slice(1) ?? []
  const preprocessor = new ArrayRows(rows, channels, axes, positionConfig(model, Math.max(1, axes)))
  return new PerceiverClassifier(preprocessor, (width) => networkConfig(model, width, labels.length))
}

/** Arrays of one's own. */
export const arrays = defineRecipe({
  name: 'arrays',
  summary: 'any arrays: a .npz file of inputs [N, M, C], optional positions and mask, labels (--set data.file=FILE)',
  facts: arrayFacts,
  metrics: arrayMetrics,
  config: z.strictObject({
    data: arrayDataSettings.prefault({}),
    model: perceiverSettings().prefault({}),
    optimizer: classifierOptimizerSettings({ lr: 2e-3, warmup_steps: 50 }).prefault({}),
    train: trainSettings({
      epochs: 10,
      batch_size: 32,
      monitor: ['loss', 'accuracy', 'mean_average_precision'],
    }).prefault({}),
  }),
  open: ({ data }, { known }) => openArrayFiles(data, known),
  build: (config: ArrayRecipe, facts: ArrayFacts, options: BuildOptions): ArrayExperiment<ArrayPerceiver, ArrayFacts> =>
    arrayExperiment(() => arrayPerceiver(config.model, facts), config, facts, {
      ...options,
      explain: explainReading(arrayReading, facts),
      preprocessing: { inputs: 'as in the file', positions: 'from -1 to 1', mask: 'true: may be read' },
    }),
  uses: {
    predict: predictFiles<ArrayFacts>({
      summary: 'the most probable classes of each example of .npz files of inputs, positions and masks',
      read: readArrayExamples,
    }),
    attention: attentionOverArrays,
  },
})
