/** Plain records. */

/** A record of the same names with `change(value, name)` for each value. */
export function mapValues<Name extends string, From, To>(
  record: Readonly<Record<Name, From>>,
  change: (value: From, name: Name) => To,
): Record<Name, To> {
  const entries = Object.entries<From>(record).map(([name, value]) => [name, change(value, name as Name)] as const)
  // The names are those of `record`.
  return Object.fromEntries(entries) as Record<Name, To>
}
