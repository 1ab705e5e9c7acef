import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

// In a process of its own, in which nothing is loaded yet.
const program = `
const { systems, loadSystem, loadSystems, addSystem } = await import('./dist/systems/registry.js')
const names = () => systems.map(({ name }) => name)
await loadSystem('fnet')
addSystem({ name: 'own', title: 'Own', paper: 'none' })
for (const name of ['mixer', 'none', 'toString']) await loadSystem(name)
const some = names()
let refused
try {
  addSystem({ name: 'diffusion', title: '', paper: '' })
} catch ({ message }) {
  refused = message
}
await loadSystems()
console.log(JSON.stringify({ some, refused, all: names() }))
`

test('a system is loaded by its name; all of them come in their own order, whatever was loaded first', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
  expect(JSON.parse(stdout)).toEqual({
    some: ['mixer', 'fnet', 'own'],
    // Though it is not loaded yet.
    refused: 'there is a system of the name "diffusion" already',
    all: [
      ...['mixer', 'fnet', 'perceiver', 'expire-span', 'frozen-transformer', 'involution', 'diffusion'],
      ...['self-supervised', 'clip-video', 'translation-bias', 'own'],
    ],
  })
})
