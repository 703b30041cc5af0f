const SPACED_VALUE = /^([-!]*(?:tag|category):)([^"].*\s.*)$/is

/** The query of a command line: the shell took the quotes of `tag:"two words"`, so they are put back. */
export const queryText = (words: readonly string[]): string =>
  words.map((word) => word.replace(SPACED_VALUE, (_, name: string, value: string) => `${name}"${value}"`)).join(' ')
