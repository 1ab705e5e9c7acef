/** An argument as a POSIX shell takes it: quoted where it has to be. */
export function shellQuoted(argument: string): string {
  return /^[\w./@%+:,=-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`
}

/** A path as a command takes it in a POSIX shell: quoted where it has to be, and no option where its name begins with a dash. */
export function pathArgument(path: string): string {
  return shellQuoted(path.startsWith('-') ? `./${path}` : path)
}
