/** The files of a run that nothing else may be written over. */
import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

// What a run is read from, beside its checkpoints.
const ofRuns: readonly string[] = ['run.json', 'metrics.jsonl', 'data.json']

/** Whether the file is one that a run is continued from: its description, its numbers, a checkpoint. */
export function belongsToRun(path: string): boolean {
  const folder = dirname(resolve(path))
  if (basename(folder) === 'checkpoints') return existsSync(join(dirname(folder), 'run.json'))
  return ofRuns.includes(basename(path)) && existsSync(join(folder, 'run.json'))
}
