/** Clouds of points: each point an input that is nothing but its encoded position (paper, section 4.3). */
import { z } from 'zod'
import { fourierFeatures } from '../../../models/positions.ts'
import { Module } from '../../../nn/index.ts'
import {
  type ArrayConfig,
  type ArrayExperiment,
  arrayExperiment,
  arrayMetrics,
} from '../../../tasks/arrays/experiment.ts'
import type { BuildOptions } from '../../../tasks/experiment.ts'
import { classifierOptimizerSettings, classifierTrainSettings } from '../../../tasks/pictures/settings.ts'
import { openPoints, type PointFacts, pointDataSettings, pointFacts } from '../../../tasks/points/open.ts'
import { predictPoints } from '../../../tasks/points/predict.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Settings } from '../../../train/settings.ts'
import { defineRecipe } from '../../define.ts'
import { explainReading } from '../attention-reader.ts'
import { PerceiverClassifier } from '../classifier.ts'
import { networkConfig, perceiverSettings } from '../settings.ts'
import { attentionOverPoints, pointReading } from './attention.ts'

/** What a cloud is for the model: points [B, M, 3] in the cube from -1 to 1. */
export type PointInputs = Readonly<Record<'points', Tensor>>

/** Points as rows: the Fourier features of their coordinates, and nothing else. */
class PointRows extends Module {
  readonly outputChannels: number
  readonly #bands: number
  readonly #maxResolution: number

  /** `maxResolution`: mu, the fastest wave has mu / 2 periods from -1 to 1; the paper's ModelNet40: 64 bands, mu 2240. */
  constructor(bands: number, maxResolution: number) {
    super()
    this.#bands = bands
    this.#maxResolution = maxResolution
    this.outputChannels = 3 * (2 * bands + 1)
  }

  /** [B, M, 3] -> [B, M, 3 (2 K + 1)] */
  forward({ points }: PointInputs): Tensor {
    return fourierFeatures(points, { bands: this.#bands, maxResolution: this.#maxResolution })
  }
}

/** A Perceiver that reads clouds of points. */
export type PointPerceiver = PerceiverClassifier<PointInputs, PointRows>

const modelSettings = () =>
  perceiverSettings({ num_bands: 8 })
    .omit({ positions: true, position_channels: true })
    .extend({
      max_resolution: z
        .number()
        .min(2)
        .default(20)
        .describe('mu: the fastest wave has mu / 2 periods in the cube; the paper, with 64 bands: 2240'),
    })

interface PointRecipe extends ArrayConfig, Settings {
  readonly model: z.infer<ReturnType<typeof modelSettings>>
}

/** The network of the settings for such clouds. */
function pointPerceiver(model: PointRecipe['model'], { labels }: PointFacts): PointPerceiver {
  return new PerceiverClassifier(new PointRows(model.num_bands, model.max_resolution), (channels) =>
    networkConfig(model, channels, labels.length),
  )
}

/** Points of surfaces, by class. */
export const points = defineRecipe({
  name: 'points',
  summary:
    'clouds of points: generated surfaces, furniture (--set data.folder=furniture), or any folder of meshes or .npy',
  facts: pointFacts,
  metrics: arrayMetrics,
  config: z.strictObject({
    data: pointDataSettings().prefault({}),
    model: modelSettings().prefault({}),
    optimizer: classifierOptimizerSettings({ lr: 2e-3, warmup_steps: 50 }).prefault({}),
    train: classifierTrainSettings({ epochs: 5, batch_size: 32 }).prefault({}),
  }),
  open: ({ data }, { known }) => openPoints(data, known),
  build: (config: PointRecipe, facts: PointFacts, options: BuildOptions): ArrayExperiment<PointPerceiver, PointFacts> =>
    arrayExperiment(() => pointPerceiver(config.model, facts), config, facts, {
      ...options,
      explain: explainReading(pointReading, facts),
      preprocessing: {
        points: 'points of the surface drawn uniformly by area; mean zero, then divided by the greatest coordinate',
      },
    }),
  uses: { predict: predictPoints, attention: attentionOverPoints },
})
