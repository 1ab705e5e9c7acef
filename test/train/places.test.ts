import { mkdirSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { expandHomes, findPlaces, recordPlaces, withoutPaths } from '../../src/train/places.ts'
import { pathSetting } from '../../src/train/settings.ts'

const schema = z.strictObject({
  data: z.strictObject({ folder: pathSetting('', ['emoji']), file: pathSetting(''), name: z.string().default('~/x') }),
})

const configOf = (folder: string, file = '') => schema.parse({ data: { folder, file } })

test('~/ is the home folder, in paths only', () => {
  expect(expandHomes(schema, configOf('~/photos', '~')).data).toEqual({
    folder: join(homedir(), 'photos'),
    file: homedir(),
    name: '~/x',
  })
  expect(expandHomes(schema, configOf('a/~/b', '~other')).data).toMatchObject({ folder: 'a/~/b', file: '~other' })
})

test('what a run names is found where it was, or beside the run if both have moved', () => {
  const root = mkdtempSync(join(tmpdir(), 'tenfold-places-'))
  const [old, run] = [join(root, 'old'), join(root, 'old', 'runs', 'one')]
  mkdirSync(run, { recursive: true })
  mkdirSync(join(old, 'photos'))
  writeFileSync(join(old, 'rows.csv'), '')
  const config = configOf(join(old, 'photos'), join(old, 'rows.csv'))
  const places = recordPlaces(schema, config, run)
  expect(places['data.folder']?.fromRun).toBe(join('..', '..', 'photos'))
  expect(findPlaces(schema, config, places, join(root, 'elsewhere'))).toEqual(config)
  renameSync(old, join(root, 'new'))
  expect(findPlaces(schema, config, places, join(root, 'new', 'runs', 'one')).data).toMatchObject({
    folder: join(root, 'new', 'photos'),
    file: join(root, 'new', 'rows.csv'),
  })
  expect(findPlaces(schema, config, places, join(root, 'lost'))).toEqual(config)
  // Of what is nowhere, it is to be told where it was.
  const relative = { 'data.folder': { absolute: join(old, 'photos'), fromRun: '../../photos' } }
  expect(findPlaces(schema, configOf('photos'), relative, join(root, 'lost')).data.folder).toBe(join(old, 'photos'))
})

test('names with a meaning of their own are no places, and nothing of a path is given to others', () => {
  const config = configOf('emoji', '/home/me/rows.csv')
  expect(Object.keys(recordPlaces(schema, config, 'run'))).toEqual(['data.file'])
  expect(withoutPaths(schema, config)).toEqual(configOf('emoji'))
})
