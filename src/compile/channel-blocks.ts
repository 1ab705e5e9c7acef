/** How many channels the runtime's blocked convolutions keep together on this machine. */
import { hasBlockedConvolutions, loadSession } from '#runtime'
import { topologicalNodes } from '../autodiff/graph.ts'
import { convOp } from '../ops/conv/conv.ts'
import { enlargedConvOp } from '../ops/conv/enlarged.ts'
import { convTransposeOp } from '../ops/conv/transpose.ts'
import { weightConvolutionOp } from '../ops/conv/weight-convolution.ts'
import { apply } from '../ops/define.ts'
import { addmmOp, matmulOp } from '../ops/products/matmul.ts'
import { type MatmulAttributes, transposedForm } from '../ops/products/transposed.ts'
import { constant, type GraphNode, type Tensor } from '../tensor/tensor.ts'
import { emitGraph, modelBytes } from './onnx.ts'

/** As wide as the vectors of AVX-512, and of all processors before it. */
const widths = [16, 8] as const

let measured: Promise<number> | undefined

const convolutions: readonly unknown[] = [convOp, convTransposeOp, enlargedConvOp, weightConvolutionOp]

/** Whether a node's lowering depends on the width of the vectors: a convolution, or a product with a form of its own on AVX2. */
function dependsOnVectors({ op, inputs, attributes }: GraphNode): boolean {
  if (convolutions.includes(op)) return true
  if (op !== matmulOp && op !== addmmOp) return false
  const { transposeA, transposeB } = attributes as MatmulAttributes
  const [a, b] = inputs.slice(-2)
  return (
    a !== undefined && b !== undefined && transposeA && !transposeB && transposedForm(a.shape, b.shape) !== undefined
  )
}

/** Channels in a block of convolutions here; 1 if nothing in this graph depends on it, or the runtime has no such kernels here. */
export function channelBlockFor(roots: readonly Tensor[]): Promise<number> | number {
  if (!hasBlockedConvolutions || !topologicalNodes(roots).some(dependsOnVectors)) return 1
  measured ??= measure()
  return measured
}

/** The vectors that the runtime's kernels use here, as the width of their blocks tells; undefined where there are no such kernels. */
export async function vectorKind(): Promise<'AVX-512' | 'AVX2' | undefined> {
  if (!hasBlockedConvolutions) return undefined
  measured ??= measure()
  const width = await measured
  if (width === 1) return undefined
  return width === 16 ? 'AVX-512' : 'AVX2'
}

/** The runtime does not say the width. With the wrong one, the weights are taken for others. */
async function measure(): Promise<number> {
  for (const width of widths) if (await isRight(width)) return width
  return 1
}

const [channels, side] = [16, 32]

/** Whether a convolution whose weights move each channel to the one before does so. */
async function isRight(width: number): Promise<boolean> {
  const size = channels * side * side
  const x = constant(
    Float32Array.from({ length: size }, (_, i) => i),
    [1, channels, side, side],
    'float32',
  )
  const moves = Float32Array.from({ length: channels * channels }, (_, i) =>
    Number(i % channels === (Math.floor(i / channels) + 1) % channels),
  )
  const weight = constant(moves, [channels, channels, 1, 1], 'float32')
  const none = [0, 0]
  const attributes = { stride: [1, 1], before: none, after: none, dilation: [1, 1], groups: 1 }
  const y = apply(convOp, [x, weight], attributes)
  const model = modelBytes(emitGraph([y], { channelBlock: width }))
  const data = new Float32Array(size)
  try {
    const session = await loadSession(model, { optimize: false, threads: 1 })
    await session.run([], [{ dtype: 'float32', shape: y.shape, buffer: () => data }])
    await session.release()
  } catch {
    return false // another version of the runtime may have other kernels
  }
  return data.every((value, i) => value === (i + side * side) % size)
}
