/** Figures as data: what systems explain themselves with. The report and the studio draw them. */

/** A named line or cloud of points. */
export interface Series {
  readonly name: string
  readonly points: readonly { readonly x: number; readonly y: number; readonly label?: string }[]
  /** Also draw a smoothed line over the pale raw one: for noisy losses. */
  readonly smooth?: boolean
}

interface Titled {
  readonly title: string
  /** One or two sentences that say what to see. */
  readonly caption?: string
}

export interface Axis {
  readonly label: string
  readonly log?: boolean
  /** Values are fractions, shown in percent. */
  readonly percent?: boolean
}

export interface LinePlot extends Titled {
  readonly kind: 'lines'
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
}

export interface ScatterPlot extends Titled {
  readonly kind: 'scatter'
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
}

export interface BarPlot extends Titled {
  readonly kind: 'bars'
  readonly value: Axis
  readonly bars: readonly { readonly label: string; readonly value: number }[]
}

/** counts[label][predicted] */
export interface ConfusionMatrix extends Titled {
  readonly kind: 'confusion'
  readonly classes: readonly string[]
  readonly counts: readonly (readonly number[])[]
}

/** 8-bit pixels, row by row. */
export interface Picture {
  readonly pixels: Uint8Array
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  readonly caption?: string
}

export interface PictureGrid extends Titled {
  readonly kind: 'pictures'
  readonly pictures: readonly Picture[]
  /** Width of a picture on the page, in CSS pixels. */
  readonly size?: number
}

/** Small matrices, each coloured on a diverging scale around 0 that ends at its own largest absolute value. */
export interface HeatmapGrid extends Titled {
  readonly kind: 'heatmaps'
  readonly matrices: readonly {
    readonly values: ArrayLike<number>
    readonly width: number
    readonly height: number
    readonly caption?: string
  }[]
  readonly size?: number
}

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

export type Figure =
  | LinePlot
  | ScatterPlot
  | BarPlot
  | ConfusionMatrix
  | PictureGrid
  | HeatmapGrid
  | Table
  | Definitions
  | Text

/** A part of a report. */
export interface Section {
  readonly title: string
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
