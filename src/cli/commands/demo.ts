import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.ts'
import { Caretaker } from '../demo/caretaker.ts'
import { howToTalk } from '../demo/how-to-talk.ts'
import { LocalNetwork } from '../demo/network.ts'
import { tellInJson, tellInTerminal } from '../demo/teller.ts'
import { onOutputLost } from '../services/lost-output.ts'

/** Time the story has to notice that its nodes are gone, ms. */
const STORY_END_MS_MAX = 5000

export default class Demo extends BaseCommand {
  static override summary = 'Run a whole network on this machine and show what it does.'
  static override description =
    `Starts 2 bootstraps, 3 index nodes and 4 clients as processes on loopback, publishes real files, finds and
downloads them, has a corrupter banned, kills nodes with -9 and restarts them. Needs nothing but this program.
Whatever ends it, its nodes stop and its folder goes. From npm: npm start -s -- --json | jq .`
  static override examples = [
    '<%= config.bin %> demo',
    '<%= config.bin %> demo ~/Pictures --keep',
    '<%= config.bin %> demo --json',
  ]
  static override args = {
    folder: Args.string({ description: 'What to publish; by default a real program of tens of MB.', required: false }),
  }
  static override flags = {
    keep: Flags.boolean({ summary: 'Leave the network up when all is done, and say how to talk to it.' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Demo)
    const { tellStory } = await import('../demo/story.ts')
    const interrupt = new AbortController()
    const { signal } = interrupt
    // Not once: npm hands on a Ctrl-C that the terminal has sent already, and putting things in order takes seconds at most.
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(name, () => interrupt.abort(new Error('interrupted')))
    let readerIsGone = false
    using _output = onOutputLost(() => {
      readerIsGone = true
      interrupt.abort(new Error('nobody reads what it says'))
    })
    const write = (text: string) => process.stdout.write(text)
    const tell = this.jsonEnabled() ? tellInJson(write) : tellInTerminal(write, process.stdout.isTTY === true)
    const directory = await mkdtemp(join(tmpdir(), 'p2pt-'))
    const caretaker = new Caretaker(directory)
    const network = new LocalNetwork(join(directory, 'nodes'), caretaker)

    const startedAt = performance.now()
    const folder = args.folder === undefined ? undefined : resolve(args.folder)
    const story = tellStory({ directory, folder, tell: (event) => signal.aborted || tell(event), signal }, network)
    // A step that waits for a node does not look at the signal.
    const problem = await Promise.race([story, rejectionOf(signal)]).catch((error: unknown) => error)
    const elapsedMs = Math.round(performance.now() - startedAt)
    const ok = problem === undefined
    const kept = flags.keep && ok
    let crashes: string[] = []
    if (kept) network.release()
    else {
      await network.stop().catch(() => network.kill())
      crashes = network.crashes()
      // With no node left to ask, it fails; it may be copying files.
      await Promise.race([story.catch(() => {}), delay(STORY_END_MS_MAX, undefined, { ref: false })])
      await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    }
    await caretaker.release()

    if (this.jsonEnabled()) {
      write(
        `${JSON.stringify({ ok, elapsedMs, ...(ok ? {} : { error: sentence(problem), crashes }), ...(kept ? { directory } : {}) })}\n`,
      )
    } else {
      write(
        ok
          ? `\nAll of it in ${(elapsedMs / 1000).toFixed(1)} s.\n`
          : `\n${[`It did not work: ${sentence(problem)}`, ...crashes].join('\n')}\n`,
      )
      if (kept) write(howToTalk(network, directory))
    }
    // A reader that has seen enough is no failure.
    if (!ok && !readerIsGone) process.exitCode = 1
  }
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

const sentence = (problem: unknown): string => (problem instanceof Error ? problem.message : String(problem))
