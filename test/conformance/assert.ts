/** What the checks of a runtime assert with: they run in a browser, too. */
import { TenfoldError } from '../../src/util/errors.ts'

/** Fails unless two values have the same JSON. */
export function equal(found: unknown, expected: unknown): void {
  const [a, b] = [found, expected].map((value) => JSON.stringify(value))
  if (a !== b) throw new Error(`expected ${b}, found ${a}`)
}

/** Fails unless all numbers differ by at most `tolerance`. */
export function close(found: readonly number[], expected: readonly number[], tolerance = 1e-5): void {
  const differences = expected.map((value, i) => Math.abs(value - (found[i] ?? Number.NaN)))
  if (found.length !== expected.length || !differences.every((difference) => difference <= tolerance))
    throw new Error(`expected ${expected.join(', ')}, found ${found.join(', ')}`)
}

/** `Name: message` of the TenfoldError that an action throws. */
export async function toldBy(action: () => unknown): Promise<string> {
  try {
    await action()
  } catch (error) {
    if (error instanceof TenfoldError) return `${error.name}: ${error.message.split('\n', 1)[0]}`
    throw error
  }
  throw new Error('nothing was thrown')
}
