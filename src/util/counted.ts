/** `1 picture`, `1,200 pictures`, `2 classes`, `3 entries`, `4 matrices`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : pluralOf(noun)}`
}

function pluralOf(noun: string): string {
  if (/s$/.test(noun)) return `${noun}es`
  return noun
    .replace(/(?<![aeiou])y$/, 'ie')
    .replace(/ix$/, 'ice')
    .concat('s')
}
