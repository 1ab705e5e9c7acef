/** Signal ops beside torchaudio, librosa and SciPy: `test/fixtures/signal/make.py` wrote what they gave. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import { readSafetensors } from '../../../src/io/safetensors.ts'
import * as ops from '../../../src/ops/index.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { type Tensor, tensor } from '../../../src/tensor/tensor.ts'

interface Case {
  readonly op: string
  readonly args: readonly unknown[]
  readonly expected: string
  readonly source: string
}

const folder = new URL('../../fixtures/signal/', import.meta.url)
const { cases } = JSON.parse(readFileSync(new URL('signal.json', folder), 'utf8')) as {
  readonly cases: readonly Case[]
}
const { tensors } = readSafetensors(readFileSync(new URL('signal.safetensors', folder)))
const arrayOf = (name: string) => {
  const array = tensors.get(name)
  if (!array) throw new Error(`the fixtures have no tensor ${name}`)
  return array
}

const isInput = (arg: unknown): arg is { readonly input: string } =>
  typeof arg === 'object' && arg !== null && 'input' in arg

const title = ({ source, args }: Case): string => `${source} ${JSON.stringify(args)}`

describe.each([...new Set(cases.map(({ op }) => op))])('%s', (op) => {
  test.each(cases.filter((entry) => entry.op === op).map((entry) => [title(entry), entry] as const))(
    '%s',
    async (_title, { args, expected }) => {
      const call = Reflect.get(ops, op) as (...args: readonly unknown[]) => Tensor
      const run = compile(() => call(...args.map((arg) => (isInput(arg) ? tensor(arrayOf(arg.input)) : arg))))
      const { array } = await run()
      await run.release()
      const wanted = arrayOf(expected)
      expect(array.shape).toEqual(wanted.shape)
      const [found, numbers] = [toNumbers(array.data), toNumbers(wanted.data)]
      const largest = Math.max(...numbers.map(Math.abs))
      // float32 beside float32, of sums whose largest part may be as large as the largest result.
      const wrong = numbers.flatMap((value, i) => {
        const error = Math.abs((found[i] ?? Number.NaN) - value)
        return error <= 2e-5 * Math.abs(value) + 1e-6 * largest ? [] : [`[${i}]: ${found[i]}, expected ${value}`]
      })
      expect(wrong).toEqual([])
    },
  )
})
