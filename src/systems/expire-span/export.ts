/** The network for one block as a model file: memory in, memory out. */
import * as ops from '../../ops/index.ts'
import type { Exportable } from '../../tasks/define.ts'
import type { TensorType } from '../../tensor/tensor.ts'
import type { LayerMemory } from './attention.ts'
import type { AnyModel } from './model.ts'

/**
 * `tokens` int32 [batch, M] and the parts of every layer's memory (`hidden_0`, `ages_0`, ...) -> `log_probs` [batch, M, vocabulary], the
 * memories with the block (`next_hidden_0`, ...), and, where memories expire, what is left of their spans (`remaining_0`). There are
 * attn_lim places for memories, the latest last: an unused one has an age above attn_lim and the ramp. With `clears` there is a further input, `elapsed` int32
 * [batch, M]: tokens of its episode before each token.
 */
export function exportBlock(
  model: AnyModel,
  metadata: Readonly<Record<string, string>>,
  { clears = false }: { readonly clears?: boolean } = {},
): Exportable {
  model.eval()
  const { mem_sz, attn_lim } = model.config
  const parts = model.layers.flatMap((_, layer) =>
    Object.entries(model.initialMemory(1)).map(([part, array]) => ({ name: `${part}_${layer}`, part, layer, array })),
  )
  const grows = (layer: number, part: string): boolean => Object.keys(model.dynamicAxes(layer) ?? {}).includes(part)
  const block: TensorType = { dtype: 'int32', shape: [1, mem_sz] }
  const inputs: Record<string, TensorType> = { tokens: block, ...(clears && { elapsed: block }) }
  for (const { name, part, layer, array } of parts) {
    const shape = grows(layer, part) ? array.shape.map((size, axis) => (axis === 1 ? attn_lim : size)) : array.shape
    inputs[name] = { dtype: array.dtype, shape }
  }
  return {
    inputs,
    forward: ({ tokens, elapsed, ...given }) => {
      const memories = model.layers.map((_, at) =>
        Object.fromEntries(parts.flatMap(({ name, part, layer }) => (layer === at ? [[part, given[name]]] : []))),
      ) as unknown as LayerMemory[]
      const read = tokens ?? ops.zeros([1, mem_sz])
      const { logProbs, memories: next, layers } = model.forward(read, memories, undefined, elapsed)
      const named = (prefix: string, of: readonly object[]) =>
        of.flatMap((memory, layer) =>
          Object.entries(memory).map(([part, value]) => [`${prefix}${part}_${layer}`, value]),
        )
      const left = layers.map(({ spans }) => (spans ? { remaining: spans.remaining } : {}))
      return { log_probs: logProbs, ...Object.fromEntries([...named('next_', next), ...named('', left)]) }
    },
    metadata: { ...metadata, mem_sz: String(mem_sz), attn_lim: String(attn_lim) },
  }
}
