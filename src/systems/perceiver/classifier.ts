/** A Perceiver together with what makes its rows. */
import { Module } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { PerceiverConfig } from './config.ts'
import { Perceiver, type PerceiverOutputs } from './model.ts'

/** Something that makes rows: [B, ...] -> [B, M, outputChannels]. */
export type RowMaker<Input> = Module & {
  readonly outputChannels: number
  forward(input: Input): Tensor
  /** Which rows may be read, bool [B, M]; undefined: all. */
  mask?(input: Input): Tensor | undefined
}

/** Any input, made into rows, read by the paper's network. `Input`: what its rows are made of, one tensor or several by name. */
export class PerceiverClassifier<Input, Rows extends RowMaker<Input>> extends Module {
  readonly input_preprocessor: Rows
  readonly perceiver: Perceiver

  /** `network`: the configuration for rows of so many channels. */
  constructor(preprocessor: Rows, network: (input_channels: number) => PerceiverConfig) {
    super()
    this.input_preprocessor = preprocessor
    this.perceiver = new Perceiver(network(preprocessor.outputChannels))
  }

  /** Logits [B, K]; mask bool [B, M] (true: may be read; default: what the preprocessor says, else all). */
  forward(input: Input, mask?: Tensor): Tensor {
    return this.outputs(input, mask).logits
  }

  /** The representation before the head, [B, D]. */
  features(input: Input, mask?: Tensor): Tensor {
    return this.perceiver.features(this.input_preprocessor.forward(input), mask ?? this.#maskOf(input))
  }

  outputs(input: Input, mask?: Tensor): PerceiverOutputs {
    return this.perceiver.outputs(this.input_preprocessor.forward(input), mask ?? this.#maskOf(input))
  }

  #maskOf(input: Input): Tensor | undefined {
    return this.input_preprocessor.mask?.(input)
  }
}
