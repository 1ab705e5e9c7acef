/** Errors of the operating system, and of memory, in plain words: they are not bugs, so they are one line without a stack trace. */

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBUSY: 'is in use',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'exists already',
  EFBIG: 'the file system holds no file of this size',
  EIO: 'the device failed',
  EISDIR: 'is a folder',
  ELOOP: 'its links lead in a circle',
  EMFILE: 'this process may open no more files (ulimit -n)',
  ENAMETOOLONG: 'the name is too long',
  ENFILE: 'this machine has too many open files',
  ENODEV: 'there is no such device',
  ENOENT: 'no such file or folder',
  ENOMEM: 'not enough memory',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is a file, not a folder',
  ENOTEMPTY: 'the folder is not empty',
  EPERM: 'not permitted',
  EPIPE: 'the output is no longer read',
  EROFS: 'the file system is read-only',
}

/** The code of an operating system's error (`ENOSPC`); undefined for any other error. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** What a code of the operating system means: `the disk is full`. */
export function reasonOf(code: string): string | undefined {
  return reasons[code]
}

/** What V8 says where sizes are larger than it can have them. */
function describeMemory(error: unknown): string | undefined {
  if (!(error instanceof RangeError)) return undefined
  if (error.message === 'Array buffer allocation failed') return 'not enough memory (take smaller sizes)'
  // Lengths that no mistake of a sign makes.
  const [, length] = /^Invalid typed array length: (\d{9,})$/.exec(error.message) ?? []
  if (length === undefined) return undefined
  return `an array of ${BigInt(length).toLocaleString('en')} elements is more than can be had (take smaller sizes)`
}

/**
 * `runs/a/run.json: permission denied (EACCES)`, as far as the error gives its path, or what there is not enough memory for; undefined of
 * all other errors.
 */
export function describeSystemError(error: unknown): string | undefined {
  const memory = describeMemory(error)
  if (memory !== undefined) return memory
  const code = systemCode(error)
  if (code === undefined || !(error instanceof Error)) return undefined
  const subject = 'path' in error ? error.path : 'syscall' in error ? error.syscall : 'the system'
  const reason = reasonOf(code)
  return `${String(subject)}: ${reason === undefined ? code : `${reason} (${code})`}`
}
