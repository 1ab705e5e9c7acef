/** Errors of the operating system in plain words: they are not bugs, so they are one line without a stack trace. */

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

/** `runs/a/run.json: permission denied (EACCES)`, as far as the error gives its path; undefined if it is not the system's. */
export function describeSystemError(error: unknown): string | undefined {
  const code = systemCode(error)
  if (code === undefined || !(error instanceof Error)) return undefined
  const subject = 'path' in error ? error.path : 'syscall' in error ? error.syscall : 'the system'
  const reason = reasonOf(code)
  return `${String(subject)}: ${reason === undefined ? code : `${reason} (${code})`}`
}
