/** How near a case's results must be: for all tensors, for groups of them that the case names, and for single ones. */
import { z } from 'zod'
import type { CaseTolerance } from './target.ts'

const both = z.strictObject({ atol: z.number(), rtol: z.number() })

/** Of a group: both numbers, or the absolute one alone, as for bytes. */
const ofGroup = z.union([z.number().transform((atol) => ({ atol, rtol: 0 })), both], {
  error: 'must be a number, or atol and rtol',
})

/** The `tolerance` of a case, or of an entry. */
export const tolerances = z
  .object({
    atol: z.number(),
    rtol: z.number(),
    // By full name, in place of `atol`: smaller ones for tensors of small values, larger ones where float32 cancels.
    atol_by_tensor: z.record(z.string(), z.number()).default({}),
  })
  .catchall(ofGroup)
  .transform(({ atol, rtol, atol_by_tensor, ...groups }) => ({
    general: { atol, rtol },
    atolByTensor: atol_by_tensor,
    // A longer name is of fewer tensors: it is asked first.
    groups: Object.entries(groups).sort(([a], [b]) => b.length - a.length),
  }))

export type Tolerances = z.infer<typeof tolerances>

/**
 * Whether a group has a tensor: "bytes" has `output/bytes` and `output/bytes_3`, "after" all of `output/after/...` and nothing of
 * `output/after_g_step/...`, "grad" all gradients.
 */
function hasTensor(group: string, fullName: string): boolean {
  const begins = (name: string): boolean =>
    name.startsWith(group) && /^(?:$|[/.]|_\d+(?:$|[/.]))/.test(name.slice(group.length))
  return begins(fullName) || begins(fullName.slice(fullName.indexOf('/') + 1))
}

/** What holds for a tensor, by its full name: the case's word on it, else what `ofTarget` makes of the general one. Default: the same. */
export function toleranceFor(
  { general, groups, atolByTensor }: Tolerances,
  fullName: string,
  ofTarget = (all: CaseTolerance): CaseTolerance => all,
): CaseTolerance {
  const [, group = ofTarget(general)] = groups.find(([name]) => hasTensor(name, fullName)) ?? []
  return { ...group, atol: atolByTensor[fullName] ?? group.atol }
}

/** Groups that have none of the tensors, as an error names them: nothing is measured by them. */
export function unusedTolerances({ groups }: Tolerances, fullNames: readonly string[]): string[] {
  return groups
    .filter(([group]) => !fullNames.some((name) => hasTensor(group, name)))
    .map(([group]) => `setting "tolerance.${group}"`)
}
