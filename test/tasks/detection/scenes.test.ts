import { expect, test } from 'vitest'
import { canvasOf, drawObjects } from '../../../src/tasks/detection/draw.ts'
import type { Drawing } from '../../../src/tasks/detection/drawings.ts'
import { sceneDataset } from '../../../src/tasks/detection/examples.ts'
import { boxOfMask, maskArea } from '../../../src/tasks/detection/masks.ts'
import { composedScenes, composeScene } from '../../../src/tasks/detection/scenes.ts'

/** A red disc. */
const disc: Drawing = (() => {
  const side = 20
  const inside = (i: number): boolean => Math.hypot((i % side) - 9.5, Math.floor(i / side) - 9.5) < 10
  const alpha = Uint8Array.from({ length: side * side }, (_, i) => (inside(i) ? 255 : 0))
  return {
    category: 1,
    side,
    alpha,
    pixels: Uint8Array.from({ length: 3 * side * side }, (_, i) => (i < 400 ? 250 : 0)),
  }
})()

const rules = { size: 64, objects: 3, sides: [0.3, 0.5], seed: 1 } as const

test('boxes and masks are those of the painted pixels', () => {
  for (let i = 0; i < 5; i++) {
    const { pixels, objects } = composeScene([disc], rules, i)
    expect(objects.length).toBeGreaterThan(0)
    for (const { box, mask, area } of objects) {
      if (!mask) throw new Error('no mask')
      expect(boxOfMask(mask)).toEqual(box)
      expect(maskArea(mask)).toBe(area)
      const [x, y, w, h] = box
      const middle = Math.floor(y + h / 2) * 64 + Math.floor(x + w / 2)
      if (mask.pixels[middle]) expect([pixels[middle], pixels[64 * 64 + middle]]).toEqual([250, 0])
    }
  }
  expect(composeScene([disc], rules, 3)).toEqual(composeScene([disc], rules, 3))
})

test('a data set has places for objects, and mirrors pictures with them', async () => {
  const data = sceneDataset(composedScenes([disc], rules, 8), [64, 64], 2, true)
  const batch = await data.batch([0, 1, 2, 3], { epoch: 0, seed: 0 })
  expect(batch.boxes.shape).toEqual([4, 2, 4])
  const classes = Array.from(batch.classes.data as Int32Array)
  expect(classes.every((value) => value === 1 || value === -1)).toBe(true)
  for (let place = 0; place < 8; place++) {
    if (classes[place] !== 1) continue
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = [...batch.boxes.data].slice(4 * place, 4 * place + 4).map(Number)
    const pixels = (batch.masks.data as Uint8Array).slice(place * 4096, (place + 1) * 4096)
    expect(boxOfMask({ pixels, width: 64, height: 64 })).toEqual([x1, y1, x2 - x1, y2 - y1])
  }
})

test('boxes, masks and names are drawn', () => {
  const canvas = canvasOf(new Uint8Array(3 * 40 * 30), 40, 30)
  const mask = { pixels: new Uint8Array(1200).fill(1), width: 40, height: 30 }
  drawObjects(canvas, [{ box: [10, 12, 20, 12], category: 0, label: 'Cat 0.9', mask }])
  const at = (x: number, y: number): number[] => [...canvas.pixels.slice(3 * (y * 40 + x), 3 * (y * 40 + x) + 3)]
  expect(at(10, 20)).toEqual([230, 60, 60]) // the frame
  expect(at(15, 20)).toEqual([104, 27, 27]) // the mask, over black
  expect([...canvas.pixels].filter((value) => value === 255).length).toBeGreaterThan(20) // letters
})
