/** What the report of a mini CLIP shows: held-out drawings with the names it finds, and texts with the drawings it finds. */
import type { Picture, Section } from '../../report/figures.ts'
import { picturesOf } from '../../report/from-tensors.ts'
import { dot } from '../../util/vectors.ts'
import type { ClipExperiment } from './clip/contrastive.ts'
import type { OpenedPairs } from './pairs/open.ts'

/** Held-out drawings on the page. */
const shown = 36

/** The names in the order of their cosine with a picture. */
export function namesFor(
  picture: Float64Array,
  names: readonly Float64Array[],
): readonly { readonly index: number; readonly cosine: number }[] {
  return names.map((name, index) => ({ index, cosine: dot(picture, name) })).sort((a, b) => b.cosine - a.cosine)
}

/** Sections of the report. */
export async function explainPairs(
  clip: Pick<ClipExperiment, 'readTexts' | 'seePictures' | 'facts'>,
  { test }: OpenedPairs,
): Promise<Section[]> {
  const { names: words } = clip.facts
  const rows = [...Array(Math.min(shown, test.length)).keys()]
  const { image, label } = await test.batch(rows, { epoch: 0, seed: 0 })
  const [pictures, names] = [await clip.seePictures(image), await clip.readTexts(words)]
  const labels = label.data as Int32Array
  const captioned = picturesOf(image).map((picture, i): Picture => {
    const [best] = namesFor(pictures[i] ?? new Float64Array(), names)
    const [found, right] = [words[best?.index ?? 0] ?? '', words[labels[i] ?? 0] ?? '']
    return { ...picture, right: found === right, caption: found === right ? found : `${found} (${right})` }
  })
  return [
    {
      title: 'Names for drawings it has never seen',
      intro: `The nearest of ${words.length.toLocaleString('en')} names by cosine; in brackets the right one. Another artist's drawings of these things were trained on.`,
      figures: [
        { kind: 'pictures', title: 'Held-out drawings', pictures: captioned },
        similarityMatrix(pictures, labels, names, words),
      ],
    },
  ]
}

/** Cosines of the first drawings with their names: the right ones lie on the diagonal. */
function similarityMatrix(
  pictures: readonly Float64Array[],
  labels: ArrayLike<number>,
  names: readonly Float64Array[],
  words: readonly string[],
): Section['figures'][number] {
  const count = Math.min(12, pictures.length)
  const rows = Array.from({ length: count }, (_, i) => {
    const picture = pictures[i] ?? new Float64Array()
    const cosines = Array.from({ length: count }, (_c, j) => dot(picture, names[labels[j] ?? 0] ?? picture))
    return [words[labels[i] ?? 0] ?? '', ...cosines.map((value) => Number(value.toFixed(2)))]
  })
  return {
    kind: 'table',
    title: 'Cosines of drawings (rows) and names (columns)',
    columns: ['drawing', ...Array.from({ length: count }, (_, j) => words[labels[j] ?? 0] ?? '')],
    rows,
  }
}
