import { expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/index.ts'
import { Adagrad, Adam, AdamW, type Optimizer, RMSprop, SGD } from '../../src/optim/index.ts'
import { toNumbers } from '../../src/tensor/dtype.ts'
import { Variable } from '../../src/tensor/variable.ts'

const shapes = [[3], [], [2, 3], [5], [70, 80], [4, 1]]

function variables(): Variable[] {
  return shapes.map((shape, i) => {
    const size = shape.reduce((product, length) => product * length, 1)
    const data = Float32Array.from({ length: size }, (_, j) => Math.sin(i + 0.7 * j))
    return new Variable(shape, { data, name: `p${i}` })
  })
}

/** Three updates; values of parameters and state by name. */
async function trained(make: (parameters: Variable[]) => Optimizer[]): Promise<Map<string, number[]>> {
  const parameters = variables()
  const optimizers = make(parameters)
  const step = compile(() => {
    for (const optimizer of optimizers) {
      const terms = optimizer.parameters.map(({ value }) => ops.sum(ops.pow(value, 3)))
      optimizer.minimize(terms.reduce((total, term) => ops.add(total, term)))
    }
    return {}
  })
  for (let i = 0; i < 3; i++) await step()
  await step.release()
  const state = optimizers.flatMap((optimizer) => [...optimizer.variables()])
  return new Map(
    [...parameters.map((parameter) => [parameter.name, parameter] as const), ...state].map(([name, { array }]) => [
      name,
      toNumbers(array.data),
    ]),
  )
}

test.each<[string, (parameters: Variable[]) => Optimizer]>([
  ['SGD', (parameters) => new SGD(parameters, { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 })],
  ['Adam', (parameters) => new Adam(parameters, { lr: 0.1, amsgrad: true, maximize: true })],
  ['AdamW', (parameters) => new AdamW(parameters, { lr: 0.1 })],
  ['RMSprop', (parameters) => new RMSprop(parameters, { lr: 0.1, momentum: 0.5, centered: true })],
  ['Adagrad', (parameters) => new Adagrad(parameters, { lr: 0.1 })],
])('%s: small parameters together are as each by itself, bit for bit', async (_, make) => {
  const together = await trained((parameters) => [make(parameters)])
  const alone = await trained((parameters) => parameters.map((parameter) => make([parameter])))
  expect(together).toEqual(alone)
})

test('a dozen small parameters take no more kernels than four, but for joining them', async () => {
  const nodes = async (count: number): Promise<number> => {
    const parameters = Array.from({ length: count }, () => new Variable([8], { data: new Float32Array(8).fill(1) }))
    const optimizer = new Adam(parameters, { lr: 0.1 })
    const step = compile(() => {
      optimizer.update(parameters.map(({ value }) => value))
      return {}
    })
    await step()
    const { nodes: found = Number.NaN } = step.program?.statistics ?? {}
    await step.release()
    return found
  }
  expect(await nodes(12)).toBe(await nodes(4))
})
