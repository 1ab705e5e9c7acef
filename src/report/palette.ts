/** Colours of the page: one set for light paper, one for dark, as CSS variables that plots and page share. */

/** Series colours in the order they are given out; text in any of them reads well on its paper (contrast 4.5 or more). */
const series = {
  light: ['#1b62ad', '#c2410c', '#0a7a5c', '#97368a', '#876000', '#566273'],
  dark: ['#6db3f8', '#ff9d5c', '#45cfa4', '#e58fd4', '#e2b53e', '#a9b5c4'],
}

const base = {
  light: { paper: '#ffffff', ink: '#17202b', soft: '#566273', line: '#e2e6eb', wash: '#f5f7f9' },
  dark: { paper: '#10151b', ink: '#e6ebf1', soft: '#9ba8b7', line: '#2a333d', wash: '#1a2129' },
}

/** CSS declarations of all colour variables. */
export function colorVariables(theme: 'light' | 'dark'): string {
  const named = Object.entries(base[theme]).map(([name, color]) => `--${name}:${color}`)
  return [...named, ...series[theme].map((color, i) => `--series-${i}:${color}`)].join(';')
}

/** The colour of the `index`-th series, as a CSS value. */
export function seriesColor(index: number): string {
  return `var(--series-${index % series.light.length})`
}

/** Series beyond the sixth repeat the colours, dashed. */
export function seriesDash(index: number): string | undefined {
  return index < series.light.length ? undefined : '5 3'
}
