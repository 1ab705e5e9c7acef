import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeSafetensors } from '../../src/io/safetensors.ts'
import { systems } from '../../src/systems/index.ts'
import type { NDArray } from '../../src/tensor/dtype.ts'
import { type CaseResult, verify } from '../../src/verify/run.ts'
import { type ReferenceCase, requiredTensor } from '../../src/verify/target.ts'

const rules = systems.flatMap(({ targets = [] }) => targets)

const head = { format: 1, system: 'test', target: 'ops', config: {}, mode: 'eval', tolerance: { atol: 1e-6, rtol: 0 } }
const vector = (...values: number[]): NDArray => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
})

async function results(
  files: Record<string, string | Uint8Array>,
  filter?: string,
): Promise<Pick<CaseResult, 'case' | 'passed' | 'problem'>[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tenfold-verify-'))
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  const found: CaseResult[] = []
  for await (const result of verify([folder], rules, filter)) found.push(result)
  return found.map(({ case: name, passed, problem }) => ({ case: name, passed, ...(problem && { problem }) }))
}

test('a case is run by the rules of its own system before those of others', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tenfold-verify-'))
  const names = ['first', 'second', 'third']
  for (const system of names) {
    await writeFile(join(folder, `${system}.json`), JSON.stringify({ ...head, system, case: system, target: 'Model' }))
    await writeFile(join(folder, `${system}.safetensors`), writeSafetensors([['output/y', vector(1)]]))
  }
  const rule = (system: string, y: number) => ({
    target: /Model/,
    system,
    run: async () => new Map([['output/y', vector(y)]]),
  })
  const found: Record<string, string | undefined> = {}
  for await (const { case: name, problem } of verify([folder], [rule('first', 1), rule('second', 2)]))
    found[name] = problem
  // The last has no rules of its own: the first of all that fit is taken.
  expect(found).toEqual({ first: undefined, second: 'output/y[0] is 2, expected 1', third: undefined })
})

test('right, wrong, unknown and malformed cases; the rest still runs', async () => {
  const entry = (name: string, op: string) => ({
    name,
    op,
    args: {},
    inputs: [`${name}/input/input`],
    outputs: [`${name}/output/y`],
    cotangents: [],
    grads: [],
  })
  const tensors = writeSafetensors([
    ['right/input/input', vector(0, 1)],
    ['right/output/y', vector(0, 1)],
    ['wrong/input/input', vector(-1, 1)],
    ['wrong/output/y', vector(-1, 1)],
    ['unknown/input/input', vector(1)],
    ['unknown/output/y', vector(1)],
    ['lacks/input/input', vector(1)],
  ])
  const cases = [
    entry('right', 'torch.nn.functional.relu'),
    entry('wrong', 'torch.nn.functional.relu'),
    entry('unknown', 'torch.nn.functional.rulu'),
    entry('lacks', 'torch.tanh'),
  ]
  expect(
    await results({
      'a.json': JSON.stringify({ ...head, case: 'a', cases }),
      'a.safetensors': tensors,
      'b.json': JSON.stringify({ ...head, case: 'b', target: 'some.Model' }),
      'b.safetensors': writeSafetensors([['output/y', vector(1)]]),
      'c.json': '{',
      'c.safetensors': tensors,
      'd.json': JSON.stringify({ ...head, case: 'd', format: 2 }),
      'd.safetensors': tensors,
      'e.json': JSON.stringify({ ...head, case: 'e' }),
      'e.safetensors': tensors.subarray(0, 20),
      'f.safetensors': tensors,
    }),
  ).toEqual([
    { case: 'a/right', passed: true },
    { case: 'a/wrong', passed: false, problem: 'wrong/output/y[0] is 0, expected -1' },
    { case: 'a/unknown', passed: false, problem: 'unknown target' },
    { case: 'a/lacks', passed: false, problem: 'the case\'s safetensors file has no tensor "lacks/output/y"' },
    { case: 'b', passed: false, problem: 'unknown target' },
    { case: 'c', passed: false, problem: 'c.json is not valid JSON' },
    { case: 'd', passed: false, problem: 'd.json: format: Invalid input: expected 1' },
    { case: 'e', passed: false, problem: expect.stringMatching(/^safetensors: /) },
    { case: 'f', passed: false, problem: 'f.json is missing' },
  ])
})

test('names may be listed whole, and states after the call are compared where they have a name of their own', async () => {
  const rule = {
    target: 'counter',
    run: async ({ tensors }: ReferenceCase) => {
      const [before = 0] = requiredTensor(tensors, 'state/count').data
      const [added = 0] = requiredTensor(tensors, 'input/x').data
      return new Map([['state_out/count', vector(Number(before) + Number(added))]])
    },
  }
  const run = async (after: number, outputs: readonly string[]): Promise<readonly (string | undefined)[]> => {
    const folder = await mkdtemp(join(tmpdir(), 'tenfold-verify-'))
    const description = { ...head, target: 'counter', case: 'a', inputs: ['input/x'], outputs }
    await writeFile(join(folder, 'a.json'), JSON.stringify(description))
    const tensors: [string, NDArray][] = [
      ['input/x', vector(2)],
      ['state/count', vector(1)],
      ['state_out/count', vector(after)],
    ]
    await writeFile(join(folder, 'a.safetensors'), writeSafetensors(tensors))
    const problems: (string | undefined)[] = []
    for await (const { problem } of verify([folder], [rule])) problems.push(problem)
    return problems
  }
  expect(await run(3, ['state_out/count'])).toEqual([undefined])
  expect(await run(4, ['state_out/count'])).toEqual(['state_out/count[0] is 3, expected 4'])
  expect(await run(3, ['state_out/sum'])).toEqual(['the case\'s safetensors file has no tensor "state_out/sum"'])
  expect(await run(3, ['y'])).toEqual(['the case\'s safetensors file has no tensor "output/y"'])
})

test('the filter looks at names and targets', async () => {
  const folder = new URL('../cases/ops', import.meta.url).pathname
  const found: [string, boolean][] = []
  for await (const result of verify([folder], rules, 'max_pool1d')) found.push([result.case, result.passed])
  expect(found).toEqual([['pool/max_pool1d', true]])
})

test('a case that cannot be read is told apart from one that fails', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tenfold-verify-'))
  const path = join(folder, 'text.json')
  await writeFile(path, 'no JSON')
  const found: CaseResult[] = []
  for await (const result of verify([path], rules)) found.push(result)
  expect(found).toMatchObject([{ passed: false, unreadable: true, problem: 'text.json is not valid JSON' }])
})
