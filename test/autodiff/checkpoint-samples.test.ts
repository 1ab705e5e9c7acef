/** A gradient that looks at the values of the first computation would keep them, and a checkpoint would save nothing. */
import { expect, test } from 'vitest'
import { checkpoint } from '../../src/autodiff/checkpoint.ts'
import { vectorJacobianProduct } from '../../src/autodiff/gradient.ts'
import { nodesBetween, topologicalNodes } from '../../src/autodiff/graph.ts'
import * as ops from '../../src/ops/kit.ts'
import { constant, type Tensor } from '../../src/tensor/tensor.ts'
import { record } from '../../src/tensor/trace.ts'
import { tables } from '../support/composites.ts'
import { randomNumbers, sampleArray } from '../support/gradients.ts'

/** Names of the ops of a sample's first computation that its gradients need, once it is checkpointed. */
function keptOps(sample: ops.Sample): string[] {
  const random = randomNumbers(3)
  const arrays = sample.inputs.map((input) => sampleArray(input, random))
  const { result } = record(
    () => {
      const inputs = arrays.map(({ data, shape, dtype }) => constant(data, shape, dtype))
      let inside = new Set<unknown>()
      const outputs = checkpoint(
        (...entries: Tensor[]) => {
          const values = [sample.call(...entries)].flat() as Tensor[]
          inside = new Set(nodesBetween(new Set(entries), values))
          return values
        },
        ...inputs,
      ).filter(({ dtype }) => dtype === 'float32')
      const targets = inputs.filter(({ dtype }) => dtype === 'float32')
      const gradients = vectorJacobianProduct(
        outputs,
        outputs.map(({ shape }) => ops.ones(shape)),
        targets,
      )
      return topologicalNodes(gradients).flatMap((node) => (inside.has(node) ? [node.op.name] : []))
    },
    { tuned: true },
  )
  return result
}

const samples = [...tables.values()].flatMap((table) => Object.entries(table.samples))
const primitives = Object.entries(ops).flatMap(([name, value]): [string, readonly ops.Sample[]][] =>
  ops.isOpDefinition(value) && value.gradient ? [[name, value.samples()]] : [],
)

test.each([...samples, ...primitives])('%s', (_, list) => {
  for (const sample of list) expect(keptOps(sample)).toEqual([])
})

test.each([
  { name: 'kept blocks', shape: [1, 300, 2], options: { causal: true } },
  { name: 'blocks that are computed again', shape: [4100, 2], options: { causal: true } },
  { name: "the runtime's kernel", shape: [1100, 2], options: {} },
  { name: "the runtime's kernel and blocks", shape: [4100, 2], options: {} },
])('attention: $name', ({ shape, options }) => {
  const call = (q: Tensor, k: Tensor): Tensor => ops.scaledDotProductAttention(q, k, k, options)
  expect(keptOps({ inputs: [shape, shape], call })).toEqual([])
})
