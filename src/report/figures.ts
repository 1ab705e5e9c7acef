/** Figures as data, which systems give to explain themselves. The report draws them. */

interface Titled {
  readonly title: string
  /** One or two sentences that say what the figure shows; `code` between backticks. */
  readonly caption?: string
}

/** What an axis shows and how. */
export interface Axis {
  readonly label: string
  /** Logarithmic; values that are not positive are left out, and the caption says so. */
  readonly log?: boolean
  /** Values are fractions (1 = 100 %), shown in percent. */
  readonly percent?: boolean
}

/** A point of a series; `label` is written next to it in a scatter plot. */
export interface Point {
  readonly x: number
  readonly y: number
  readonly label?: string
}

/** A named line or cloud of points. Points that are not finite are left out, and the caption says so. */
export interface Series {
  readonly name: string
  readonly points: readonly Point[]
}

/** A line, its points in the order of x. */
export interface LineSeries extends Series {
  /** Draw the line as it is in pale and a smoothed one over it: for noisy losses. Default: false. */
  readonly smooth?: boolean
  /** Mark the point of the lowest or highest y with its value. Default: no mark. */
  readonly best?: 'min' | 'max'
}

/** A cloud of points, or a path where `connected` (default: false). */
export interface PointSeries extends Series {
  readonly connected?: boolean
}

/** Lines over a common x: losses, accuracies, learning rates. */
export interface LinePlot extends Titled {
  readonly kind: 'lines'
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly LineSeries[]
}

/** Points with labels: accuracy against compute, embeddings. */
export interface ScatterPlot extends Titled {
  readonly kind: 'scatter'
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly PointSeries[]
}

/** Horizontal bars from 0, in the given order. */
export interface BarPlot extends Titled {
  readonly kind: 'bars'
  readonly value: Axis
  readonly bars: readonly { readonly label: string; readonly value: number }[]
}

/** What is drawn as SVG. */
export type PlotFigure = LinePlot | ScatterPlot | BarPlot

/** `counts[label][predicted]` for every pair of classes. Throws a ShapeError when drawn unless it is square. */
export interface ConfusionMatrix extends Titled {
  readonly kind: 'confusion'
  readonly classes: readonly string[]
  readonly counts: readonly (readonly number[])[]
}

/** 8-bit pixels, `[height, width, channels]` row-major. */
export interface Picture {
  readonly pixels: Uint8Array
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  readonly caption?: string
  /** Frames the picture as a right or a wrong answer. Default: no frame. */
  readonly right?: boolean
}

/** Pictures in reading order, their pixels kept sharp. */
export interface PictureGrid extends Titled {
  readonly kind: 'pictures'
  readonly pictures: readonly Picture[]
  /** Width of a picture on the page, in CSS pixels. Default: the whole multiple of its own width nearest to 84. */
  readonly size?: number
}

/** A small matrix of any numbers. */
export interface Matrix {
  /** `[height, width]` row-major; with `channels: 3` it is `[3, height, width]`, red, green, blue, as weights are stored. */
  readonly values: ArrayLike<number>
  readonly width: number
  readonly height: number
  /** Default: 1. */
  readonly channels?: 1 | 3
  readonly caption?: string
}

/**
 * Small matrices as tiles: one channel on a diverging scale, negative blue, 0 the paper, positive red; three channels as
 * colours from the least to the greatest value.
 */
export interface HeatmapGrid extends Titled {
  readonly kind: 'heatmaps'
  readonly matrices: readonly Matrix[]
  /** Where the scale ends: at each matrix's own largest absolute value, or at that of all. Default: 'each'. */
  readonly scale?: 'each' | 'shared'
  /** Greatest width of a tile on the page, in CSS pixels. Default: 52. */
  readonly size?: number
}

/** Rows of cells. Columns of numbers stand right-aligned, with the same number of decimals. */
export interface Table extends Titled {
  readonly kind: 'table'
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
}

/** Pairs of a name and a value: configurations, versions. */
export interface Definitions extends Titled {
  readonly kind: 'definitions'
  readonly items: readonly { readonly name: string; readonly value: string }[]
}

/** Paragraphs; `code` between backticks. */
export interface Text extends Titled {
  readonly kind: 'text'
  readonly paragraphs: readonly string[]
}

/** A running text whose pieces are shaded by a number: how long a character is remembered, how probable it was. */
export interface ShadedText extends Titled {
  readonly kind: 'shaded'
  /** In reading order; `value` 0: no shade. It is shown where one points at the piece. */
  readonly pieces: readonly { readonly text: string; readonly value: number }[]
  /** The value of the full shade. Default: the greatest. */
  readonly most?: number
}

export type Figure = PlotFigure | ConfusionMatrix | PictureGrid | HeatmapGrid | Table | Definitions | Text | ShadedText

/** A part of a report. */
export interface Section {
  readonly title: string
  /** A paragraph; `code` between backticks. */
  readonly intro?: string
  readonly figures: readonly Figure[]
}

/** A whole page. */
export interface Report {
  readonly title: string
  readonly subtitle?: string
  /** The few numbers a reader came for. */
  readonly summary: readonly { readonly label: string; readonly value: string; readonly note?: string }[]
  readonly sections: readonly Section[]
  readonly footer?: string
}
