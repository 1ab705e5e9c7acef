/** Animated emoji of people in motion by what they do. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dataFolder, packagesOf } from '../catalog/cache.ts'
import type { MemberSet } from '../sources/example-files.ts'
import { listFolder } from '../sources/listing.ts'

/** What people do, by the first code point of the emoji. */
const actions: Readonly<Record<string, string>> = {
  '1f3c3': 'running',
  '1f3c4': 'surfing',
  '1f3ca': 'swimming',
  '1f3cb': 'lifting weights',
  '1f3cc': 'golfing',
  '1f647': 'bowing',
  '1f6a3': 'rowing',
  '1f6b4': 'biking',
  '1f6b5': 'mountain biking',
  '1f6b6': 'walking',
  '1f938': 'cartwheeling',
  '1f939': 'juggling',
  '1f93e': 'playing handball',
}

/** Clips of people of six skin tones and three genders for each action; a skin tone is a group. Throws a MissingDataError. */
export async function emojiClips(name: 'fluent-motion-1' | 'fluent-motion-3'): Promise<MemberSet> {
  const folder = join(dataFolder(name), 'assets')
  const { files } = await listFolder(folder)
  const members = files.flatMap((file) => {
    const [first = '', ...rest] = file.replace(/\.webp$/, '').split('-')
    const label = actions[first]
    if (label === undefined) return []
    const group = rest.find((code) => /^1f3f[b-f]$/.test(code)) ?? 'no skin tone'
    return [{ name: file, label, group, bytes: () => readFile(join(folder, file)) }]
  })
  return { title: 'Fluent emoji in motion', sources: packagesOf(name), members }
}
