/** The real part of a 2-D Fourier transform: products or ONNX's DFT. `node scripts/forms.js fourier-forms`. Decision: docs/decisions/012-fourier.md. */
import { compile } from '../../src/compile/compile.ts'
import { fft2Real } from '../../src/ops/index.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { describeTimes, measure, takeTurns, threads } from './measure.ts'

for (const [batch, tokens, width] of [
  [32, 64, 128],
  [8, 128, 256],
  [8, 512, 768],
  [8, 511, 768],
] as const) {
  const shape = [batch, tokens, width]
  const dft = await measure({
    title: '',
    inputs: [shape],
    outputs: [shape],
    forms: {
      DFT: (emit, [x = '']) => {
        const complex = emit.node('Reshape', [x, emit.ints([...shape, 1])])
        const wide = emit.node('DFT', [complex, '', emit.scalar(2, 'int64')])
        const both = emit.node('DFT', [wide, '', emit.scalar(1, 'int64')])
        const real = emit.node('Slice', [both, emit.ints([0]), emit.ints([1]), emit.ints([3])])
        return emit.node('Reshape', [real, emit.ints(shape)])
      },
    },
  })
  const [x, y] = [
    new Variable(shape, { data: new Float32Array(batch * tokens * width).fill(0.5) }),
    new Variable(shape),
  ]
  const products = compile(() => y.assign(fft2Real(x.value)), { threads })
  const times = { ...(await takeTurns({ products })), ...dft }
  console.log(`[${shape}]: ${describeTimes(times)}`)
}
