/** `tenfold/report`: figures as data, plots as SVG, one page with everything inside. */
export type * from '../report/figures.ts'
export { pictureSheet, picturesOf } from '../report/from-tensors.ts'
export { renderFigureSvg, renderReport } from '../report/render.ts'
