/** The npm packages that draw plots; they are optional. In a file of its own, whose types need none of theirs. */
export const plotPackages = ['@observablehq/plot', 'linkedom'] as const
