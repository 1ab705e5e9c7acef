import { expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { AdamW } from '../../src/optim/index.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { float32Correction, float32Rates } from '../../src/verify/float32-adam.ts'

test('1 - beta^t in float32', () => {
  // numpy: float32(1) - float32(beta) ** float32(t)
  expect(float32Correction(0.999, 0)).toBe(0.0009999871253967285)
  expect(float32Correction(0.999, 2)).toBe(0.002996981143951416)
  expect(float32Correction(0.9, 0)).toBe(0.10000002384185791)
  expect(float32Correction(0, 0)).toBe(1)
})

test('AdamW with these rates updates as the formula with float32 corrections', async () => {
  const [betas, eps, decay] = [[0.9, 0.999] as const, 1e-6, 0.1]
  const rate = (step: number): number => 0.3 / (step + 1)
  const gradients = [0.02, -0.03, 0.05, 0.01]
  const weight = new Variable([1], { data: Float32Array.of(0.5), trainable: true })
  const { lr, weightDecay } = float32Rates(betas, rate)
  const optimizer = new AdamW([weight], { betas, eps, lr, weightDecay: weightDecay(decay) })
  const step = compile((gradient: Tensor) => void optimizer.update([gradient]), { threads: 1 })
  let [w, m, v] = [0.5, 0, 0]
  let largest = 0
  for (const [t, g] of gradients.entries()) {
    await step({ dtype: 'float32', shape: [1], data: Float32Array.of(g) })
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g * g
    const [first, second] = [float32Correction(betas[0], t), float32Correction(betas[1], t)]
    const before = w
    w -= rate(t) * (m / first / (Math.sqrt(v / second) + eps) + decay * w)
    // Relative to the update: double precision is off by 6e-6.
    largest = Math.max(largest, Math.abs((weight.array.data[0] as number) - w) / Math.abs(w - before))
  }
  expect(largest).toBeLessThan(1.5e-6)
  await step.release()
})
