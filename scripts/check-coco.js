// Compares average precision with pycocotools on the cases of scripts/check_coco.py: node scripts/check-coco.js FILE
import { readFileSync } from 'node:fs'

const { judgeResults } = await import('../dist/tasks/detection/coco-results.js')
const { maskArea } = await import('../dist/tasks/detection/masks.js')
const { maskOfSegmentation } = await import('../dist/tasks/detection/coco-file.js')

const cases = JSON.parse(readFileSync(process.argv[2] ?? 'test/cases/coco/cases.json', 'utf8'))
let worst = 0
for (const { seed, truth, results, expected, areas } of cases) {
  const sizes = new Map(truth.images.map((image) => [image.id, image]))
  for (const [i, { segmentation, image_id }] of truth.annotations.entries()) {
    const found = maskArea(maskOfSegmentation(segmentation, sizes.get(image_id)))
    if (found !== areas[i]) throw new Error(`seed ${seed}, object ${i}: ${found} pixels, pycocotools ${areas[i]}`)
  }
  for (const [kind, of] of [
    ['bbox', 'box'],
    ['segm', 'mask'],
  ]) {
    for (const [i, value] of Object.values(judgeResults(truth, results, of)).entries()) {
      const apart = Math.abs(value - expected[kind][i])
      worst = Math.max(worst, apart)
      if (!(apart <= 1e-6))
        throw new Error(`seed ${seed}, ${kind}, number ${i}: ${value}, pycocotools ${expected[kind][i]}`)
    }
  }
}
console.log(`${cases.length} cases: boxes and masks as pycocotools, greatest difference ${worst.toExponential(1)}`)
