// Runs a measurement of `bench/forms/`, which is TypeScript: `node scripts/forms.js matmul-forms [arguments]`.
import { createViteServer } from 'vitest/node'

const [name = ''] = process.argv.splice(2, 1)
const server = await createViteServer({ server: { middlewareMode: true, hmr: false, ws: false }, logLevel: 'error' })
await server.ssrLoadModule(`/bench/forms/${name}.ts`)
await server.close()
