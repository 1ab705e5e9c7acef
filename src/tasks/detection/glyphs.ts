/** A typeface of 3 x 5 dots for what is written onto pictures, which have no fonts. */

export const [glyphWidth, glyphHeight] = [3, 5]

/** Rows from the top; # is a dot. Letters are capitals. */
const shapes: Readonly<Record<string, string>> = {
  A: '.#. #.# ### #.# #.#',
  B: '##. #.# ##. #.# ##.',
  C: '.## #.. #.. #.. .##',
  D: '##. #.# #.# #.# ##.',
  E: '### #.. ##. #.. ###',
  F: '### #.. ##. #.. #..',
  G: '.## #.. #.# #.# .##',
  H: '#.# #.# ### #.# #.#',
  I: '### .#. .#. .#. ###',
  J: '..# ..# ..# #.# .#.',
  K: '#.# #.# ##. #.# #.#',
  L: '#.. #.. #.. #.. ###',
  M: '#.# ### ### #.# #.#',
  N: '##. #.# #.# #.# #.#',
  O: '.#. #.# #.# #.# .#.',
  P: '##. #.# ##. #.. #..',
  Q: '.#. #.# #.# .#. ..#',
  R: '##. #.# ##. #.# #.#',
  S: '.## #.. .#. ..# ##.',
  T: '### .#. .#. .#. .#.',
  U: '#.# #.# #.# #.# ###',
  V: '#.# #.# #.# #.# .#.',
  W: '#.# #.# ### ### #.#',
  X: '#.# #.# .#. #.# #.#',
  Y: '#.# #.# .#. .#. .#.',
  Z: '### ..# .#. #.. ###',
  0: '### #.# #.# #.# ###',
  1: '.#. ##. .#. .#. ###',
  2: '##. ..# .#. #.. ###',
  3: '##. ..# .#. ..# ##.',
  4: '#.# #.# ### ..# ..#',
  5: '### #.. ##. ..# ##.',
  6: '.## #.. ### #.# ###',
  7: '### ..# .#. .#. .#.',
  8: '### #.# ### #.# ###',
  9: '### #.# ### ..# ##.',
  '.': '... ... ... ... .#.',
  '-': '... ... ### ... ...',
  '%': '#.# ..# .#. #.. #.#',
}

const unknown = '### ..# .#. ... .#.'

/** The dots of a character as rows and columns. Accents are left out; what is no letter, digit or point is a question mark. */
export function glyphOf(character: string): [row: number, column: number][] {
  const plain = character.normalize('NFD').charAt(0).toUpperCase()
  if (plain === ' ') return []
  return (shapes[plain] ?? unknown)
    .split(' ')
    .flatMap((dots, row) =>
      [...dots].flatMap((dot, column): [number, number][] => (dot === '#' ? [[row, column]] : [])),
    )
}
