/** One text read by a model with memory, token by token looked into. */
import * as ops from '../../ops/index.ts'
import type { Matrix } from '../../report/figures.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { blockReader, CarriedMemory } from './carried.ts'
import type { AnyModel } from './model.ts'
import type { TokenText } from './stream.ts'

/** What a model remembers of a text. */
export interface ReadText {
  /** Span of each token, [layers][tokens]; no layers where nothing expires. */
  readonly spans: readonly (readonly number[])[]
  /** Memories of each layer after each block, [blocks][layers]. */
  readonly lengths: readonly (readonly number[])[]
  /** Of the last block and each layer: how far each query sees each memory, [queries, columns]. */
  readonly masks: readonly Matrix[]
  /** Of each class or next token, after each token, [tokens * classes]. */
  readonly logProbs: readonly number[]
}

/** Reads texts, each from an empty memory. */
export interface TextReader {
  /** Block by block as in training; what does not fill a block is left out. */
  (text: TokenText): Promise<ReadText>
  readonly release: () => Promise<void>
}

/** Compiles what reads a text. */
export function textReader(model: AnyModel): TextReader {
  const { mem_sz } = model.config
  const read = blockReader(model, ({ tokens, elapsed }: { tokens: Tensor; elapsed?: Tensor }, readBlock) => {
    const { logProbs, layers } = readBlock(tokens, undefined, elapsed)
    const found = layers.flatMap(({ spans }) =>
      spans ? { spans: ops.slice(spans.spans, [-mem_sz], 1), mask: spans.mask } : [],
    )
    return { logProbs, found }
  })
  const readOne = async (text: TokenText): Promise<ReadText> => {
    model.eval()
    const memory = new CarriedMemory(model, 1)
    const spans: number[][] = []
    const [lengths, logProbs]: [number[][], number[]] = [[], []]
    let masks: Matrix[] = []
    for (let start = 0; start + mem_sz <= text.tokens.length; start += mem_sz) {
      const part = (numbers: Int32Array): NDArray => ({
        dtype: 'int32',
        shape: [1, mem_sz],
        data: numbers.slice(start, start + mem_sz),
      })
      const block = { tokens: part(text.tokens), ...(text.elapsed && { elapsed: part(text.elapsed) }) }
      const { result, next } = await read(block as never, memory.memories)
      memory.advance(next)
      lengths.push(memory.lengths)
      logProbs.push(...toNumbers(result.logProbs.array.data))
      for (const [layer, of] of result.found.entries()) {
        spans[layer] ??= []
        spans[layer].push(...toNumbers(of.spans.array.data))
      }
      masks = result.found.map(({ mask }, layer) => {
        const [, height, width] = mask.sizes(3)
        return { values: toNumbers(mask.array.data), width, height, caption: `layer ${layer}` }
      })
    }
    return { spans, lengths, masks, logProbs }
  }
  return Object.assign(readOne, { release: () => read.compiled.release() })
}

/** Reads a text as in training, block by block from an empty memory; what does not fill a block is left out. */
export async function readText(model: AnyModel, text: TokenText): Promise<ReadText> {
  const read = textReader(model)
  try {
    return await read(text)
  } finally {
    await read.release()
  }
}
