import { expect, test } from 'vitest'
import { gradient } from '../../src/autodiff/gradient.ts'
import { compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/index.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'

test('a target that depends on another target passes its gradient on, as in PyTorch', async () => {
  const run = compile((x: Tensor) => {
    const y = ops.mul(x, 3)
    const loss = ops.sum(ops.add(ops.mul(y, y), x)) // 9 x^2 + x
    return gradient(loss, [x, y, x])
  })
  const [byX, byY, again] = await run(tensor([2]))
  expect([await byX.numbers(), await byY.numbers(), await again.numbers()]).toEqual([[37], [12], [37]])
  await run.release()
})

test('no gradient flows through the update of a variable', async () => {
  const w = new Variable([1], { data: Float32Array.of(2), trainable: true })
  const run = compile(() => {
    const before = ops.sum(ops.mul(w, 5))
    w.assign(ops.mul(w, 10))
    const loss = ops.add(before, ops.sum(ops.mul(w, 7)))
    return gradient(loss, [w])
  })
  const [byW] = await run()
  expect(await byW.numbers()).toEqual([12])
  await run.release()
})
