/** Readers of option values, shared by the commands. */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { InvalidArgumentError } from 'commander'

/** A whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < least || text.trim() === '') {
      throw new InvalidArgumentError(`must be a whole number of at least ${least}.`)
    }
    return value
  }
}

/** Whole numbers of at least `least` with commas between. */
export function wholeNumbers(least: number): (text: string) => number[] {
  const read = wholeNumber(least)
  return (text) => text.split(',').map(read)
}

/** A number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('must be a number above 0.')
  return value
}

/** A file that is to be written, in a folder that exists. */
export function newFile(text: string): string {
  if (!existsSync(dirname(text))) throw new InvalidArgumentError(`there is no folder ${dirname(text)}.`)
  return text
}

/** Appends to a list: for options that may be given several times. */
export function collect(value: string, list: readonly string[]): string[] {
  return [...list, value]
}

/** `--help` examples. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`
}
