/** docs/guide/adding-a-system.md: the system on the page is taken from it, trained and used. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { encodePng } from '../../src/io/png.ts'
import type { System } from '../../src/systems/define.ts'
import { configFrom, parseAssignment } from '../../src/train/settings.ts'
import { predictionsOf } from '../support/predictions.ts'

const source = fileURLToPath(new URL('../../src/', import.meta.url))
const page = readFileSync(fileURLToPath(new URL('../../docs/guide/adding-a-system.md', import.meta.url)), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'tenfold-guide-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** The files of the page, by name. */
const files = [...page.matchAll(/^`(\w+\.ts)`:.*?```ts\n(.*?)```/gms)].map(([, name = '', code = '']) => ({
  name,
  code,
}))

/** Three pictures of each of two classes: light on the left, or on the right. */
function writePictures(): string {
  const pictures = join(folder, 'pictures')
  for (const [label, side] of [
    ['left', 0],
    ['right', 1],
  ] as const) {
    mkdirSync(join(pictures, label), { recursive: true })
    for (let i = 0; i < 20; i++) {
      const pixels = Uint8Array.from({ length: 12 * 12 * 3 }, (_, j) =>
        Math.floor((Math.floor(j / 3) % 12) / 6) === side ? 200 + i : 10 + i,
      )
      writeFileSync(join(pictures, label, `${i}.png`), encodePng(pixels, 12, 12, 3))
    }
  }
  return pictures
}

test('a picture classifier in one folder, with under 200 lines, learns and predicts', async () => {
  expect(files.map(({ name }) => name)).toEqual(['config.ts', 'model.ts', 'recipes.ts', 'index.ts'])
  expect(files.reduce((lines, { code }) => lines + code.split('\n').length, 0)).toBeLessThan(200)
  for (const { name, code } of files) {
    const placed = code
      // Of the entry for systems this is all that it needs, and most of tenfold less.
      .replace("'tenfold/systems'", `'${source}systems/define.ts'`)
      .replace("'tenfold/tasks'", `'${source}entries/tasks.ts'`)
      .replace("'tenfold'", `'${source}index.ts'`)
    writeFileSync(join(folder, name), placed.replace("'zod'", `'${source}../node_modules/zod/index.js'`))
  }
  const { lenet } = (await import(join(folder, 'index.ts'))) as { lenet: System }
  const [recipe] = lenet.recipes ?? []
  if (!recipe) throw new Error('the page declares no recipe')
  const pictures = writePictures()
  const sets = [
    `data.folder=${pictures}`,
    'data.image_size=12',
    'train.batch_size=8',
    'train.epochs=6',
    'optimizer.warmup_steps=2',
  ]
  const config = configFrom(recipe.config, sets.map(parseAssignment))
  const data = await recipe.open(config, {})
  const experiment = recipe.build(config, data.facts, { seed: 0, threads: 1 })
  const { task, loop } = experiment.prepare(data)
  for (let epoch = 0; epoch < loop.epochs; epoch++) for await (const batch of task.loader) await task.step(batch)
  expect((await experiment.evaluate(data)).accuracy).toBe(1)
  const [said] = await predictionsOf(recipe, experiment, [join(pictures, 'right', '3.png')])
  expect(said?.choices[0]?.label).toBe('right')
  expect(Object.keys(experiment.exports)).toEqual(['classifier'])
})
