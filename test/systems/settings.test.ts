import { expect, test } from 'vitest'
import { systems } from '../../src/systems/index.ts'
import { describeSettings } from '../../src/train/settings.ts'

test('every setting of every recipe and job says what it means', () => {
  const entries = systems.flatMap((system) =>
    [...(system.recipes ?? []), ...(system.jobs ?? [])].map((entry) => ({
      name: `${system.name}/${entry.name}`,
      entry,
    })),
  )
  const silent = entries.flatMap(({ name, entry }) =>
    describeSettings(entry.config).flatMap(({ path, description }) => (description ? [] : [`${name}: ${path}`])),
  )
  expect(silent).toEqual([])
})
