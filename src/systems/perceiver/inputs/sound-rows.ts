/** What makes rows of a waveform: pieces of it, or the cells of its mel spectrogram (paper, section 4.2). */
import { Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { checkSpecAugment, type SpecAugmentSettings, specAugment } from '../../../tasks/sounds/spec-augment.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { type PositionConfig, PositionEncoder } from '../positions.ts'
import { AudioPreprocessor } from '../preprocess.ts'

/** What a sound is for the model: a waveform [B, samples]. */
export type SoundInputs = Readonly<Record<'samples', Tensor>>

/** Pieces of a waveform as rows; silence is added behind it where the last piece is not full. */
export class WaveRows extends AudioPreprocessor {
  readonly #silence: number

  constructor(samples: number, samplesPerPatch: number, position: PositionConfig) {
    const silence = (samplesPerPatch - (samples % samplesPerPatch)) % samplesPerPatch
    super({ kind: 'audio', samples: samples + silence, samples_per_patch: samplesPerPatch, position })
    this.#silence = silence
  }

  override forward(samples: Tensor): Tensor {
    return super.forward(ops.pad(samples, [0, this.#silence]))
  }
}

/** How a mel spectrogram is made. */
export interface MelOptions {
  readonly sample_rate: number
  readonly n_fft: number
  readonly hop_length: number
  readonly n_mels: number
}

/** Frames of a spectrogram of so many samples: one at each multiple of the hop. */
function frameCount(samples: number, { hop_length }: MelOptions): number {
  return Math.floor(samples / hop_length) + 1
}

/** Silence is this loud: keeps the logarithm finite. */
const quiet = 1e-6

/** log(mel + 1e-6) of waveforms, with mean 0 and deviation 1 in each: [B, samples] -> [B, mels, frames]. */
export function logMel(samples: Tensor, { sample_rate, n_fft, hop_length, n_mels }: MelOptions): Tensor {
  const options = { sampleRate: sample_rate, nFft: n_fft, hopLength: hop_length, nMels: n_mels }
  const levels = ops.log(ops.add(ops.melSpectrogram(samples, options), quiet))
  const mean = ops.mean(levels, [1, 2], { keepDims: true })
  const centred = ops.sub(levels, mean)
  const variance = ops.mean(ops.square(centred), [1, 2], { keepDims: true })
  return ops.div(centred, ops.sqrt(ops.add(variance, quiet)))
}

/** What of a spectrogram is a row: a cell, of one channel with its place in pitch and time, or a whole frame with its place in time. */
export type MelRow = 'cell' | 'frame'

/** A mel spectrogram as rows. */
export class MelRows extends PositionEncoder {
  /** Bands and frames. */
  readonly size: readonly [mels: number, frames: number]
  readonly options: MelOptions
  readonly #row: MelRow
  readonly #augment: SpecAugmentSettings | undefined

  /** `augment`: random changes while training. */
  constructor(
    samples: number,
    options: MelOptions,
    row: MelRow,
    position: PositionConfig,
    augment?: SpecAugmentSettings,
  ) {
    const [mels, frames] = [options.n_mels, frameCount(samples, options)]
    if (augment) checkSpecAugment(augment, mels, frames)
    super({ position }, row === 'cell' ? [mels, frames] : [frames], row === 'cell' ? 1 : mels)
    this.size = [mels, frames]
    this.options = options
    this.#row = row
    this.#augment = augment
  }

  override forward(samples: Tensor): Tensor {
    const plain = logMel(samples, this.options) // [B, mels, frames]
    const levels = this.training && this.#augment ? specAugment(plain, this.#augment) : plain
    if (this.#row === 'frame') return super.forward(ops.transpose(levels))
    return super.forward(ops.reshape(levels, [sizeOf(samples.shape, 0), this.size[0] * this.size[1], 1]))
  }
}

/** Rows of sounds by the name of their input. */
export class SoundRows extends Module {
  readonly sound: WaveRows | MelRows
  readonly outputChannels: number

  constructor(sound: WaveRows | MelRows) {
    super()
    this.sound = sound
    this.outputChannels = sound.outputChannels
  }

  /** [B, samples] -> [B, M, outputChannels] */
  forward({ samples }: SoundInputs): Tensor {
    return this.sound.forward(samples)
  }
}
