/** Every example, compiled against the built package and run in a short form, as its user would. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodePng } from '../src/io/png.ts'
import { readSafetensors } from '../src/io/safetensors.ts'

const root = new URL('..', import.meta.url).pathname
const examples = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.ts'))
// Inside the package, so that `tenfold` means the package itself.
const built = join(root, 'dist', `examples-${process.pid}`)
let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenfold-examples-'))
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  execFileSync(process.execPath, [compiler, '-p', join(root, 'examples'), '--outDir', built], { stdio: 'pipe' })
  for (const [c, name] of ['dark', 'bright', 'mixed'].entries()) {
    mkdirSync(join(folder, 'pictures', name), { recursive: true })
    for (let i = 0; i < 10; i++) {
      const pixels = Uint8Array.from({ length: 20 * 20 * 3 }, (_, at) =>
        c < 2 ? 120 * c + ((at * i) % 97) : (at * 31 * i) % 256,
      )
      writeFileSync(join(folder, 'pictures', name, `${i}.png`), encodePng(pixels, 20, 20, 3))
    }
  }
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  rmSync(built, { recursive: true, force: true })
})

const at = (name: string): string => join(folder, name)

function command(name: string, options: Readonly<Record<string, string | number>>): string[] {
  return [join(built, `${name}.js`), ...Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)])]
}

const run = (name: string, options: Readonly<Record<string, string | number>>): string =>
  execFileSync(process.execPath, command(name, options), { cwd: root, encoding: 'utf8', stdio: 'pipe' })

test.each(examples)('%s is short, and uses nothing but the public entries', (name) => {
  const text = readFileSync(join(root, 'examples', name), 'utf8')
  expect(text.split('\n').length).toBeLessThanOrEqual(121)
  const imports = [...text.matchAll(/from '([^']+)'/g)].map(([, target = '']) => target)
  expect(imports.filter((target) => !/^(node:\w+(\/\w+)?|tenfold(\/\w+)?)$/.test(target))).toEqual([])
})

test('the README of the examples names each of them', () => {
  const text = readFileSync(join(root, 'examples', 'README.md'), 'utf8')
  for (const name of examples) expect(text).toContain(`(${name})`)
})

/** The tensors of the newest checkpoint as bits, and what was logged, without times. */
function outcome(path: string) {
  const newest =
    readdirSync(join(path, 'checkpoints'))
      .filter((name) => name.startsWith('step-'))
      .sort()
      .at(-1) ?? ''
  const { tensors } = readSafetensors(readFileSync(join(path, 'checkpoints', newest)))
  const bits = [...tensors].map(([name, { data }]) => [
    name,
    Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex'),
  ])
  const lines = readFileSync(join(path, 'metrics.jsonl'), 'utf8').trim().split('\n')
  return { newest, bits, metrics: lines.map((line) => ({ ...JSON.parse(line), seconds: 0 })) }
}

test('cnn-pictures: killed in the middle and started again, it ends with the same bits as without', async () => {
  const options = { data: at('pictures'), size: 16, epochs: 9 }
  expect(run('cnn-pictures', { ...options, out: at('whole') })).toMatch(
    /(finished|early stop) after \d steps; .* accuracy/,
  )
  const child = spawn(process.execPath, command('cnn-pictures', { ...options, out: at('killed') }), {
    cwd: root,
    stdio: 'ignore',
  })
  const ended = once(child, 'exit')
  while (!existsSync(join(at('killed'), 'checkpoints', 'step-00000003.safetensors')) && child.exitCode === null)
    await setTimeout(2)
  child.kill('SIGKILL')
  expect(await ended).toEqual([null, 'SIGKILL'])
  run('cnn-pictures', { ...options, out: at('killed') })
  expect(outcome(at('killed'))).toEqual(outcome(at('whole')))
  expect(readFileSync(join(at('whole'), 'report.html'), 'utf8')).toContain('What was said of them')
})

test('character-gpt: learns and writes', () => {
  const output = run('character-gpt', { text: 'LICENSE', out: at('gpt'), steps: 2, prompt: 'The ' })
  expect(output).toMatch(/^perplexity \d+\.\d\d of \d+ characters\nThe [\s\S]{200}\n$/)
})

test('vae-gan: samples of an evaluation and of the end are the same PNG file', () => {
  run('vae-gan', { out: at('gan'), steps: 2, examples: 128 })
  const [sheet] = readdirSync(join(at('gan'), 'snapshots'))
  expect(sheet).toBe('samples-00000002.png')
  expect(readFileSync(join(at('gan'), 'samples.png'))).toEqual(readFileSync(join(at('gan'), 'snapshots', sheet ?? '')))
})

test('fine-tune: the frozen part of a PyTorch file stays, and the exported model computes the same', () => {
  const checkpoint = join(root, 'test', 'fixtures', 'models', 'tiny-resnet.pth')
  const output = run('fine-tune', { checkpoint, data: at('pictures'), out: at('tuned'), size: 32, steps: 2 })
  expect(output).toContain(`72 tensors from ${checkpoint}; new: fc.weight, fc.bias`)
  expect(output).toMatch(/differs from the model by \d\.\de-\d+ at most/)
})
