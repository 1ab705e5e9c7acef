/** Which parameters learn, decided by name as in the official code (paper, Section 2.2). */
import { freeze, type Module } from '../../nn/index.ts'
import type { LearningRateScale } from '../../tasks/training.ts'
import type { FreezeConfig } from './config.ts'

/** Parts of a body by what their names contain (with those of BERT), and the switch of each; the first that fits decides. */
const parts: readonly (readonly [name: RegExp, isFrozen: (config: FreezeConfig) => boolean])[] = [
  [/ln|norm/, ({ freeze_ln = false }) => freeze_ln],
  [/wpe|position_embeddings|pos_drop/, ({ freeze_pos = false }) => freeze_pos],
  [/mlp|intermediate|layer\.\d+\.output/, ({ freeze_ff = true }) => freeze_ff],
  [/attn|attention/, ({ freeze_attn = true }) => freeze_attn],
]

/** Whether a parameter of a FrozenTransformer does not learn. */
export function isFrozen(name: string, config: FreezeConfig): boolean {
  const { freeze_trans = true, freeze_in = false, freeze_out = false, freeze_pos = false } = config
  if (name.startsWith('in_net.')) return freeze_in
  if (name.startsWith('out_net.')) return freeze_out
  // Not part of the body: frozen on its own.
  if (name === 'vit_pos_embed') return freeze_pos
  if (!freeze_trans) return false
  const own = name.replace(/^sequence_model\./, '').toLowerCase()
  return parts.find(([pattern]) => pattern.test(own))?.[1](config) ?? true
}

/** Freezes what the switches say. */
export function applyFreezing(model: Module, config: FreezeConfig): void {
  freeze(model, (name) => isFrozen(name, config))
}

/**
 * The rate of what is frozen as published, where it learns: attention, feed-forward layers, embeddings of words. `body_lr` 0: the same
 * as of all others, as in the official code.
 */
export function bodyRate({ lr, body_lr }: { readonly lr: number; readonly body_lr: number }): LearningRateScale {
  const scale = body_lr === 0 ? 1 : body_lr / lr
  return (name) => (isFrozen(name, {}) ? scale : 1)
}
