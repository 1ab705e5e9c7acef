/** Signals: waveforms that are trained, so that a step is a transform and its gradient. */
import { Module } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import type { Workload } from '../harness/workload.ts'
import { randomFloats } from './random.ts'

const [batch, length, bands] = [16, 16000, 80]

class Waves extends Module {
  readonly waves = new Variable([batch, length], {
    data: randomFloats([batch, length], 1).data as Float32Array,
    trainable: true,
  })
  readonly #transform: (waves: Tensor) => Tensor

  constructor(transform: (waves: Tensor) => Tensor) {
    super()
    this.#transform = transform
  }

  /** What is added to the waves [batch, length] -> their transform */
  forward(shift: Tensor): Tensor {
    return this.#transform(ops.add(this.waves, shift))
  }
}

function workload(name: string, summary: string, transform: (waves: Tensor) => Tensor): Workload {
  return {
    name,
    summary: `${batch} x ${length} samples, ${summary}`,
    build: () => {
      const model = new Waves(transform)
      const { shape } = model.forward(ops.zeros([1]))
      return {
        model,
        batch: { shift: randomFloats([1], 2), wanted: randomFloats(shape, 3) },
        forward: ({ shift }) => model.forward(shift as Tensor),
        loss: ({ shift, wanted }) => ops.mseLoss(model.forward(shift as Tensor), wanted as Tensor),
        optimizer: { kind: 'sgd', options: { lr: 0.01, momentum: 0 } },
      }
    },
  }
}

const sizes = [
  [400, 160],
  [1024, 256],
] as const

/** Power spectra of frames, logarithms of their mel bands, and a transform of rows. */
export const signals: readonly Workload[] = [
  ...sizes.map(([nFft, hopLength]) =>
    workload(`stft-${nFft}`, `power, frames of ${nFft}, every ${hopLength}`, (x) =>
      ops.spectrogram(x, { nFft, hopLength }),
    ),
  ),
  ...sizes.map(([nFft, hopLength]) =>
    workload(`mel-${nFft}`, `log of ${bands} mel bands, frames of ${nFft}, every ${hopLength}`, (x) =>
      ops.log(ops.add(ops.melSpectrogram(x, { nFft, hopLength, nMels: bands }), 1e-6)),
    ),
  ),
  workload(
    'rfft-1000',
    'rows of 1000: the real part of their transform',
    (x) => ops.rfft(ops.reshape(x, [-1, 1000])).real,
  ),
]
