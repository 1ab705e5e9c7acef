/** Warnings that a test gives rise to, collected anew for each test of a file. */
import { afterEach, beforeEach } from 'vitest'
import { setWarningListener } from '../../src/util/warnings.ts'

export function collectWarnings(): readonly string[] {
  const warnings: string[] = []
  let before: (message: string) => void
  beforeEach(() => {
    warnings.length = 0
    before = setWarningListener((message) => warnings.push(message))
  })
  afterEach(() => {
    setWarningListener(before)
  })
  return warnings
}
