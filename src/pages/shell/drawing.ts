/** What drawings of the pages share: they follow the page when it turns dark or light. */

const darkScheme = '(prefers-color-scheme: dark)'

export function isDark(): boolean {
  return matchMedia(darkScheme).matches
}

/** Calls back whenever the page turns dark or light; returns what ends that. */
export function onScheme(redraw: () => void): () => void {
  const scheme = matchMedia(darkScheme)
  scheme.addEventListener('change', redraw)
  return () => scheme.removeEventListener('change', redraw)
}

/** Reads the page's colours (`--ink`) as they are at an element. */
export function colorsAt(element: Element): (name: string) => string {
  const style = getComputedStyle(element)
  return (name) => style.getPropertyValue(name).trim()
}

/** How axes of plots look. */
export function axisStyle(color: (name: string) => string) {
  return {
    stroke: color('--soft'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui',
  }
}
