import { expect, test } from 'vitest'
import { checkConvolution, convolutionSection } from '../../../src/systems/fnet/convolution.ts'

test.each([
  [1, 1],
  [7, 3],
  [16, 5],
  [32, 8],
])(
  'two mixings of %i tokens of width %i are a circular convolution, one is one with a chirp',
  async (tokens, width) => {
    const check = await checkConvolution(tokens, width, 3)
    expect(check.convolutionError).toBeLessThan(2e-6)
    expect(check.chirpError).toBeLessThan(2e-6)
    expect(convolutionSection(check).figures).toHaveLength(3)
  },
)
