/** What is measured: a model, its loss, its optimizer and one batch, the same in every peer. */
import type { Batch, BatchTensors } from '../../src/data/dataset.ts'
import type { GPT2Config } from '../../src/models/index.ts'
import type { Module } from '../../src/nn/index.ts'
import type { AdamOptions } from '../../src/optim/index.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

export type OptimizerSettings =
  | { readonly kind: 'adam' | 'adamw'; readonly options: AdamOptions; readonly clipNorm?: number }
  | { readonly kind: 'sgd'; readonly options: { readonly lr: number; readonly momentum: number } }

/** A model with what a training step does to it. Parameters have the names that the peers' models give them. */
export interface Trainable<Name extends string = string> {
  readonly model: Module
  readonly batch: Batch<Name>
  loss(batch: BatchTensors<Name>): Tensor
  /** The forward pass whose time is the inference's. */
  forward(batch: BatchTensors<Name>): Tensor
  readonly optimizer: OptimizerSettings
}

/** A trainable of which only itself knows the names of its batch. */
export function trainable<Name extends string>(it: Trainable<Name>): Trainable {
  return it
}

/** A workload by its name on the command line. */
export interface Workload {
  readonly name: string
  /** Sizes, for the tables. */
  readonly summary: string
  readonly build: () => Trainable
}

/** Product of two square matrices: the physical reference. */
export interface Product {
  readonly name: string
  readonly summary: string
  readonly size: number
}

/** A GPT-2 that continues a text, one token after the other, with a cache of keys and values. */
export interface Decoding {
  readonly name: string
  readonly summary: string
  readonly config: GPT2Config
}
