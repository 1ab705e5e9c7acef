/** The real part of a 2-D Fourier transform: direct products, four steps, a chirp, ONNX's DFT. `node scripts/forms.js fourier-forms`. Decision: docs/decisions/012-fourier.md. */
import { compile } from '../../src/compile/compile.ts'
import { chirpTransform } from '../../src/ops/fourier/chirp.ts'
import { directTransform, factorsOf, fourStepTransform } from '../../src/ops/fourier/forms.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { describeTimes, measure, takeTurns, threads } from './measure.ts'

for (const [batch, tokens, width] of [
  [32, 64, 128],
  [16, 128, 256],
  [8, 256, 256],
  [4, 500, 256],
  [4, 512, 256],
  [4, 512, 768],
  [4, 511, 768],
  [4, 509, 768],
  [2, 1021, 256],
  [2, 1024, 256],
  [1, 2039, 256],
  [1, 4093, 256],
  [1, 4096, 256],
  [1, 8191, 256],
  [1, 8192, 256],
] as const) {
  const shape = [batch, tokens, width]
  const dft =
    tokens > 512
      ? {}
      : await measure({
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
  const run = (transform: (x: Tensor) => Tensor) => compile(() => y.assign(transform(x.value)), { threads })
  const factors = factorsOf(tokens)
  const products = {
    direct: run(directTransform),
    chirp: run(chirpTransform),
    ...(factors[1] > 1 && { [`${factors.join(' x ')}`]: run((x) => fourStepTransform(x, factors)) }),
  }
  console.log(`[${shape}]: ${describeTimes({ ...(await takeTurns(products)), ...dft })}`)
}
