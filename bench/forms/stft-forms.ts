/** Transforms of frames, mel spectrograms and their gradients: factors and times. `node scripts/forms.js stft-forms`. Decision: docs/decisions/017-signal-transforms.md. */
import { vectorJacobianProduct } from '../../src/autodiff/gradient.ts'
import { compile } from '../../src/compile/compile.ts'
import { formOf, type Transform, transformRows } from '../../src/ops/fourier/rows.ts'
import * as ops from '../../src/ops/index.ts'
import type { Shape } from '../../src/tensor/shape.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { RandomStream } from '../../src/util/random.ts'
import { describeTimes, takeTurns } from './measure.ts'

// One thread and few numbers: other programs interrupt short runs seldom.
const threads = 1
const [signals, length] = [2, 16000]

const random = (shape: Shape): Variable =>
  new Variable(shape, {
    data: new RandomStream(1).normal(
      0,
      0,
      shape.reduce((product, size) => product * size, 1),
    ),
  })

/** Computes tensors into variables, so that results are not copied. */
function into(parts: () => readonly (Tensor | undefined)[]) {
  const results: Variable[] = []
  return compile(
    () => {
      for (const [i, part] of parts().entries()) {
        if (!part) continue
        results[i] ??= new Variable(part.shape)
        results[i].assign(part)
      }
    },
    { threads },
  )
}

for (const [nFft, hopLength] of [
  [256, 64],
  [400, 160],
  [512, 128],
  [1024, 256],
  [2048, 512],
] as const) {
  const waves = random([signals, length])
  const rows = random([1, nFft, 1 + Math.floor((signals * length) / hopLength)])
  const half: Transform = { size: nFft, sign: -1, given: nFft, from: 1, kept: nFft / 2 + 1, to: 2 }
  const mel = (): Tensor => ops.melSpectrogram(waves.value, { nFft, hopLength, nMels: 80 })
  const times = await takeTurns({
    rows: into(() => [transformRows(rows.value, half)]),
    stft: into(() => Object.values(ops.stft(waves.value, nFft, { hopLength, window: ops.hannWindow(nFft) }))),
    mel: into(() => [mel()]),
    'mel and gradient': into(() => {
      const y = mel()
      return [y, ...vectorJacobianProduct([y], [ops.onesLike(y)], [waves.value])]
    }),
  })
  const form = formOf(half)
  const outer = form.kind === 'split' ? ` (outer factor ${form.outer})` : ''
  console.log(`${nFft}, every ${hopLength}: ${form.kind}${outer}, ${describeTimes(times)}`)
}
