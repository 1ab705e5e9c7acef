/** How a mini CLIP reads texts and sees drawings: both become rows of length 1. */
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import type { ThreadOptions } from '../../../tasks/experiment.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { loadCLIPVocabulary } from '../checkpoint.ts'
import { type CLIP, unit } from '../model.ts'
import type { PairFacts } from '../pairs/open.ts'
import { unitRows } from '../pairs/retrieval.ts'
import type { ClipSettings } from '../settings.ts'
import { CompactTokenizer } from './compact-vocabulary.ts'
import { clipNormalized } from './normalization.ts'

/** Texts and pictures that are encoded at a time. */
const encodedAtOnce = 256

/** What turns texts and pictures into rows. */
export interface PairEncoders {
  /** Normalised pictures [N, 3, size, size], as `clipNormalized` gives them -> [N, E]. */
  readonly see: (pictures: Tensor) => Tensor
  readonly tokenizer: () => Promise<CompactTokenizer>
  /** Features of length 1 of texts, a row each. */
  readonly readTexts: (texts: readonly string[]) => Promise<Float64Array[]>
  /** Features of length 1 of pictures uint8 [N, 3, size, size]. */
  readonly seePictures: (pictures: NDArray) => Promise<Float64Array[]>
}

/** The encoders of a model; its vocabulary is read when the first text is. */
export function pairEncoders(
  model: CLIP,
  facts: PairFacts,
  settings: ClipSettings,
  threads: ThreadOptions,
): PairEncoders {
  const see = seeingBy(model, settings)
  const encodeTexts = compile((tokens: Tensor) => unit(model.encodeText(tokens)), threads)
  const encodePictures = compile((image: Tensor) => unit(see(ofBytes(image))), threads)
  let words: CompactTokenizer | undefined
  const tokenizer = async (): Promise<CompactTokenizer> => {
    words ??= new CompactTokenizer(await loadCLIPVocabulary(), facts.tokens, settings.context_length)
    return words
  }
  return {
    see,
    tokenizer,
    readTexts: async (texts) => inParts(model, (await tokenizer()).tokenize(texts), encodeTexts),
    seePictures: (pictures) => inParts(model, pictures, encodePictures),
  }
}

/** Pictures uint8 as `see` takes them. */
export function ofBytes(image: Tensor): Tensor {
  return clipNormalized(ops.div(ops.cast(image, 'float32'), 255))
}

/** The picture tower, which sees pictures enlarged where the settings say so. */
function seeingBy(model: CLIP, { enlarge }: ClipSettings): PairEncoders['see'] {
  return (pictures) =>
    model.encodeImage(
      enlarge === 1 ? pictures : ops.interpolate(pictures, undefined, { scaleFactor: enlarge, mode: 'bilinear' }),
    )
}

/** Encodes rows [N, ...] with the model in eval mode: in parts of one size, the last one filled up, so that nothing is traced again. */
async function inParts(
  model: CLIP,
  array: NDArray,
  encode: (part: NDArray) => Promise<Tensor>,
): Promise<Float64Array[]> {
  const [count = 0, ...rest] = array.shape
  const rowSize = rest.reduce((product, size) => product * size, 1)
  const data = array.data as Uint8Array | Int32Array
  return model.inEvalMode(async () => {
    const rows: Float64Array[] = []
    for (let start = 0; start < count; start += encodedAtOnce) {
      const size = count <= 8 ? count : encodedAtOnce
      const part = array.dtype === 'uint8' ? new Uint8Array(size * rowSize) : new Int32Array(size * rowSize)
      part.set(data.subarray(start * rowSize, Math.min(count, start + size) * rowSize))
      const found = await encode({ dtype: array.dtype, shape: [size, ...rest], data: part })
      rows.push(...unitRows(found.array).slice(0, count - start))
    }
    return rows
  })
}
