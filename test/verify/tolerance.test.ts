import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeSafetensors } from '../../src/io/safetensors.ts'
import type { NDArray } from '../../src/tensor/dtype.ts'
import { verify } from '../../src/verify/run.ts'
import type { CaseTargetRule } from '../../src/verify/target.ts'

const numbers = (...values: number[]): NDArray => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
})
const names = ['output/y', 'output/after/G.w', 'output/after_g_step/G.w', 'output/bytes_0', 'grad/w']

/** A target whose results are all 1, and its case, which expects 1.5 of those that `wrong` names. */
async function problemOf(
  tolerance: Record<string, unknown>,
  wrong: readonly string[],
  toleranceOf?: CaseTargetRule['toleranceOf'],
): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'tenfold-tolerance-'))
  const head = { format: 1, system: 'test', case: 'a', target: 'ones' }
  await writeFile(join(folder, 'a.json'), JSON.stringify({ ...head, tolerance: { atol: 1e-6, rtol: 0, ...tolerance } }))
  const expected = names.map((name): [string, NDArray] => [name, numbers(wrong.includes(name) ? 1.5 : 1)])
  await writeFile(join(folder, 'a.safetensors'), writeSafetensors(expected))
  const run = async () => new Map(names.map((name) => [name, numbers(1)]))
  const rule = { target: 'ones', run, ...(toleranceOf && { toleranceOf }) }
  for await (const { problem } of verify([folder], [rule])) return problem
  return 'no case was found'
}

test('a group has its tensors and no others', async () => {
  const after = { after: { atol: 1, rtol: 0 } }
  expect(await problemOf(after, ['output/after/G.w'])).toBeUndefined()
  expect(await problemOf(after, ['output/after_g_step/G.w'])).toBe('output/after_g_step/G.w[0] is 1, expected 1.5')
  expect(await problemOf(after, ['output/y'])).toBe('output/y[0] is 1, expected 1.5')
  expect(await problemOf({ bytes: 1 }, ['output/bytes_0'])).toBeUndefined()
  expect(await problemOf({ atol: 1, bytes: 0 }, ['output/bytes_0'])).toBe('output/bytes_0[0] is 1, expected 1.5')
  expect(await problemOf({ grad: { atol: 0, rtol: 0.4 } }, ['grad/w'])).toBeUndefined()
})

test('the longest name holds, and a tensor of its own name before every group', async () => {
  const groups = { after: 0.1, 'after/G': 1 }
  expect(await problemOf(groups, ['output/after/G.w'])).toBeUndefined()
  const named = { atol_by_tensor: { 'output/after/G.w': 0.1 } }
  expect(await problemOf({ ...groups, ...named }, ['output/after/G.w'])).toBe('output/after/G.w[0] is 1, expected 1.5')
})

test("the case's word on a tensor holds before its target's", async () => {
  const ofTarget = () => ({ atol: 1, rtol: 0 })
  expect(await problemOf({}, ['output/bytes_0'], ofTarget)).toBeUndefined()
  expect(await problemOf({ bytes: 0.1 }, ['output/bytes_0'], ofTarget)).toBe('output/bytes_0[0] is 1, expected 1.5')
})

test('what names no tensor, or says nothing, is refused', async () => {
  expect(await problemOf({ rtol_by_tensor: 1 }, [])).toBe('nothing reads setting "tolerance.rtol_by_tensor"')
  expect(await problemOf({ bytes: 'few' }, [])).toBe('a.json: tolerance.bytes: must be a number, or atol and rtol')
  expect(await problemOf({ after: { atol: 1 } }, [])).toBe(
    'a.json: tolerance.after: must be a number, or atol and rtol',
  )
})

test('entries: the groups of the case hold for those without a tolerance of their own', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tenfold-tolerance-'))
  const entry = (name: string, tolerance?: Record<string, unknown>) => ({
    ...{ name, op: 'torch.nn.functional.relu', inputs: [`${name}/input/input`], outputs: [`${name}/output/y`] },
    ...(tolerance && { tolerance }),
  })
  const problems = async (ofCase: Record<string, unknown>, ofEntry?: Record<string, unknown>) => {
    const head = { format: 1, system: 'test', case: 'a', target: 'ops', tolerance: { atol: 0, rtol: 0, ...ofCase } }
    const cases = [entry('one'), entry('two', ofEntry)]
    await writeFile(join(folder, 'a.json'), JSON.stringify({ ...head, cases }))
    const tensors = ['one', 'two'].flatMap((name): [string, NDArray][] => [
      [`${name}/input/input`, numbers(1)],
      [`${name}/output/y`, numbers(1.5)],
    ])
    await writeFile(join(folder, 'a.safetensors'), writeSafetensors(tensors))
    const found: (string | undefined)[] = []
    for await (const { problem } of verify([folder], [])) found.push(problem)
    return found
  }
  expect(await problems({ y: 1 })).toEqual([undefined, undefined])
  expect(await problems({ y: 1 }, { atol: 0, rtol: 0 })).toEqual([undefined, 'two/output/y[0] is 1, expected 1.5'])
  expect(await problems({ z: 1 }, { atol: 0, rtol: 0, y: 1 })).toEqual([
    'nothing reads setting "tolerance.z"',
    'one/output/y[0] is 1, expected 1.5',
    undefined,
  ])
})
