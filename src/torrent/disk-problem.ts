const SENTENCES: Readonly<Record<string, (directory: string) => string>> = {
  ENOSPC: (directory) => `the disk of ${directory} is full: make room, then resume`,
  EDQUOT: (directory) => `the quota for ${directory} is used up: make room, then resume`,
  EACCES: (directory) => `no permission to read and write in ${directory}: change that, then resume`,
  EPERM: (directory) => `no permission to read and write in ${directory}: change that, then resume`,
  EROFS: (directory) => `${directory} cannot be written to, its file system is read-only`,
  EMFILE: () => 'this process has too many files open: raise the limit (ulimit -n), then resume',
  ENOTDIR: (directory) => `a file stands where ${directory} needs a folder: move it away, then resume`,
  EEXIST: (directory) => `a file stands where ${directory} needs a folder: move it away, then resume`,
  EISDIR: (directory) => `a folder stands in ${directory} where the torrent has a file: move it away, then resume`,
  EFBIG: (directory) => `the file system of ${directory} does not take files of this size`,
}

/** What an operator can do about a failed torrent, as a sentence. */
export function diskProblem(error: Error & { code?: unknown }, directory: string): string {
  const sentence = typeof error.code === 'string' ? SENTENCES[error.code] : undefined
  return sentence?.(directory) ?? error.message
}
