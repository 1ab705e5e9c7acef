import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeNpz } from '../../../src/io/npz.ts'
import { openClips } from '../../../src/tasks/clips/open.ts'
import { clipDataSettings } from '../../../src/tasks/clips/settings.ts'
import { told, withFolder } from '../../data/support.ts'

/** Twelve clips of two frames in a file, each with these classes of two. */
async function open(folder: string, classes: (clip: number) => readonly [number, number]) {
  const file = join(folder, 'clips.npz')
  const frames = Uint8Array.from({ length: 12 * 2 * 8 * 8 }, (_, i) => (i * 37) % 251)
  const labels = Float32Array.from(Array.from({ length: 12 }, (_, clip) => classes(clip)).flat())
  const arrays = {
    frames: { dtype: 'uint8', shape: [12, 2, 8, 8], data: frames },
    labels: { dtype: 'float32', shape: [12, 2], data: labels },
  } as const
  await writeFile(file, writeNpz(Object.entries(arrays)))
  return openClips({ ...clipDataSettings().parse({}), file, image_size: 8, frames: 2 })
}

test('a file of clips: classes that no clip has are told', () =>
  withFolder(async (folder) => {
    expect((await open(folder, () => [1, 1])).opening.warnings).toEqual([])
    expect((await open(folder, () => [1, 0])).opening.warnings).toEqual([
      'no clip of class 1 is in the training set',
      'no clip of class 1 is in the test set',
    ])
  }))

test('a file of clips without any class is refused', () =>
  withFolder(async (folder) => {
    expect((await told(() => open(folder, () => [0, 0]))).replaceAll(folder, '.')).toMatch(
      /^UsageError: .\/clips.npz: at least one clip to train on must have a class, found none in \d+ clips$/,
    )
  }))
