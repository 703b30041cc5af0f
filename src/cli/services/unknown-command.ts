import leven from 'leven'

/** Typed words are held against names that are so many changes away at most, and fewer than half of the word. */
const CHANGES_MAX = 2
const NAMED_MAX = 4

const isNear = (typed: string, name: string): boolean =>
  leven(typed, name, { maxDistance: CHANGES_MAX + 1 }) <= Math.min(CHANGES_MAX, Math.floor((name.length - 1) / 2))

/**
 * What to tell about words that are no command.
 * @param typed the words, without flags
 * @param commands all there are, with spaces: `client search`
 */
export function unknownCommand(typed: readonly string[], commands: readonly string[]): string {
  const [first = '', second] = typed
  const all = typed.join(' ')
  const known = commands.find((command) => all.startsWith(`${command} `))
  if (known !== undefined)
    return `\`p2pt ${known}\` does not take \`${all.slice(known.length + 1)}\`: see \`p2pt ${known} --help\``
  const parts = commands.map((command) => ({ command, words: command.split(' ') }))
  const tests: ((words: readonly string[]) => boolean)[] = [
    // `search` alone, or with what to look for.
    (words) => words.at(-1) === first,
    ([topic, name]) => second !== undefined && name === second && isNear(first, topic ?? ''),
    ([topic, name]) => second !== undefined && topic === first && isNear(second, name ?? ''),
    ([topic, name]) => second !== undefined && isNear(first, topic ?? '') && isNear(second, name ?? ''),
    (words) => isNear(first, words.at(-1) ?? ''),
  ]
  for (const test of tests) {
    const meant = parts.filter(({ words }) => test(words)).map(({ command }) => `\`p2pt ${command}\``)
    if (meant.length > 0 && meant.length <= NAMED_MAX) return `there is no command \`${all}\`: did you mean ${oneOf(meant)}?`
  }
  return `there is no command \`${all}\`: see \`p2pt --help\``
}

const oneOf = (names: readonly string[]): string =>
  names.length === 1 ? `${names[0]}` : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
