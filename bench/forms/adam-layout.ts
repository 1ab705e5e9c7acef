/** How Adam's update is best laid out: `node scripts/forms.js adam-layout`. Decision: docs/decisions/002. */
import { compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/kit.ts'
import { elementCount } from '../../src/tensor/dtype.ts'
import type { Shape } from '../../src/tensor/shape.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { Generator } from '../../src/util/random.ts'

const block: readonly Shape[] = [
  ...[[256], [256], [768, 256], [768], [256, 256], [256]],
  ...[[256], [256], [1024, 256], [1024], [256, 1024], [256]],
]
/** A transformer of 3.4 M parameters in 53 tensors. */
const shapes: readonly Shape[] = [[784, 256], ...Array(4).fill(block).flat(), [256], [256], [10, 256], [10]]

interface Values {
  readonly weight: Tensor
  readonly gradient: Tensor
  readonly mean: Tensor
  readonly square: Tensor
}
type Rule = (values: Values, stepSize: Tensor, epsilon: Tensor) => Values

const [beta1, beta2] = [0.9, 0.999]

function step(weight: Tensor, mean: Tensor, square: Tensor, stepSize: Tensor, epsilon: Tensor): Tensor {
  return ops.sub(weight, ops.mul(ops.div(mean, ops.add(ops.sqrt(square), epsilon)), stepSize))
}

const documented: Rule = ({ weight, gradient, mean, square }, stepSize, epsilon) => {
  const m = ops.add(ops.mul(mean, beta1), ops.mul(gradient, 1 - beta1))
  const v = ops.add(ops.mul(square, beta2), ops.mul(ops.mul(gradient, gradient), 1 - beta2))
  return { weight: step(weight, m, v, stepSize, epsilon), gradient, mean: m, square: v }
}

const folded: Rule = ({ weight, gradient, mean, square }, stepSize, epsilon) => {
  const m = ops.add(ops.mul(mean, beta1), gradient)
  const v = ops.add(ops.mul(square, beta2), ops.mul(gradient, gradient))
  return { weight: step(weight, m, v, stepSize, epsilon), gradient, mean: m, square: v }
}

const generator = new Generator(1)
const variable = (shape: Shape): Variable => new Variable(shape, { data: generator.uniform(elementCount(shape)) })

/** Tensors of a group with more than one are joined into one vector for the update. */
function build(rule: Rule, groups: readonly (readonly number[])[]) {
  const [weights, gradients] = [shapes.map(variable), shapes.map(variable)]
  const scalars = [new Variable([], { data: Float32Array.of(1e-4) }), new Variable([], { data: Float32Array.of(1e-8) })]
  const states = groups.map((members) => {
    const sizes = members.map((i) => elementCount(shapes[i] ?? []))
    const shape = members.length === 1 ? (shapes[members[0] ?? 0] ?? []) : [sizes.reduce((a, b) => a + b, 0)]
    return { members, sizes, mean: variable(shape), square: variable(shape) }
  })
  return compile(
    () => {
      const [stepSize, epsilon] = scalars.map(({ value }) => value) as [Tensor, Tensor]
      for (const { members, sizes, mean, square } of states) {
        const join = (list: readonly Variable[]): Tensor => {
          const tensors = members.map((i) => (list[i] as Variable).value)
          if (tensors.length === 1) return tensors[0] as Tensor
          return ops.concat(tensors.map((tensor) => ops.reshape(tensor, [tensor.size])))
        }
        const values = { weight: join(weights), gradient: join(gradients), mean: mean.value, square: square.value }
        const next = rule(values, stepSize, epsilon)
        mean.assign(next.mean)
        square.assign(next.square)
        const parts = members.length === 1 ? [next.weight] : ops.split(next.weight, sizes, 0)
        for (const [k, i] of members.entries()) weights[i]?.assign(ops.reshape(parts[k] as Tensor, shapes[i] as Shape))
      }
    },
    { threads: 2 },
  )
}

const each = shapes.map((_, i) => [i])
const isSmall = (i: number): boolean => elementCount(shapes[i] ?? []) <= 4096
const smallJoined = [...each.filter(([i]) => !isSmall(i ?? 0)), shapes.flatMap((_, i) => (isSmall(i) ? [i] : []))]
const layouts = [
  { name: 'documented, each tensor', run: build(documented, each) },
  { name: 'folded, each tensor', run: build(folded, each) },
  { name: 'folded, tensors up to 4096 joined', run: build(folded, smallJoined) },
  { name: 'folded, all joined', run: build(folded, [each.flat()]) },
].map((layout) => ({ ...layout, times: [] as number[] }))

for (let round = 0; round < 200; round++) {
  for (const { run, times } of layouts) {
    const start = performance.now()
    await run()
    times.push(performance.now() - start)
  }
}
console.log(`${shapes.reduce((sum, shape) => sum + elementCount(shape), 0)} parameters, ${shapes.length} tensors`)
for (const { name, times, run } of layouts) {
  const sorted = times.slice(5).sort((a, b) => a - b)
  const at = (share: number): string => (sorted[Math.floor(share * sorted.length)] ?? 0).toFixed(1)
  console.log(`${name}: best ${at(0)}, tenth ${at(0.1)}, median ${at(0.5)} ms; ${run.program?.statistics.nodes} nodes`)
  await run.release()
}
