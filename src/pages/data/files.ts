/** The files of the site's folder `data`, and what makes each from installed packages when the site is built. */
import { makeDigits } from './make-digits.ts'
import { digitsFile } from './read-digits.ts'

export const files: Readonly<Record<string, () => Promise<Uint8Array>>> = {
  [digitsFile]: makeDigits,
}
