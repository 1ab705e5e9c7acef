/** Fourier mixing as convolution: checks the identities and writes the page. `node scripts/forms.js fourier-convolution [FOLDER]`. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../../src/io/atomic.ts'
import { renderReport } from '../../src/report/render.ts'
import { checkConvolution, convolutionSection } from '../../src/systems/fnet/convolution.ts'

const folder = process.argv[2] ?? 'runs/fourier-convolution'
for (const [tokens, width] of [
  [64, 16],
  [127, 9],
] as const) {
  const { convolutionError, chirpError } = await checkConvolution(tokens, width)
  console.log(
    `[${tokens}, ${width}]: two mixings against the convolution ${convolutionError.toExponential(1)}, one against the chirp ${chirpError.toExponential(1)}`,
  )
}
const html = await renderReport({
  title: 'FNet: Fourier mixing as convolution',
  summary: [],
  sections: [convolutionSection(await checkConvolution(64, 16))],
})
await mkdir(folder, { recursive: true })
await writeFileAtomic(join(folder, 'convolution.html'), Buffer.from(html))
console.log(`wrote ${join(folder, 'convolution.html')}`)
