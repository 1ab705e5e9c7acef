/** Writes a run's model in one of the formats that others read. */
import { exportOnnx } from '../compile/export.ts'
import { writeFileAtomic } from '../io/atomic.ts'
import { writeSafetensors } from '../io/safetensors.ts'
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
  const bytes =
    format === 'onnx'
      ? await exportOnnx({ inputs, forward, name: `${system}-${recipe}`, metadata: texts })
      : writeSafetensors(
          [...experiment.weights].map(([name, variable]) => [name, variable.array] as const),
          texts,
        )
  await writeFileAtomic(path, bytes)
  return bytes.length
}
