/** One measurement of the job `perceiver/cost`: a forward pass or a training step of a Perceiver or a transformer on the pixels of a picture. */
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import type { Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { Adam } from '../../../optim/index.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import { normalizePixels } from '../../../tasks/pictures/classifier.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { whole } from '../../../train/settings.ts'
import { Generator } from '../../../util/random.ts'
import { costOfCalls, residentMebibytes } from '../../measurement.ts'
import { PerceiverClassifier } from '../classifier.ts'
import { pixelRows, RowClassifier, transformerOn } from './row-models.ts'

/** What is measured. */
export interface CostTask {
  /** `transformer`: self-attention on the inputs. */
  readonly model: 'perceiver' | 'transformer'
  /** Height and width of the picture: M is its square. */
  readonly side: number
  /** Fourier bands K: a row has 3 + 2 (2 K + 1) channels. */
  readonly bands: number
  /** Channels of a latent, or of the transformer. */
  readonly width: number
  readonly heads: number
  /** Perceiver only. */
  readonly latents: number
  readonly cross: number
  /** Self attentions, in all; a Perceiver has as many after each cross attention. */
  readonly self: number
  readonly share: boolean
  readonly recompute: boolean
  readonly pass: 'forward' | 'step'
  readonly classes: number
  /** Measured calls, at least, after one that is not. */
  readonly calls: number
  readonly threads?: number
}

/** What was found. */
export const costResult = z.object({ milliseconds: z.number(), peakMebibytes: z.number(), parameters: whole })
export type CostResult = z.infer<typeof costResult>

/** The model of a task. */
function costModel(task: CostTask): Module & { forward(images: Tensor): Tensor } {
  const { side, bands, cross, self } = task
  const facts = { image_size: [side, side], in_channels: 3 } as const
  const pixels = pixelRows(facts, { type: 'fourier', num_bands: bands })
  if (task.model === 'transformer') return new RowClassifier(pixels, transformerOn({ ...task, depth: self }))
  return new PerceiverClassifier(pixels, (input_channels) => ({
    input_channels,
    num_latents: task.latents,
    num_latent_channels: task.width,
    num_cross_attends: cross,
    num_blocks: self === 0 ? 0 : cross,
    num_self_attends_per_block: self / cross,
    num_cross_attend_heads: 1,
    num_self_attend_heads: task.heads,
    share_weights: task.share,
    arrangement: 'interleaved',
    num_classes: task.classes,
    recompute: task.recompute,
  }))
}

/** Runs it. Memory is the whole process's: give every measurement one of its own. */
export async function measureCost(task: CostTask): Promise<CostResult> {
  const before = residentMebibytes()
  manualSeed(0)
  const model = costModel(task)
  const parameters = model.parameters()
  const { side, classes, calls, threads } = task
  const image: NDArray = {
    dtype: 'uint8',
    shape: [1, 3, side, side],
    data: Uint8Array.from(new Generator(0).integers(0, 256, 3 * side * side)),
  }
  const label: NDArray = { dtype: 'int32', shape: [1], data: Int32Array.of(classes - 1) }
  const optimizer = new Adam(parameters, { lr: 1e-4 })
  const run = compile((image: Tensor, label: Tensor) => {
    const logits = model.forward(normalizePixels(image))
    if (task.pass === 'forward') return ops.sum(logits)
    const loss = ops.crossEntropy(logits, label)
    optimizer.minimize(loss)
    return loss
  }, threadOptions({ threads }))
  const cost = await costOfCalls(() => run(image, label), calls, before)
  await run.release()
  return { ...cost, parameters: parameters.reduce((sum, { size }) => sum + size, 0) }
}
