/** What a browser can use: no import leads from there to Node, and no global of Node's is used. */
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { isAbsolute, join } from 'node:path'
import { expect, test } from 'vitest'
import { files, reachedFrom, shown, source } from '../support/imports.ts'

/** Paths in src of all that must work in a browser, by itself and with what it imports. */
const neutral = [
  /^(util|tensor|ops|autodiff|compile|nn|optim|models|web)\//,
  /^io\/(bytes|checksum|elements|name-table|npy|npz|other-formats|png|pytorch|safetensors|tensor-format|zip)\.ts$/,
  /^data\/(dataset|layout|loader|rows|split)\.ts$/,
  /^data\/(augment|text)\//,
  /^train\/(loop|metrics|store)\.ts$/,
  /^report\//,
  /^(index|entries\/(models|web|worker))\.ts$/,
  /^tasks\/(settings|training)\.ts$/,
  /^tasks\/language\/(baselines|facts|masked-pairs|masking|sentence-pairs)\.ts$/,
  /^tasks\/sequences\/(bytes|classifier|codec|dataset|listops)\.ts$/,
  /^tasks\/arrays\/(classifier|facts|figures)\.ts$/,
  /^tasks\/pictures\/(classifier|facts|features|few-shot|figures)\.ts$/,
  /^systems\/[^/]+\/(config|explain|model)\.ts$/,
]

const portable = (file: string): string => shown(file).replaceAll('\\', '/')
const roots = files.filter((file) => neutral.some((pattern) => pattern.test(portable(file))))

const describeChain = (chain: readonly string[]): string =>
  chain.map((step) => (isAbsolute(step) ? shown(step) : step)).join(' -> ')

// As package.json's "imports" has it for browsers.
const chains = [...reachedFrom(roots, { '#runtime': join(source, 'runtime', 'web.ts') })]

test('no import leads to Node', () => {
  const found = chains.filter(([target]) => isBuiltin(target)).map(([, chain]) => describeChain(chain))
  expect(found, 'what needs Node must be reached from Node only (docs/decisions/044-platforms.md)').toEqual([])
})

test('no file uses a global that only Node has', () => {
  const global = /\b(?:Buffer|process|require|setImmediate|__dirname|__filename)\b(?=[.([])|\bNodeJS\./
  const found = chains.flatMap(([file, chain]) => {
    if (!isAbsolute(file)) return []
    const code = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    const use = global.exec(code)?.[0]
    return use === undefined ? [] : [`${describeChain(chain)} uses ${use}`]
  })
  expect(found).toEqual([])
})

test('the roots are there', () => {
  expect(neutral.filter((pattern) => !roots.some((file) => pattern.test(portable(file))))).toEqual([])
})
