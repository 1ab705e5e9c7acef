/** The software that computed a run. */
import { createRequire } from 'node:module'
import { runtimeVersion } from '../runtime/binding.ts'
import { processorName } from './processor.ts'

/** Versions of the software that computed the run, and the machine, for `run.json` and the report. */
export async function versionsInUse(): Promise<Record<string, string>> {
  const require = createRequire(import.meta.url)
  return {
    tenfold: (require('../../package.json') as { version: string }).version,
    onnxruntime: runtimeVersion,
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    processor: await processorName(),
  }
}
