/** Forms of involutions and of their kernels' gradient: `node scripts/forms.js involution-forms`. Decision: docs/decisions/051-involution.md. */
import { type Cut, inBlocks } from '../../src/ops/involution/blocks.ts'
import { type Form, type InvolutionAttributes, involutionOf } from '../../src/ops/involution/geometry.ts'
import { byShifts, gradientByShifts } from '../../src/ops/involution/shifts.ts'
import { byTiles, gradientByTiles } from '../../src/ops/involution/tiles.ts'
import { type Contest, report } from './measure.ts'

/** [batch, channels, channels of a group, side, kernel, stride] */
const layers = [
  [8, 64, 16, 56, 7, 1],
  [8, 64, 16, 56, 5, 1],
  [8, 64, 16, 56, 3, 1],
  [8, 128, 16, 28, 7, 1],
  [8, 128, 16, 56, 7, 2],
  [8, 256, 16, 14, 7, 1],
  [8, 512, 16, 7, 7, 1],
  [8, 256, 16, 14, 3, 1],
  [64, 32, 16, 16, 5, 1],
  [8, 64, 4, 28, 7, 1],
  [8, 64, 1, 28, 7, 1],
  [8, 64, 64, 28, 7, 1],
] as const

for (const [batch, channels, inGroup, side, kernel, stride] of layers) {
  const after = side / stride
  const [x, y] = [
    [batch, channels, side, side],
    [batch, channels, after, after],
  ]
  const kernels = [batch, channels / inGroup, kernel, kernel, after, after]
  const before = (kernel - 1) / 2
  const attributes: InvolutionAttributes = { stride: [stride, stride], before: [before, before], dilation: [1, 1] }
  const involution = involutionOf(x, kernels, attributes)
  const forms = (named: Record<string, Form>, cut: Cut): Contest['forms'] =>
    Object.fromEntries(
      Object.entries(named).flatMap(([name, form]) => [
        [`${name}, whole`, (emit, [a = '', b = '']) => form(emit, involution, a, b)],
        [`${name}, blocks`, (emit, [a = '', b = '']) => inBlocks(emit, involution, [a, b], form, cut)],
      ]),
    )
  const title = `${batch}x${channels} (${inGroup}) x${side}, kernel ${kernel}, stride ${stride}`
  await report(
    {
      title,
      inputs: [x, kernels],
      outputs: [y],
      forms: forms({ shifts: byShifts, tiles: byTiles }, { otherRows: 4, resultRows: 2, size: 524_288 }),
    },
    0.5,
  )
  await report(
    {
      title: '  gradient of the kernels',
      inputs: [x, y],
      outputs: [kernels],
      forms: forms(
        { shifts: gradientByShifts, tiles: gradientByTiles },
        { otherRows: 2, resultRows: 4, size: 524_288 },
      ),
    },
    0.5,
  )
}
