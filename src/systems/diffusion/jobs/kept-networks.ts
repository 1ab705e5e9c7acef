/** Networks that a job trains once: their weights lie in its folder, beside what was said of the training. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { digestOf } from '../../../data/files.ts'
import { makeFolder, requireWritable } from '../../../io/atomic.ts'
import { readSafetensorsFile, writeSafetensorsFile } from '../../../io/safetensors-file.ts'
import type { Variable } from '../../../tensor/variable.ts'
import type { TrainingTask } from '../../../train/loop.ts'
import { TenfoldError } from '../../../util/errors.ts'
import type { JobContext } from '../../define.ts'

/** What is known of a finished training. */
const told = z.record(z.string(), z.number())
export type Told = z.infer<typeof told>

/** A network whose training is kept. */
export interface NetworkPart {
  /** The name of its file. */
  readonly name: string
  /** All that the weights depend on. */
  readonly identity: unknown
  readonly weights: ReadonlyMap<string, Variable>
  /** Trains it and says what came of it. */
  readonly train: () => Promise<Told>
}

/** What keeps networks. `networks`: a folder that jobs share, where a network's file has the name of its identity. Default: the job's own folder. */
export interface NetworkKeeper extends Pick<JobContext, 'folder' | 'keep' | 'progress' | 'signal'> {
  readonly networks?: string
}

/** Trains a network, or loads the weights of an earlier training of the same identity. */
export async function keptNetwork(
  { name, identity, weights, train }: NetworkPart,
  { folder, networks, keep, progress, signal }: NetworkKeeper,
): Promise<Told> {
  signal?.throwIfAborted()
  const wanted = JSON.stringify(identity)
  const path = join(networks ?? folder, `${networks === undefined ? name : digestOf(wanted)}.safetensors`)
  const load = async (): Promise<Told | undefined> => {
    if (!existsSync(path)) return undefined
    const { tensors, metadata } = await readSafetensorsFile(path)
    if (metadata.identity !== wanted) return undefined
    for (const [key, variable] of weights) {
      const array = tensors.get(key)
      if (array) variable.set(array.data)
    }
    progress(`${name}: kept`, { part: name, kept: true })
    return told.parse(JSON.parse(metadata.told ?? '{}'))
  }
  const make = async (): Promise<Told> => {
    // Before the training: where nothing can be written it would be lost.
    await makeFolder(dirname(path))
    await requireWritable(path)
    const found = await train()
    const arrays = new Map([...weights].map(([key, { array }]) => [key, array]))
    await writeSafetensorsFile(path, arrays, { identity: wanted, told: JSON.stringify(found) })
    const numbers = Object.entries(found).map(([key, value]) => `${key} ${Number(value.toPrecision(4))}`)
    progress(`${name}: ${numbers.join(', ')}`, { part: name, kept: false, ...found })
    return found
  }
  const loadOrMake = async (): Promise<Told> => (await load()) ?? make()
  // What was told is a part of the job, so that of several processes one trains; the weights lie beside it.
  const { part, wasThere } = await keep(name, identity, told, loadOrMake)
  return wasThere ? loadOrMake() : part
}

/** Steps of a training, from the beginning. Returns its seconds and the mean loss of its last tenth. */
export async function runSteps(
  task: TrainingTask,
  steps: number,
  name: string,
  { progress, signal }: Pick<JobContext, 'progress' | 'signal'>,
): Promise<{ readonly seconds: number; readonly loss: number }> {
  const start = performance.now()
  let [said, step, sum, summed] = [start, 0, 0, 0]
  while (step < steps) {
    for await (const batch of task.loader) {
      signal?.throwIfAborted()
      const loss = (await task.step(batch)).loss.item()
      if (!Number.isFinite(loss)) {
        throw new TenfoldError(`${name}: the loss became NaN or infinite at step ${step + 1}`, {
          hint: 'a smaller learning rate',
        })
      }
      step++
      if (step > 0.9 * steps) [sum, summed] = [sum + loss, summed + 1]
      if (performance.now() - said > 20_000) {
        said = performance.now()
        progress(`${name}: step ${step} of ${steps}, loss ${loss.toPrecision(3)}`, { part: name, step, loss })
      }
      if (step >= steps) break
    }
  }
  await task.step.release()
  return { seconds: (performance.now() - start) / 1000, loss: sum / summed }
}
