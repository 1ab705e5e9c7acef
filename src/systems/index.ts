/** All systems, loaded. The checks and the studio use this list. */
import { loadSystems } from './registry.ts'

export { addSystem } from './registry.ts'

/** Those of tenfold, and then those that were added. */
export const systems = await loadSystems()
