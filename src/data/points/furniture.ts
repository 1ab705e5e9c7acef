/** Objects of the package sweethome3d-furniture by class: meshes in archives, with a catalogue of their names. */
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { latin1Text } from '../../io/bytes.ts'
import { readZip, type ZipMember } from '../../io/zip.ts'
import { FormatError } from '../../util/errors.ts'
import { dataFolder, packagesOf } from '../catalog/cache.ts'
import type { MemberSet, SetMember } from '../sources/example-files.ts'

const archives = ['BlendSwap-CC-0', 'BlendSwap-CC-BY', 'KatorLegaz', 'Reallusion', 'Scopia']

/** Classes by the last word of an object's name. */
const classWords: Readonly<Record<string, readonly string[]>> = {
  bed: ['bed', 'crib'],
  cabinet: ['bookcase', 'cabinet', 'cupboard', 'drawers', 'dresser', 'shelves', 'wardrobe'],
  chair: ['armchair', 'chair', 'stool'],
  door: ['door', 'doors'],
  lamp: ['lamp', 'lantern', 'light'],
  plant: ['bush', 'cactus', 'flowers', 'plant', 'tree'],
  sofa: ['couch', 'sofa'],
  table: ['desk', 'table'],
  tableware: ['bottle', 'bowl', 'cup', 'glass', 'mug', 'plate', 'teapot', 'vase'],
  window: ['window'],
}

/** Classes by the catalogue's categories, for objects whose names say too little. */
const classCategories: Readonly<Record<string, string>> = { Characters: 'character', Vehicles: 'vehicle' }

/** The class of an object; undefined: of none. `Chair with cushion` is a chair, a `Toilet brush` no toilet. */
export function furnitureClass(name: string, category: string): string | undefined {
  const ofCategory = classCategories[category]
  if (ofCategory !== undefined) return ofCategory
  const [head = ''] = name.toLowerCase().split(/\b(?:with|on|and|for)\b|[,\d(]/)
  const last = head.trim().split(/\s+/).at(-1) ?? ''
  return Object.entries(classWords).find(([, words]) => words.includes(last))?.[0]
}

/** `name#7=Oak chair` -> 7, name: Oak chair; the catalogue's own lines have no number. */
function entriesOf(catalogue: string): Map<string, Map<string, string>> {
  const entries = new Map<string, Map<string, string>>()
  for (const [, key = '', number = '', value = ''] of catalogue.matchAll(/^(\w+)#(\d+)=(.*)$/gm)) {
    const entry = entries.get(number) ?? new Map<string, string>()
    entries.set(number, entry.set(key, value.trim()))
  }
  return entries
}

async function membersOf(path: string): Promise<SetMember[]> {
  const name = basename(path)
  const files = new Map(readZip(await readFile(path), name).map((member) => [member.name, member]))
  const catalogue = files.get('PluginFurnitureCatalog.properties')
  if (!catalogue) throw new FormatError(`${path}: must have a PluginFurnitureCatalog.properties, found none`)
  const member = (entry: ReadonlyMap<string, string>): SetMember[] => {
    const file: ZipMember | undefined = files.get((entry.get('model') ?? '').replace(/^\//, ''))
    const label = furnitureClass(entry.get('name') ?? '', entry.get('category') ?? '')
    if (!file?.name.toLowerCase().endsWith('.obj') || label === undefined) return []
    return [{ name: `${name}/${file.name}`, label, bytes: async () => file.unpack() }]
  }
  return [...entriesOf(latin1Text(catalogue.unpack())).values()].flatMap(member)
}

/** The meshes of furniture, plants, people and vehicles in 12 classes. Throws a MissingDataError with the command that fetches them. */
export async function furnitureSet(): Promise<MemberSet> {
  const folder = join(dataFolder('furniture'), 'usr/share/sweethome3d/furniture')
  const members = await Promise.all(archives.map((archive) => membersOf(join(folder, `${archive}.sh3f`))))
  return { title: 'Sweet Home 3D furniture', sources: packagesOf('furniture'), members: members.flat() }
}
