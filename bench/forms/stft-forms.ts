/** Short-time Fourier transforms of batches of signals, and their gradients. `node scripts/forms.js stft-forms`. Decision: docs/decisions/017-signal-transforms.md. */
import { vectorJacobianProduct } from '../../src/autodiff/gradient.ts'
import { compile } from '../../src/compile/compile.ts'
import { onesLike } from '../../src/ops/creation.ts'
import { squaredMagnitude } from '../../src/ops/fourier/complex.ts'
import { fft, rfft } from '../../src/ops/fourier/fft.ts'
import { formOf } from '../../src/ops/fourier/rows.ts'
import { istft, stft } from '../../src/ops/signal/stft.ts'
import { hannWindow } from '../../src/ops/signal/windows.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { RandomStream } from '../../src/util/random.ts'
import { describeTimes, takeTurns } from './measure.ts'

const threads = Number(process.env.T ?? 2)
for (const [batch, length, size, hop] of [
  [16, 16000, 400, 160],
  [16, 16000, 512, 128],
  [16, 16000, 1024, 256],
  [8, 32000, 2048, 512],
] as const) {
  const signal = new Variable([batch, length], { data: new RandomStream(1).normal(0, 0, batch * length) })
  const options = { hopLength: hop, window: hannWindow(size) }
  const outputs = new Map<string, Variable>()
  const stored = (name: string, value: Tensor): void => {
    const variable = outputs.get(name) ?? new Variable(value.shape)
    outputs.set(name, variable)
    variable.assign(value)
  }
  const run = (name: string, parts: () => readonly Tensor[]) =>
    compile(
      () => {
        for (const [i, part] of parts().entries()) stored(`${name} ${i}`, part)
      },
      { threads },
    )
  const spectrum = await compile(() => stft(signal.value, size, options))()
  const { real, imag } = spectrum
  const re = new Variable(real.shape, { data: real.array.data as Float32Array })
  const im = new Variable(imag.shape, { data: imag.array.data as Float32Array })
  console.log(size, JSON.stringify(formOf({ size, sign: -1, given: size, from: 1, kept: size / 2 + 1, to: 2 })))
  const count = batch * (1 + Math.floor(length / hop))
  const rows = new Variable([count, size], { data: new RandomStream(1).normal(0, 0, count * size) })
  const rows2 = new Variable([count, size], { data: new RandomStream(1).normal(0, 0, count * size) })
  const times = await takeTurns({
    stft: run('stft', () => Object.values(stft(signal.value, size, options))),
    'power and gradient': run('gradient', () => {
      const y = squaredMagnitude(stft(signal.value, size, options))
      return vectorJacobianProduct([y], [onesLike(y)], [signal.value]) as Tensor[]
    }),
    istft: run('istft', () => [istft({ real: re.value, imag: im.value }, size, options)]),
    rfft: run('rfft', () => Object.values(rfft(rows.value))),
    fft: run('fft', () => Object.values(fft({ real: rows.value, imag: rows2.value }))),
  })
  console.log(`${batch} x ${length}, ${size}, ${hop}: ${describeTimes(times)}`)
}
