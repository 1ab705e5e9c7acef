/** Recorded sounds of packages, by class. */
import { readFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { dataFolder, packagesOf } from '../catalog/cache.ts'
import { isOfKind } from '../sources/class-files.ts'
import type { MemberSet, SetMember } from '../sources/example-files.ts'
import { listFolder } from '../sources/listing.ts'
import { recordingFiles } from './recordings.ts'

/** The recordings below a folder that have a class. */
async function membersIn(
  folder: string,
  describe: (name: string) => { readonly label: string | undefined; readonly group?: string },
): Promise<SetMember[]> {
  const { files } = await listFolder(folder)
  return files.flatMap((name) => {
    const { label, group } = describe(name)
    if (label === undefined || !isOfKind(recordingFiles, name)) return []
    return [{ name, label, ...(group !== undefined && { group }), bytes: () => readFile(join(folder, name)) }]
  })
}

/** Kinds of sounds in supersonic-scsynth-samples: the first word of a file's name, of those that at least ten files have. */
const prefixes: Readonly<Record<string, string>> = {
  ambi: 'ambience',
  bd: 'bass drum',
  drum: 'drum',
  elec: 'electronic',
  hat: 'hi-hat',
  loop: 'loop',
  perc: 'percussion',
  tabla: 'tabla',
}

/** 145 sounds and loops in 8 classes. Throws a MissingDataError with the command that fetches them. */
export async function sampleSet(): Promise<MemberSet> {
  const folder = join(dataFolder('sound-samples'), 'samples')
  const members = await membersIn(folder, (name) => ({ label: prefixes[name.split('_', 1)[0] ?? ''] }))
  return { title: 'Sonic Pi samples', sources: packagesOf('sound-samples'), members }
}

/** Kinds of drums by what a file's name has in it; the first that fits. */
const drums: readonly (readonly [label: string, pattern: RegExp])[] = [
  ['rim', /rim|side.?stick/],
  ['tambourine', /tamb/],
  ['cowbell', /cowbell/],
  ['clap', /clap/],
  ['crash', /crash/],
  ['ride', /ride/],
  ['hi-hat', /hat|hh/],
  ['snare', /snare/],
  ['tom', /tom/],
  ['kick', /kick|bass.?drum/],
]

/** An AIFF under the name of a WAV file. */
const misnamed = '25671__walter-odington__garage-city-snare-snappy'

/** The kind of drum that a file's name says; undefined: none of them. */
export function drumOf(name: string): string | undefined {
  const own = basename(name, extname(name)).toLowerCase()
  return own === misnamed ? undefined : drums.find(([, pattern]) => pattern.test(own))?.[0]
}

/** Single drum hits in 10 classes; a kit is a group. Throws a MissingDataError with the command that fetches them. */
export async function drumSet(): Promise<MemberSet> {
  const folder = join(dataFolder('drumkits'), 'usr/share/hydrogen/data/drumkits')
  const members = await membersIn(folder, (name) => ({ label: drumOf(name), group: name.split('/', 1)[0] ?? '' }))
  return { title: 'Hydrogen drum kits', sources: packagesOf('drumkits'), members }
}
