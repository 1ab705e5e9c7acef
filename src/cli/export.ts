/** Writes a run's model in one of the formats that others read. */
import { exportOnnx } from '../compile/export.ts'
import { writeFileAtomic } from '../io/atomic.ts'
import { writeSafetensorsFile } from '../io/safetensors-file.ts'
import { withoutPaths } from '../train/places.ts'
import type { OpenedRun } from './session.ts'

/** Returns the number of bytes written. */
export async function writeModel(
  { run, recipe: { config: schema }, config, experiment }: OpenedRun,
  format: 'onnx' | 'safetensors',
  path: string,
): Promise<number> {
  const { inputs, forward, metadata } = experiment.exportable()
  const { system, recipe, versions } = run.description
  const texts = {
    system,
    recipe,
    ...metadata,
    config: JSON.stringify(withoutPaths(schema, config)),
    versions: JSON.stringify(versions),
  }
  if (format === 'safetensors') {
    const tensors = [...experiment.weights].map(([name, variable]) => [name, variable.array] as const)
    return writeSafetensorsFile(path, tensors, texts)
  }
  const bytes = await exportOnnx({ inputs, forward, name: `${system}-${recipe}`, metadata: texts })
  await writeFileAtomic(path, bytes)
  return bytes.length
}
