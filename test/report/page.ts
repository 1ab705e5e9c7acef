/** What the report's tests share: pages are rendered, then read back as documents. */
import { parseHTML } from 'linkedom'
import type { Figure, Report } from '../../src/report/figures.ts'
import { renderReport } from '../../src/report/render.ts'

/** A report around some figures. */
export function reportOf(figures: readonly Figure[], rest: Partial<Report> = {}): Report {
  return { title: 'mixer / mnist', summary: [], sections: [{ title: 'Training', figures }], ...rest }
}

/** The document of a report's page. */
export async function pageOf(report: Report): Promise<Document> {
  return parseHTML(await renderReport(report)).document
}

/** The elements of the one figure of a page. */
export async function figureOf(figure: Figure): Promise<Element> {
  const [element] = (await pageOf(reportOf([figure]))).querySelectorAll('figure')
  if (!element) throw new Error('the page has no figure')
  return element
}

/** The words of all elements that a selector finds. */
export function texts(parent: Element | Document, selector: string): string[] {
  return [...parent.querySelectorAll(selector)].map((element) => element.textContent?.trim() ?? '')
}

/** The PNG file of a picture inside a page. */
export function pngOf(image: Element | null | undefined): Uint8Array {
  const source = image?.getAttribute('src') ?? ''
  return Buffer.from(source.replace('data:image/png;base64,', ''), 'base64')
}
