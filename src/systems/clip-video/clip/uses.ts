/** What one does with a mini CLIP: name pictures among any texts, and find drawings for a text. */
import { z } from 'zod'
import { decodeImage } from '../../../data/sources/image.ts'
import type { Picture, Section } from '../../../report/figures.ts'
import { answerEach, defineUse } from '../../../tasks/define.ts'
import { whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { dot } from '../../../util/vectors.ts'
import { namesFor } from '../explain.ts'
import type { OpenedPairs } from '../pairs/open.ts'
import { meanDirection } from '../pairs/retrieval.ts'
import { inPrompt, promptTemplates } from '../pairs/texts.ts'
import type { ClipExperiment } from './contrastive.ts'

const ensembleOption = z
  .boolean()
  .default(true)
  .describe('each text in several sentences (prompt ensemble), or as it is')

/** Features of each text: the mean direction of all prompts, or the text alone. */
async function textFeatures(
  clip: ClipExperiment,
  texts: readonly string[],
  ensemble: boolean,
): Promise<Float64Array[]> {
  if (!ensemble) return clip.readTexts(texts)
  const all = await clip.readTexts(promptTemplates.flatMap((template) => texts.map((text) => inPrompt(template, text))))
  return texts.map((_, i) => meanDirection(promptTemplates.flatMap((_t, t) => all[t * texts.length + i] ?? [])))
}

/** Texts with commas between. Throws a UsageError for an empty one, or one that stands twice: each would take a share. */
function readLabels(text: string): string[] {
  const labels = text.split(',').map((label) => label.trim())
  if (labels.includes(''))
    throw new UsageError(`predict: labels has an empty text, found ${JSON.stringify(text)}`, {
      hint: 'texts with single commas between: --labels "a fox,a red apple"',
    })
  const twice = labels.find((label, i) => labels.indexOf(label) !== i)
  if (twice !== undefined) throw new UsageError(`predict: labels has ${JSON.stringify(twice)} twice`)
  return labels
}

const predictOptions = z.strictObject({
  labels: z
    .string()
    .default('')
    .describe('texts to choose from, with commas between; empty: the names of all drawings'),
  top: whole.default(3).describe('texts to name, at most'),
  ensemble: ensembleOption,
})

/** The use `predict`: zero-shot classification, softmax of exp(logit_scale) times the cosines. */
export const predictNames = defineUse<ClipExperiment, z.infer<typeof predictOptions>>({
  summary: 'which of any texts fits a picture best (zero-shot)',
  inputs: 'FILE...',
  options: predictOptions,
  run: async function* (clip, files, { labels, top, ensemble }) {
    const { facts, model } = clip
    const texts = labels === '' ? facts.names : readLabels(labels)
    const features = await textFeatures(clip, texts, ensemble)
    const scale = Math.exp(Number(model.logit_scale.data[0]))
    yield* answerEach(files, async (file) => {
      const picture = await decodeImage(file, { size: facts.size, background: 'white' })
      const [seen = new Float64Array()] = await clip.seePictures({ ...picture, shape: [1, ...picture.shape] })
      const ranked = namesFor(seen, features)
      const total = ranked.reduce((sum, { cosine }) => sum + Math.exp(scale * (cosine - (ranked[0]?.cosine ?? 0))), 0)
      const choices = ranked.slice(0, top).map(({ index, cosine }) => ({
        label: texts[index] ?? '',
        probability: Math.exp(scale * (cosine - (ranked[0]?.cosine ?? 0))) / total,
      }))
      return [{ input: file, choices }]
    })
  },
})

const retrieveOptions = z.strictObject({
  top: whole.default(8).describe('drawings to find for each text'),
  among: z.enum(['held-out', 'all']).default('held-out').describe('drawings never trained on, or all of them'),
  ensemble: ensembleOption,
})

/** The use `retrieve`: the drawings nearest to a text. */
export const retrieveDrawings = defineUse<ClipExperiment, z.infer<typeof retrieveOptions>, OpenedPairs>({
  summary: 'the drawings that fit a text best, and a page with them',
  inputs: '"a red apple" ...',
  options: retrieveOptions,
  run: async function* (clip, texts, { top, among, ensemble }, { openData, writePage }) {
    const nothing = texts.find((text) => text.trim() === '')
    if (nothing !== undefined)
      throw new UsageError(`retrieve: needs texts, found ${JSON.stringify(nothing)}`, { hint: 'such as "a red apple"' })
    const { drawings: all, held } = await openData()
    const numbers = among === 'all' ? [...all.drawings.keys()] : held
    const { size, onWhite } = all
    const bytes = 3 * size * size
    const pixels = new Uint8Array(numbers.length * bytes)
    for (const [i, n] of numbers.entries()) pixels.set(onWhite.subarray(n * bytes, (n + 1) * bytes), i * bytes)
    const seen = await clip.seePictures({ dtype: 'uint8', shape: [numbers.length, 3, size, size], data: pixels })
    const sections: Section[] = []
    for (const text of texts) {
      const { unknown } = (await clip.tokenizer()).read(text)
      const [feature = new Float64Array()] = await textFeatures(clip, [text], ensemble)
      const ranked = seen
        .map((picture, i) => ({ i, cosine: dot(picture, feature) }))
        .sort((a, b) => b.cosine - a.cosine)
      const found = ranked.slice(0, top).map(({ i, cosine }) => {
        const drawing = all.drawings[numbers[i] ?? 0]
        return { i, cosine, name: all.things[drawing?.thing ?? 0]?.name ?? '', style: drawing?.style ?? '' }
      })
      const told = unknown.length > 0 ? ` (never read, left out: ${unknown.join(' ')})` : ''
      yield { input: text, text: found.map(({ name, cosine }) => `${name} ${cosine.toFixed(2)}`).join(', ') + told }
      const pictures = found.map(
        ({ i, name, cosine, style }): Picture => ({
          pixels: interleaved(pixels.subarray(i * bytes, (i + 1) * bytes), size),
          width: size,
          height: size,
          channels: 3,
          caption: `${name} (${style}) ${cosine.toFixed(2)}`,
        }),
      )
      sections.push({ title: text, figures: [{ kind: 'pictures', title: 'Nearest drawings', pictures }] })
    }
    const report = { title: 'Drawings for texts', summary: [], sections }
    yield { file: await writePage('retrieve.html', report) }
  },
})

/** [3, s, s] -> [s, s, 3] */
function interleaved(planes: Uint8Array, size: number): Uint8Array {
  const area = size * size
  return Uint8Array.from({ length: 3 * area }, (_, i) => planes[(i % 3) * area + Math.floor(i / 3)] ?? 0)
}
