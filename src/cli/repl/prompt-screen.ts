import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunningNode } from '../../roles/start.ts'
import { noticeLine } from '../render/node.ts'
import { readyLine } from '../services/plain-screen.ts'
import type { NodeScreen } from '../services/run-node.ts'
import { REPL_COMMANDS } from './commands.ts'
import { type ArgumentKind, type CandidateSource, complete } from './completion.ts'
import { History } from './history.ts'
import { expandHome } from './home.ts'
import { Prompt } from './prompt.ts'
import { REPL_NAMES, ReplSession } from './session.ts'

const KINDS: ReadonlyMap<string, ArgumentKind> = new Map(
  REPL_NAMES.map((name) => [name, name === 'help' ? 'command' : (REPL_COMMANDS.get(name)?.takes ?? 'none')]),
)

/** A client in a terminal: a prompt, and what happens above it. */
export function promptScreen(input: NodeJS.ReadStream, output: NodeJS.WriteStream): NodeScreen {
  let print = (text: string) => {
    output.write(`${text}\n`)
  }
  return {
    ready: (status, socket) => print(readyLine(status, socket)),
    notice: (notice) => print(noticeLine(notice)),
    async prompt(running, signal) {
      const { node, client } = running
      if (client === undefined) throw new TypeError('a prompt needs a client node')
      const history = new History(join((await node.status()).dataDirectory, 'prompt-history'))
      const left = Promise.withResolvers<void>()
      const session = new ReplSession({ node, client }, (text) => print(text), left.resolve)
      signal.addEventListener('abort', () => {
        session.interrupt()
        left.resolve()
      })
      const prompt = new Prompt(input, output, await history.load(), {
        line(line) {
          if (line.trim() !== '') history.add(line)
          session.line(line)
        },
        leave() {
          // What was piped in is carried out to its end; a person who leaves does not wait.
          if (input.isTTY) session.interrupt()
          void session.idle().then(left.resolve)
        },
        interrupt: () => session.interrupt(),
        complete: (line) => complete(line, KINDS, candidates(client)),
      })
      print = (text) => prompt.print(text)
      print('type `help` for what can be typed here')
      await left.promise
      print('stopping')
      prompt.close()
      await history.flush()
    },
  }
}

function candidates(client: NonNullable<RunningNode['client']>): CandidateSource {
  return {
    async list(directory) {
      const entries = await readdir(expandHome(directory), { withFileTypes: true })
      return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort()
    },
    infoHashes: async () => (await client.clientStatus()).torrents.map((row) => row.infoHash),
  }
}
