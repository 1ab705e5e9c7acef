/** Addresses of the page: behind the `#`, so that reloading and the back button work without the server. */

export const runTabs = ['charts', 'pictures', 'report', 'use', 'settings', 'log'] as const

export type RunTab = (typeof runTabs)[number]

export type Route =
  | { readonly page: 'list' }
  | { readonly page: 'run'; readonly id: string; readonly tab: RunTab }
  | { readonly page: 'compare'; readonly ids: readonly string[] }
  /** `name`: the form of this recipe or job; `like`: with the settings of this run. */
  | { readonly page: 'new'; readonly name: string; readonly like: string }

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Reads `#/run/ID/TAB`, `#/compare/ID,ID`, `#/new/RECIPE`; anything else is the list. */
export function parseRoute(hash: string): Route {
  const [page, first = '', second = ''] = hash.replace(/^#?\/?/, '').split('/')
  if (page === 'run' && first !== '') {
    return { page, id: decoded(first), tab: runTabs.find((tab) => tab === second) ?? 'charts' }
  }
  if (page === 'compare') return { page, ids: first.split(',').filter(Boolean).map(decoded) }
  if (page === 'new') return { page, name: decoded(first), like: decoded(second) }
  return { page: 'list' }
}

const part = encodeURIComponent

export function formatRoute(route: Route): string {
  if (route.page === 'run') return `#/run/${part(route.id)}${route.tab === 'charts' ? '' : `/${route.tab}`}`
  if (route.page === 'compare') return `#/compare/${route.ids.map(part).join(',')}`
  if (route.page === 'new') return `#/new/${[route.name, route.like].filter(Boolean).map(part).join('/')}`
  return '#/'
}
