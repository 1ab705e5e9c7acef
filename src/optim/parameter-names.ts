import type { Variable } from '../tensor/variable.ts'

/**
 * A distinct name for each parameter, by which its state is stored: the parameter's own name, or its position in the list if it has no
 * name or shares it with another (parameters of several models).
 */
export function parameterNames(parameters: readonly Variable[]): string[] {
  const counts = new Map<string, number>()
  for (const { name } of parameters) counts.set(name, (counts.get(name) ?? 0) + 1)
  return parameters.map(({ name }, i) => (name !== '' && counts.get(name) === 1 ? name : String(i)))
}
