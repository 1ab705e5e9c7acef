/** The code walk of `docs/systems/mixer.md` shows lines of the model as they are. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { mixer } from '../../../src/systems/mixer/index.ts'
import { configure, parseAssignment } from '../../../src/train/settings.ts'

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
const page = read('docs/systems/mixer.md')
const unindented = (text: string): string => text.replace(/^ +/gm, '').trim()

const excerpts = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => unindented(match[1] ?? ''))

test('there are excerpts', () => expect(excerpts.length).toBeGreaterThan(2))

test.each(excerpts)('in the model: %s', (excerpt) => {
  expect(unindented(read('src/systems/mixer/model.ts'))).toContain(excerpt)
})

const commands = [...page.matchAll(/npx tenfold (?:train|study) mixer\/(\w+)((?: (?:\\\n +)?--set (?:'[^']*'|\S+))*)/g)]

test.each(commands.map(([line, name = '', flags = '']) => ({ line, name, flags })))('$line', ({ name, flags }) => {
  const { config } = [...mixer.recipes, ...(mixer.studies ?? [])].find((each) => each.name === name) ?? {}
  const sets = [...flags.matchAll(/--set (?:'([^']*)'|(\S+))/g)].map((match) => match[1] ?? match[2] ?? '')
  expect(config && configure(config, sets.map(parseAssignment))).toBeDefined()
})
