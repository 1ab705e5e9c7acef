/** The report of a detector: scenes with what was found, and COCO's numbers. */
import type { Picture, Section, Table } from '../../../report/figures.ts'
import {
  type CocoMetrics,
  cocoMetrics,
  type FoundObject,
  type Judged,
} from '../../../tasks/detection/average-precision.ts'
import { canvasOf, type Drawn, drawObjects, enlarged, pictureOf } from '../../../tasks/detection/draw.ts'
import type { OpenedScenes } from '../../../tasks/detection/examples.ts'
import type { DetectionFacts } from '../../../tasks/detection/facts.ts'
import { toNumbers } from '../../../tensor/dtype.ts'
import { percent } from '../../../util/words.ts'

/** Detections below are not drawn. */
export const shownFrom = 0.5

/** `cat 0.98` */
export function drawnObject({ category, score, box, mask }: FoundObject, labels: readonly string[]): Drawn {
  return {
    category,
    box,
    label: `${labels[category] ?? category} ${score.toFixed(2)}`,
    ...(mask && { mask }),
  }
}

const described: Readonly<Record<keyof CocoMetrics, string>> = {
  AP: 'AP, overlap 0.50 to 0.95',
  AP50: 'AP, overlap 0.50',
  AP75: 'AP, overlap 0.75',
  APs: 'AP, objects below 32 x 32',
  APm: 'AP, up to 96 x 96',
  APl: 'AP, larger',
  AR1: 'recall, 1 detection a picture',
  AR10: 'recall, 10',
  AR100: 'recall, 100',
  ARs: 'recall, objects below 32 x 32',
  ARm: 'recall, up to 96 x 96',
  ARl: 'recall, larger',
}

const precisionText = (value: number | undefined): string => (value === undefined || value < 0 ? '-' : percent(value))

function numbersTable(judged: readonly Judged[], labels: readonly string[], hasMasks: boolean): Table {
  const boxes = cocoMetrics(judged, labels.length, 'box')
  const masks = hasMasks ? cocoMetrics(judged, labels.length, 'mask') : undefined
  return {
    kind: 'table',
    title: "COCO's twelve numbers",
    caption: 'Means over the categories, on the test pictures. -: there is no such object.',
    columns: ['number', 'boxes', ...(masks ? ['masks'] : [])],
    rows: Object.entries(described).map(([name, text]) => [
      text,
      precisionText(boxes[name as keyof CocoMetrics]),
      ...(masks ? [precisionText(masks[name as keyof CocoMetrics])] : []),
    ]),
  }
}

/** AP of each category alone. */
function categoryTable(judged: readonly Judged[], labels: readonly string[]): Table {
  const of = (category: number): CocoMetrics => {
    const only = <T extends { readonly category: number }>(list: readonly T[]): T[] =>
      list.filter((each) => each.category === category).map((each) => ({ ...each, category: 0 }))
    return cocoMetrics(
      judged.map(({ truth, found }) => ({ truth: only(truth), found: only(found) })),
      1,
      'box',
    )
  }
  return {
    kind: 'table',
    title: 'By category',
    columns: ['category', 'objects', 'AP', 'AP, overlap 0.50'],
    rows: labels.map((label, category) => {
      const { AP, AP50 } = of(category)
      const count = judged.reduce(
        (sum, { truth }) => sum + truth.filter((each) => each.category === category).length,
        0,
      )
      return [label, count, precisionText(AP), precisionText(AP50)]
    }),
  }
}

/** Sections on what was found in the test pictures. */
export async function sceneSections(
  judged: readonly Judged[],
  { test, truth }: Pick<OpenedScenes, 'test' | 'truth'>,
  { labels, image_size: [height, width] }: DetectionFacts,
  hasMasks: boolean,
): Promise<Section[]> {
  const shown = Array.from({ length: Math.min(8, test.length) }, (_, i) => i)
  const { image } = await test.batch(shown, { epoch: 0, seed: 0 })
  const pixels = Uint8Array.from(toNumbers(image.data))
  const times = Math.max(1, Math.round(320 / width))
  const pictures: Picture[] = []
  for (const i of shown) {
    const { scale } = await truth(i)
    const drawn = (judged[i]?.found ?? [])
      .filter(({ score }) => score >= shownFrom)
      .map((each) => drawnObject(each, labels))
      .map((each) => (scale === 1 ? each : withoutMask(each, scale)))
    const canvas = canvasOf(pixels.subarray(i * 3 * height * width, (i + 1) * 3 * height * width), width, height, times)
    drawObjects(
      canvas,
      drawn.map((each) => enlarged(each, times)),
    )
    pictures.push(pictureOf(canvas, `${judged[i]?.truth.length ?? 0} objects, ${drawn.length} found`))
  }
  return [
    {
      title: 'What it finds',
      figures: [
        {
          kind: 'pictures',
          title: 'Test pictures',
          caption: `Detections with scores from ${shownFrom} on.`,
          pictures,
          size: 320,
        },
        numbersTable(judged, labels, hasMasks),
        categoryTable(judged, labels),
      ],
    },
  ]
}

/** Detections are in the pixels of the original picture, the report shows what the network saw. */
function withoutMask({ mask: _, box: [x, y, w, h], ...rest }: Drawn, scale: number): Drawn {
  return { ...rest, box: [x * scale, y * scale, w * scale, h * scale] }
}
