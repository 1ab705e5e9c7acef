/** What a joint embedding shows of itself: its views, and whether its embeddings have collapsed. Data in, figures out. */
import type { Figure, Section, Table } from '../../report/figures.ts'
import { picturesOf } from '../../report/from-tensors.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { sizes } from '../../tensor/shape.ts'
import type { Spread } from './collapse.ts'
import { declarations } from './methods/index.ts'

/** What the figures are drawn from. */
export interface EmbeddingFindings {
  /** uint8 [N, C, H, W] */
  readonly pictures: NDArray
  /** Views of them in [-1, 1]: [N, C, h, w] each. */
  readonly views: readonly NDArray[]
  /** [M, D] */
  readonly embeddings: NDArray
  readonly spread: Spread
}

/** Values over their number, from 1 on. */
const curve = (values: readonly number[]) => values.map((y, i) => ({ x: i + 1, y }))

/** Sections of the report of a run. */
export function explainEmbeddings({ pictures, views, embeddings, spread }: EmbeddingFindings): Section[] {
  const [count, width] = sizes(embeddings.shape, 2)
  const greatest = spread.singular_values[0] ?? 1
  const figures: Figure[] = [
    {
      kind: 'lines',
      title: 'Singular values of the embeddings',
      caption: `Of ${count} test pictures, over the greatest. A collapse to one point, line or plane leaves one, two or three of them; of ${width} dimensions about ${spread.rankme.toFixed(1)} are used.`,
      x: { label: 'singular value' },
      y: { label: 'size', log: true },
      series: [{ name: 'embeddings', points: curve(spread.singular_values.map((value) => value / greatest)) }],
    },
    {
      kind: 'lines',
      title: 'Spread of each dimension',
      caption: `Standard deviation over the test pictures, of embeddings brought to length 1, in falling order: ${spread.std_ref.toFixed(3)} where they lie in all directions alike, 0 of embeddings that are all equal.`,
      x: { label: 'dimension' },
      y: { label: 'standard deviation' },
      series: [
        { name: 'found', points: curve(spread.std_per_dim.toSorted((a, b) => b - a)) },
        { name: 'without a collapse', points: curve(spread.std_per_dim.map(() => spread.std_ref)) },
      ],
    },
  ]
  return [
    {
      title: 'What is compared',
      intro:
        'Views of one picture are to have the same embedding. What differs between them is what the representation forgets.',
      figures: [
        { kind: 'pictures', title: 'Pictures', pictures: picturesOf(pictures) },
        ...views.map(
          (view, i): Figure => ({ kind: 'pictures', title: `View ${i + 1}`, pictures: picturesOf(view, [-1, 1]) }),
        ),
      ],
    },
    { title: 'Has it collapsed?', figures },
  ]
}

/** The taxonomy of methods, as each declares it. */
export function taxonomyTable(): Table {
  return {
    kind: 'table',
    title: 'Methods of self-supervised learning',
    columns: ['method', 'architecture', 'remedy', 'energy', 'loss', 'what prevents a collapse'],
    rows: declarations.map(({ title, architecture, remedy, energy, loss, collapse }) => [
      title,
      architecture,
      remedy,
      energy,
      loss,
      collapse,
    ]),
  }
}
