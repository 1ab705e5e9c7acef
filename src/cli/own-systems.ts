/** Systems of one's own: `tenfold --system FILE COMMAND ...`. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { System } from '../systems/define.ts'
import { UsageError } from '../util/errors.ts'

const flag = '--system'

/** The arguments without `--system FILE`, which may come several times and in any place, and the files. */
export function takeSystems(args: readonly string[]): { readonly rest: string[]; readonly files: string[] } {
  const [rest, files]: [string[], string[]] = [[], []]
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? ''
    if (arg.startsWith(`${flag}=`)) files.push(arg.slice(flag.length + 1))
    else if (arg !== flag) rest.push(arg)
    else if (args[i + 1] === undefined) throw new UsageError(`${flag} needs a file`, { hint: `${flag} ./my-system.js` })
    else files.push(args[++i] ?? '')
  }
  return { rest, files }
}

function isSystem(value: unknown): value is System {
  if (typeof value !== 'object' || value === null) return false
  const { name, title, paper, recipes, jobs } = value as Partial<Record<keyof System, unknown>>
  const isText = [name, title, paper].every((text) => typeof text === 'string')
  return isText && [recipes, jobs].some(Array.isArray)
}

/** Imports the modules and adds the systems that they export. Throws a UsageError if one cannot be read, or exports none. */
export async function addSystemsOf(files: readonly string[]): Promise<void> {
  if (files.length === 0) return
  const { addSystem } = await import('../systems/registry.ts')
  for (const file of files) {
    if (!existsSync(file)) throw new UsageError(`${file}: no such file`)
    const found: Readonly<Record<string, unknown>> = await import(pathToFileURL(resolve(file)).href).catch(
      (error: unknown) => {
        const [reason] = (error instanceof Error ? error.message : String(error)).split('\n', 1)
        const isTypeScript = error instanceof Error && 'code' in error && error.code === 'ERR_UNKNOWN_FILE_EXTENSION'
        throw new UsageError(`${file}: cannot be loaded: ${reason}`, {
          cause: error,
          hint: isTypeScript
            ? 'Node 22.18 and newer read TypeScript; give what tsc makes of it'
            : `node ${file} tells where`,
        })
      },
    )
    const systems = Object.values(found).filter(isSystem)
    if (systems.length === 0)
      throw new UsageError(`${file} exports no system`, {
        hint: "export const mine = defineSystem({ ... }), of 'tenfold/systems'",
      })
    for (const system of systems) addSystem(system)
  }
}
