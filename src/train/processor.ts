/** The machine in words, for what is measured on it. */
import { cpus } from 'node:os'
import { vectorKind } from '../compile/channel-blocks.ts'

/** `2 x AMD EPYC (AVX-512)`: processors, their name, and the vectors that ONNX Runtime's kernels use, where that can be found out. */
export async function processorName(): Promise<string> {
  const [first] = cpus()
  const kind = await vectorKind()
  return `${cpus().length} x ${first?.model ?? 'unknown'}${kind ? ` (${kind})` : ''}`
}
