/**
 * Joint embedding: two networks embed x and y, and the energy of the pair is the distance of the embeddings (LeCun and Misra 2021). Each
 * method is a subclass in `methods/`, which adds a way to keep the embeddings from collapsing.
 *
 * Shapes: N pictures, C width of the representation, D width of the embedding.
 */
import { Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import { ShapeError } from '../../util/errors.ts'
import type { Encoder } from './encoder.ts'

/** What one training step computes of a batch. */
export interface JointStep {
  readonly loss: Tensor
  /** Embeddings of the first two views before any normalisation, [N, D] each. The diagnostics of collapse use them. */
  readonly embeddings: readonly [Tensor, Tensor]
  /** Further scalars to be shown as curves. */
  readonly shown?: Readonly<Record<string, Tensor>>
}

/** An encoder trained by comparing embeddings of views of the same picture. */
export abstract class JointEmbedding extends Module {
  abstract readonly encoder: Encoder

  /** Networks that follow another one as a moving average: state, not parameters. */
  protected get followers(): readonly Module[] {
    return []
  }

  override namedParameters(): Map<string, Variable> {
    const following = new Set(this.followers.flatMap(weightsOf))
    return new Map([...super.namedParameters()].filter(([, variable]) => !following.has(variable)))
  }

  /**
   * views: [N, ...] each; row i of every view is from picture i. places, int [N]: the index of each picture in the training set, for methods
   * that remember every picture. Called in training mode; may assign queues, centres and targets.
   */
  abstract override forward(views: readonly Tensor[], places?: Tensor): JointStep

  /** The embedding by which pairs are compared, [N, D]. Trains nothing. */
  abstract embed(x: Tensor): Tensor

  /** The representation that is kept: [N, C]. */
  features(x: Tensor): Tensor {
    return this.encoder.features(x)
  }

  /**
   * Called before each epoch, for methods that need the embeddings of all training pictures: returns the function that takes them,
   * [examples, D]. If it returns undefined, they are not computed.
   */
  beforeEpoch?(epoch: number): ((embeddings: NDArray, seed: number) => Promise<void>) | undefined

  /** Called in the same trace after the optimizer's update: moving averages follow the new weights. */
  afterUpdate(): void {}
}

/** Energy of pairs of embeddings, [N, D] each -> [N]: low where they point the same way. For inference; a loss trains it. */
export function cosineEnergy(x: Tensor, y: Tensor): Tensor {
  return ops.neg(ops.cosineSimilarity(x, y))
}

/** The first two of the views; a ShapeError if there are fewer. */
export function twoViews(owner: string, views: readonly Tensor[]): readonly [Tensor, Tensor] {
  const [a, b] = views
  if (!a || !b) throw new ShapeError(`${owner}: there must be at least two views, found ${views.length}`)
  return [a, b]
}

/** The places of the pictures; a ShapeError if the step was not given them. */
export function placesOf(owner: string, places: Tensor | undefined): Tensor {
  if (!places) throw new ShapeError(`${owner}: the step must be given the places of its pictures, found none`)
  return places
}

/** The weights of a network in their order: all trainable variables, frozen ones too. */
export function weightsOf(module: Module): Variable[] {
  return [...module.variables().values()].filter(({ trainable }) => trainable)
}

/** Copies weights and statistics from `online` to `target`. Works outside of compiled functions only. */
export function copyWeights(target: Module, online: Module): void {
  target.loadStateDict(online.stateDict())
}
