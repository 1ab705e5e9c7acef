import type { Variable } from '../tensor/variable.ts'

/**
 * A distinct name for each parameter, for the state that belongs to it: its own, or its position in the list where it has
 * none or shares it (parameters of several models).
 */
export function parameterNames(parameters: readonly Variable[]): string[] {
  const counts = new Map<string, number>()
  for (const { name } of parameters) counts.set(name, (counts.get(name) ?? 0) + 1)
  return parameters.map(({ name }, i) => (name !== '' && counts.get(name) === 1 ? name : String(i)))
}
