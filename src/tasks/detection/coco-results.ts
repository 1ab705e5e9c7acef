/** Detections in COCO's format beside its annotations, judged: what `pycocotools` prints. */
import { type CocoMetrics, cocoMetrics, type FoundObject, type Judged } from './average-precision.ts'
import { type CocoFile, maskOfSegmentation, truthOf } from './coco-file.ts'

/** A detection as COCO's results files have it. */
export interface CocoResult {
  readonly image_id: number
  readonly category_id: number
  readonly bbox: readonly [number, number, number, number]
  readonly score: number
  readonly segmentation?: CocoFile['annotations'][number]['segmentation']
}

/** The twelve numbers for the detections of a file. */
export function judgeResults(
  { images, annotations, categories }: CocoFile,
  results: readonly CocoResult[],
  of: 'box' | 'mask',
): CocoMetrics {
  const numbers = new Map(categories.map(({ id }, i) => [id, i] as const))
  const pictures = images
    .toSorted((a, b) => a.id - b.id)
    .map((image): Judged => {
      const own = annotations.filter(({ image_id }) => image_id === image.id)
      const found = results.flatMap((result): FoundObject[] => {
        if (result.image_id !== image.id) return []
        const mask = of === 'mask' ? maskOfSegmentation(result.segmentation, image) : undefined
        const { bbox: box, score } = result
        return [{ box, score, category: numbers.get(result.category_id) ?? -1, ...(mask && { mask }) }]
      })
      return { truth: truthOf({ ...image, annotations: own }, numbers, 1).objects, found }
    })
  return cocoMetrics(pictures, categories.length, of)
}
