import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { MissingPackageError } from '../util/errors.ts'

function missing(name: string, purpose: string, cause: unknown): MissingPackageError {
  return new MissingPackageError(`${purpose} needs the package ${name}, which is not installed`, {
    hint: `npm install ${name}`,
    cause,
  })
}

/** Imports an optional package where it is first needed. Throws a MissingPackageError if it is not there or can't run here. */
export async function importPackage<T>(name: string, purpose: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') throw missing(name, purpose, error)
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error)
    throw new MissingPackageError(`${purpose} needs the package ${name}, which can't be loaded: ${reason}`, {
      hint: `npm install ${name}`,
      cause: error,
    })
  }
}

/** Throws a MissingPackageError that names every package of `names` that is not installed, and what to type: before work begins. */
export function requirePackages(names: readonly string[], purpose: string): void {
  const require = createRequire(import.meta.url)
  const missing = names.filter((name) => {
    try {
      require.resolve(`${name}/package.json`)
      return false
    } catch (error) {
      // A package need not show its package.json.
      return error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND'
    }
  })
  if (missing.length === 0) return
  throw new MissingPackageError(`${purpose} needs packages that are not installed: ${missing.join(', ')}`, {
    hint: `npm install ${missing.join(' ')}`,
  })
}

/** The folder of an installed package; undefined if it is not there. */
export function installedFolder(name: string): string | undefined {
  try {
    return packageFolder(name, '')
  } catch {
    return undefined
  }
}

/** The folder of an installed package. Throws a MissingPackageError if it is not there. */
export function packageFolder(name: string, purpose: string): string {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
  } catch (error) {
    throw missing(name, purpose, error)
  }
}

/** The version of an installed package. Throws a MissingPackageError if it is not there. */
export function packageVersion(name: string, purpose: string): string {
  const { version } = JSON.parse(readFileSync(join(packageFolder(name, purpose), 'package.json'), 'utf8')) as {
    version: string
  }
  return version
}
