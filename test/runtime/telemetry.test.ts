/** The runtime reports to its makers unless it is kept from that; see `src/runtime/telemetry.ts`. */
import { mkdtempSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { type Outside, runApart } from '../support/outside.ts'

const root = new URL('../..', import.meta.url)
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tenfold-telemetry-')))
const program = new URL('bin/tenfold.js', root).pathname

const square = `const { compile, ops, tensor } = await import('${new URL('dist/index.js', root)}')
  console.log(await (await compile((x) => ops.mul(x, x))(tensor([1, 2, 3]))).numbers())`

/** Runs a program of ours given as text. */
function run(code: string, ...args: string[]): Outside {
  writeFileSync(join(folder, 'program.mjs'), code)
  return runApart([join(folder, 'program.mjs'), ...args], folder)
}

/** A program that starts a worker from a file of the folder. */
const withWorker = (file: string, options = '', then = '') => `import { Worker } from 'node:worker_threads'
  const done = new Int32Array(new SharedArrayBuffer(4))
  new Worker(new URL('${file}', import.meta.url), { workerData: done, ${options} })
  ${then}`

const notify = `const { workerData } = await import('node:worker_threads')
  Atomics.store(workerData, 0, 1)
  Atomics.notify(workerData, 0)`

beforeAll(() => {
  writeFileSync(join(folder, 'square.mjs'), `${square}\n${notify}`)
  writeFileSync(join(folder, 'outer.mjs'), withWorker('square.mjs'))
})

const silent: Partial<Outside> = { code: 0, err: '', left: [], calls: [] }

test('a training writes only into its run directory and opens no socket', () => {
  const sizes = ['hidden_dim=16', 'num_blocks=1', 'tokens_mlp_dim=8', 'channels_mlp_dim=16']
  const settings = sizes.flatMap((size) => ['--set', `model.${size}`])
  const trained = runApart(
    [program, 'train', 'mixer/mnist', '--steps', '20', ...settings, '--out', join(folder, 'run')],
    folder,
  )
  expect(trained).toMatchObject({ code: 0, left: [], calls: [] })
})

test.each([
  ['the main thread', square],
  ['a worker alone', withWorker('square.mjs')],
  ['a worker whose main thread waits for it', withWorker('square.mjs', 'env: {}', 'Atomics.wait(done, 0, 0)')],
  ['a worker of a worker', withWorker('outer.mjs')],
])('a program that computes in %s leaves nothing behind', (_where, code) => {
  expect(run(code)).toMatchObject({ ...silent, out: '[ 1, 4, 9 ]\n' })
})

test('a command line may have any length', () => {
  // The runtime's telemetry crashed from about 28 kB on.
  const names = Array.from(
    { length: 700 },
    (_, i) => `a-folder-with-a-long-name-as-holiday-pictures-have/picture-${i}.png`,
  )
  expect(run(square, ...names)).toMatchObject({ ...silent, out: '[ 1, 4, 9 ]\n' })
})

test('what the runtime refuses is thrown and not printed', () => {
  const model = `const { loadSession } = await import('${new URL('dist/runtime/node.js', root)}')
  await loadSession(Uint8Array.of(1, 2, 3)).catch((error) => console.log(error.message))`
  const gather = `const { compile, ops, tensor } = await import('${new URL('dist/index.js', root)}')
  const pick = compile((x, i) => ops.gather(x, i, 0))
  await pick(tensor([1, 2, 3]), tensor([7], 'int32')).then((y) => y.numbers()).catch(() => console.log('refused'))`
  expect(run(`${model}\n${gather.replace('const {', 'var {')}`)).toMatchObject({
    ...silent,
    out: 'Failed to load model because protobuf parsing failed.\nrefused\n',
  })
})
