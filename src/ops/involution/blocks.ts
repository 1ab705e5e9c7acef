/** Which form an involution takes, and in blocks of how many examples or rows. */
import type { Emitter } from '../define.ts'
import { hasFusedProduct } from '../products/transposed.ts'
import { allGroups, type Form, groupChannels, type Involution, joined, type Pair, places, sliced } from './geometry.ts'

// Fewer channels that share a kernel do not pay for making band matrices of it.
const fewestChannels = 8

/** Whether products of band matrices can be used, and beat passes over the input (docs/decisions/051-involution.md). */
export function prefersTiles(emit: Emitter, involution: Involution, fewestPlaces: number): boolean {
  const isDense = involution.dilation.every((step) => step === 1)
  const isRuntime = hasFusedProduct(emit)
  return isRuntime && isDense && places(involution) >= fewestPlaces && groupChannels(involution) >= fewestChannels
}

/** How blocks are cut: the axis of rows in the other factor (kernels or the output's gradient) and in the result, and their size. */
export interface Cut {
  readonly otherRows: number
  readonly resultRows: number
  /** Elements of the output in one block: what passes go over should stay in the cache, what products copy should stay small. */
  readonly size: number
}

/** Equal parts of 0 ... count, at most `most` in each. */
function parts(count: number, most: number): Pair[] {
  const number = Math.ceil(count / Math.max(1, Math.floor(most)))
  const size = Math.ceil(count / number)
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => [i * size, Math.min(count, (i + 1) * size)])
}

/**
 * A form applied to a few examples at a time, and to some rows of them where one example is large. A model to be exported stays
 * whole.
 */
export function inBlocks(
  emit: Emitter,
  involution: Involution,
  [input, other]: readonly [string, string],
  form: Form,
  { otherRows, resultRows, size }: Cut,
): string {
  if (!emit.fused) return form(emit, involution, input, other)
  const {
    input: [batch, ...sizes],
    output,
    before,
    stride,
  } = involution
  const ofRow = (allGroups(involution) / batch) * groupChannels(involution) * output[1]
  const examples = parts(batch, size / (ofRow * output[0]))
  const rows = parts(output[0], size / ofRow)
  const taken = (x: string, axis: number, [start, stop]: Pair, whole: number): string =>
    stop - start === whole ? x : sliced(emit, x, axis, [start, stop])
  const results = examples.map((example) => {
    const [x, factor] = [taken(input, 0, example, batch), taken(other, 0, example, batch)]
    const blocks = rows.map((range) => {
      const part: Involution = {
        ...involution,
        input: [example[1] - example[0], ...sizes],
        output: [range[1] - range[0], output[1]],
        before: [before[0] - range[0] * stride[0], before[1]],
      }
      return form(emit, part, x, taken(factor, otherRows, range, output[0]))
    })
    return joined(emit, blocks, resultRows)
  })
  return joined(emit, results, 0)
}
