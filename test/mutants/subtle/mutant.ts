/** One subtle fault, put into one file by replacing a text that occurs once in it. */
export type SubtleMutant = {
  file: string
  find: string
  replace: string
  /** What goes wrong, in a few words. */
  breaks: string
  /** Globs of the tests that should notice; default: the mirror test file, or else the mirror folder. */
  tests?: readonly string[]
  /** Why it may live: it changes nothing that anybody can see. */
  lives?: string
}
