/** Checks of a system's page: quoted lines of the source stand there as they are, commands are commands. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { System } from '../../src/systems/define.ts'
import { configFrom, parseAssignment } from '../../src/train/settings.ts'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const unindented = (text: string): string => text.replace(/^ +/gm, '').trim()

/** Tests of one page. `sources`: the files that its TypeScript is quoted from. */
export function describePage(path: string, sources: readonly string[], system: System): void {
  const page = read(path)
  const excerpts = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => unindented(match[1] ?? ''))
  const code = sources.map((source) => unindented(read(source))).join('\n')

  describe(path, () => {
    test('there are excerpts', () => expect(excerpts.length).toBeGreaterThan(2))

    test.each(excerpts)('in the source: %s', (excerpt) => expect(code).toContain(excerpt))

    const pattern = `npx tenfold (?:train|run) ${system.name}/([\\w-]+)((?: (?:\\\\\\n +)?--set (?:'[^']*'|\\S+))*)`
    const commands = [...page.matchAll(new RegExp(pattern, 'g'))]

    test.each(commands.map(([line, name = '', flags = '']) => ({ line, name, flags })))('$line', ({ name, flags }) => {
      const { config } = [...(system.recipes ?? []), ...(system.jobs ?? [])].find((each) => each.name === name) ?? {}
      const sets = [...flags.matchAll(/--set (?:'([^']*)'|(\S+))/g)].map((match) => match[1] ?? match[2] ?? '')
      expect(config && configFrom(config, sets.map(parseAssignment))).toBeDefined()
    })
  })
}
