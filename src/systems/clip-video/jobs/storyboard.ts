/** The page of a video: each line with its key picture, how the score rose, what CLIP sees where, and the way to the next line. */
import type { Figure, LineSeries, Picture, Report } from '../../../report/figures.ts'
import { drawScene, sceneOf } from '../video/film.ts'
import { between, blendWeights } from '../video/interpolation.ts'
import type { MadeLine } from '../video/keys.ts'
import { seenGrid } from '../video/line.ts'
import type { Seer, VideoGenerator } from '../video/models.ts'

/** Pictures of an interpolation strip. */
const stripLength = 9
/** Classes that are named. */
const namedClasses = 3

const wordsOf = ({ part, phrases }: MadeLine): string =>
  part === 'line' ? phrases.join(' | ') : `${part}: ${phrases.join(' | ')}`

/** The classes that a line's latents are made of, averaged over the layers. */
function classesOf({ made }: MadeLine, { rows, classes, labels }: VideoGenerator): string {
  if (!labels || classes === 0) return ''
  const means = labels.map((label, k) => {
    let sum = 0
    for (let row = 0; row < rows; row++) sum += made.classes[row * classes + k] ?? 0
    return { label, share: sum / rows }
  })
  const strongest = means.sort((a, b) => b.share - a.share).slice(0, namedClasses)
  return strongest.map(({ label, share }) => `${label} ${share.toFixed(2)}`).join(', ')
}

/** The picture with what CLIP sees: bright where cutouts fit the words, dark where they do not. */
function seenOver(picture: Picture, seen: readonly number[]): Picture {
  const [least, most] = [Math.min(...seen), Math.max(...seen)]
  const { width, height } = picture
  const pixels = picture.pixels.map((value, i) => {
    const [y, x] = [Math.floor(i / 3 / width), Math.floor(i / 3) % width]
    const at = Math.floor((y * seenGrid) / height) * seenGrid + Math.floor((x * seenGrid) / width)
    const share = most > least ? ((seen[at] ?? least) - least) / (most - least) : 1
    return Math.round(value * (0.15 + 0.85 * share))
  })
  return { ...picture, pixels, caption: `${least.toFixed(3)} to ${most.toFixed(3)}` }
}

/** What the page says besides. */
export interface StoryboardOptions {
  readonly title: string
  readonly facts: Readonly<Record<string, string>>
}

/** The page. */
export async function storyboard(
  lines: readonly MadeLine[],
  generator: VideoGenerator,
  seer: Seer,
  { title, facts }: StoryboardOptions,
): Promise<Report> {
  const { side } = generator
  const framed = (pixels: Uint8Array, caption?: string): Picture => ({
    pixels,
    width: side,
    height: side,
    channels: 3,
    ...(caption !== undefined && { caption }),
  })
  const scenes = lines.map(({ made }) => sceneOf(made))
  const keys = await Promise.all(scenes.map((scene) => drawScene(generator, scene)))
  const sections: { title: string; intro: string; figures: Figure[] }[] = []
  for (const [i, line] of lines.entries()) {
    const { made, time } = line
    const [key, own, next] = [keys[i], scenes[i], scenes[i + 1]]
    if (!key || !own) continue
    const strip: Picture[] = []
    for (const weight of next ? blendWeights(stripLength) : [])
      strip.push(framed(await drawScene(generator, between(own, next ?? own, weight))))
    const classes = classesOf(line, generator)
    const points = made.curve.map((y, x) => ({ x: x + 1, y }))
    const series: LineSeries[] = [{ name: 'mean cosine of the cutouts', points, smooth: true }]
    sections.push({
      title: `${time.toFixed(2)} s: ${wordsOf(line)}`,
      intro: `Mean cosine over 64 cutouts ${made.before.toFixed(3)} at the start, ${made.after.toFixed(3)} at the end.${classes === '' ? '' : ` Classes: ${classes}.`}`,
      figures: [
        {
          kind: 'pictures',
          title: 'Key picture, and what CLIP sees of it',
          caption: 'Right: bright where cutouts fit the words better than elsewhere.',
          pictures: [framed(key, line.caption), seenOver(framed(key), made.seen)],
          size: 160,
        },
        ...(points.length > 1
          ? [{ kind: 'lines' as const, title: 'Score', x: { label: 'step' }, y: { label: 'cosine' }, series }]
          : []),
        ...(strip.length > 0
          ? [{ kind: 'pictures' as const, title: 'The way to the next line', pictures: strip, size: 64 }]
          : []),
      ],
    })
  }
  const mean = (pick: (line: MadeLine) => number): number =>
    lines.reduce((sum, line) => sum + pick(line), 0) / Math.max(1, lines.length)
  return {
    title,
    subtitle: `${generator.name}, seen by ${seer.name}`,
    summary: [
      { label: 'Key pictures', value: String(lines.length) },
      {
        label: 'Mean cosine',
        value: mean(({ made }) => made.after).toFixed(3),
        note: `at the start ${mean(({ made }) => made.before).toFixed(3)}`,
      },
      ...(facts.length === undefined ? [] : [{ label: 'Length', value: facts.length.split(',')[0] ?? '' }]),
    ],
    sections: [
      {
        title: 'Storyboard',
        figures: [
          {
            kind: 'pictures',
            title: 'Key pictures',
            pictures: keys.map((pixels, i) => framed(pixels, lines[i] && wordsOf(lines[i]))),
            size: 112,
          },
          {
            kind: 'definitions',
            title: 'How it was made',
            items: Object.entries(facts).map(([name, value]) => ({ name, value })),
          },
        ],
      },
      ...sections,
    ],
    footer: 'Cosines are those of the CLIP that guided: it is not an independent judge. Written by tenfold.',
  }
}
