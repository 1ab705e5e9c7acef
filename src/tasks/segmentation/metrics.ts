/** How much of each class is found: intersection over union, as mmseg computes it. */

/** Pixels by true and predicted class: `counts[label][predicted]`. */
export class PixelCounts {
  readonly counts: number[][]
  readonly #ignored: number

  constructor(classes: number, ignored = 255) {
    this.counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
    this.#ignored = ignored
  }

  /** Counts the pixels of pictures; those of the ignored label do not count. */
  add(labels: ArrayLike<number | bigint>, predicted: ArrayLike<number | bigint>): void {
    for (let i = 0; i < labels.length; i++) {
      const label = Number(labels[i])
      if (label === this.#ignored) continue
      const row = this.counts[label]
      const found = Number(predicted[i])
      if (row) row[found] = (row[found] ?? 0) + 1
    }
  }

  /** Intersection over union of each class; undefined for one that is neither there nor found. */
  get ious(): (number | undefined)[] {
    return this.counts.map((row, k) => {
      const inter = row[k] ?? 0
      const found = this.counts.reduce((sum, other) => sum + (other[k] ?? 0), 0)
      const union = row.reduce((sum, value) => sum + value, 0) + found - inter
      return union === 0 ? undefined : inter / union
    })
  }

  /** The mean over the classes that occur. */
  get meanIou(): number {
    const found = this.ious.filter((iou) => iou !== undefined)
    return found.length === 0 ? 0 : found.reduce((sum, iou) => sum + iou, 0) / found.length
  }

  /** Share of the pixels that are right. */
  get accuracy(): number {
    const total = this.counts.flat().reduce((sum, value) => sum + value, 0)
    return total === 0 ? 0 : this.counts.reduce((sum, row, k) => sum + (row[k] ?? 0), 0) / total
  }
}
