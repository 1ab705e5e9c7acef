/** Writes a run's model in one of the formats that others read. */
import { exportOnnx } from '../compile/export.ts'
import { writeFileAtomic } from '../io/atomic.ts'
import { writeSafetensorsFile } from '../io/safetensors-file.ts'
import type { OpenedRun } from '../systems/session.ts'
import type { Exportable } from '../tasks/define.ts'
import { withoutPaths } from '../train/places.ts'
import { UsageError } from '../util/errors.ts'

/** One of the networks of a run. Throws a UsageError that lists them. */
function chosenModel({ experiment, run }: OpenedRun, name: string | undefined): Exportable {
  const names = Object.keys(experiment.exports)
  const make = experiment.exports[name ?? names[0] ?? '']
  if (make) return make()
  throw new UsageError(`${run.path} has no network "${name ?? ''}" to export`, {
    hint: `it has ${names.join(', ') || 'none'}`,
  })
}

/** Writes a network of a run (default: its first); returns the number of bytes written. */
export async function writeModel(
  opened: OpenedRun,
  format: 'onnx' | 'safetensors',
  path: string,
  model?: string,
): Promise<number> {
  const { run, config, experiment } = opened
  const { config: schema } = opened.recipe
  const { inputs, forward, metadata, symbolicBatch = true } = chosenModel(opened, model)
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
  const bytes = await exportOnnx({ inputs, forward, symbolicBatch, name: `${system}-${recipe}`, metadata: texts })
  await writeFileAtomic(path, bytes)
  return bytes.length
}
