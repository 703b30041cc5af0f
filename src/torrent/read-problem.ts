const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'it is gone',
  ELOOP: 'a symbolic link leads in a circle',
  ENAMETOOLONG: 'its path is too long',
  EIO: 'the disk reports an error',
  EMFILE: 'this process has too many files open (ulimit -n)',
}

/** Why a file or folder could not be read, a few words. */
export function readProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const known = typeof code === 'string' ? REASONS[code] : undefined
  return known ?? (error instanceof Error ? error.message : String(error))
}

/** Of this process, and over in a moment: nothing is wrong with the file. */
export const isPassing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE' || error.code === 'EAGAIN')
