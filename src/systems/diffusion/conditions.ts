/** What a denoiser is told besides the noisy picture and its time. */
import type { Tensor } from '../../tensor/tensor.ts'
import { UsageError } from '../../util/errors.ts'
import type { Network } from './gaussian-diffusion.ts'
import { SuperResModel, type UNetModel } from './model.ts'

export interface Conditions {
  /** int64 [B] */
  readonly labels: Tensor
  /** Small pictures to be made larger, [B, C, h, w]. */
  readonly lowRes?: Tensor | undefined
}

/** The network under conditions: it reads labels only if it has classes, small pictures only if it makes them larger. */
export function conditioned(model: UNetModel): (conditions: Conditions) => Network {
  return ({ labels, lowRes }) =>
    (x, timesteps) => {
      const y = model.label_emb ? labels : undefined
      if (!(model instanceof SuperResModel)) return model.forward(x, timesteps, y)
      if (!lowRes) throw new UsageError('diffusion: a network that makes pictures larger needs the small ones')
      return model.upsample(x, timesteps, lowRes, y)
    }
}
