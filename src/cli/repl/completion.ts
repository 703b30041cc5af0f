import { splitWords } from './split-words.ts'

/** Where candidates come from; both may be slow, or fail: then there are none. */
export type CandidateSource = {
  /** Names in a directory, folders with a slash at their end. */
  list(directory: string): Promise<readonly string[]>
  infoHashes(): Promise<readonly string[]>
}

/** What an argument of a command is, for completion. */
export type ArgumentKind = 'path' | 'info-hash' | 'command' | 'none'

/** Candidates for the word at the end of `line`, and that word as typed: each candidate begins with it. */
export type Completion = [candidates: string[], typed: string]

/** Offered at once; the terminal would scroll away with more. */
const CANDIDATES_MAX = 200

/**
 * Completes the last word of a line: a command's name first, then what that command takes.
 * @param kinds what the arguments of each command are
 */
export async function complete(
  line: string,
  kinds: ReadonlyMap<string, ArgumentKind>,
  source: CandidateSource,
): Promise<Completion> {
  const { words, open } = splitWords(line)
  const last = words.at(-1)
  const within = last !== undefined && (open !== undefined || !/\s$/.test(line) || line.endsWith('\\ '))
  const typed = within ? line.slice(last.start) : ''
  const [command] = words
  if (command === undefined || (words.length === 1 && within)) return [startingWith([...kinds.keys()], typed, ' '), typed]
  const kind = kinds.get(command.text) ?? 'none'
  if (kind === 'command') return [startingWith([...kinds.keys()], typed, ' '), typed]
  if (kind === 'info-hash') return [startingWith(await source.infoHashes().catch(() => []), typed, ' '), typed]
  if (kind === 'path') return [await paths(within ? last.text : '', typed, source), typed]
  return [[], typed]
}

const startingWith = (all: readonly string[], typed: string, end: string): string[] =>
  all
    .filter((one) => one.startsWith(typed))
    .slice(0, CANDIDATES_MAX)
    .map((one) => one + end)

async function paths(path: string, typed: string, source: CandidateSource): Promise<string[]> {
  const cut = path.lastIndexOf('/') + 1
  const directory = path.slice(0, cut)
  const beginning = path.slice(cut)
  const names = await source.list(directory === '' ? '.' : directory).catch(() => [])
  const quote = typed.startsWith('"') || typed.startsWith("'") ? typed.slice(0, 1) : ''
  return names
    .filter((name) => name.startsWith(beginning) && (beginning !== '' || !name.startsWith('.')))
    .slice(0, CANDIDATES_MAX)
    .map((name) => {
      const rest = name.slice(beginning.length)
      const end = name.endsWith('/') ? '' : `${quote} `
      // What is typed stays as it is, whichever way it was quoted; only what is added is quoted here.
      return typed + (quote === '' ? rest.replace(/[\s'"\\]/g, '\\$&') : rest) + end
    })
}
