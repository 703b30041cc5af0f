import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.ts'
import { howToTalk } from '../demo/how-to-talk.ts'
import { LocalNetwork } from '../demo/network.ts'
import { tellInJson, tellInTerminal } from '../demo/teller.ts'

export default class Demo extends BaseCommand {
  static override summary = 'Run a whole network on this machine and show what it does.'
  static override description =
    `Starts 2 bootstraps, 3 index nodes and 4 clients as processes on loopback, publishes real files, finds and
downloads them, has a corrupter banned, kills nodes with -9 and restarts them. Needs nothing but this program.`
  static override examples = [
    '<%= config.bin %> demo',
    '<%= config.bin %> demo ~/Pictures --keep',
    '<%= config.bin %> demo --json',
  ]
  static override args = {
    folder: Args.string({ description: 'What to publish; by default a real program of tens of MB.', required: false }),
  }
  static override flags = {
    keep: Flags.boolean({ summary: 'Leave the network up and say how to talk to it.' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Demo)
    const { tellStory } = await import('../demo/story.ts')
    const write = (text: string) => process.stdout.write(text)
    const tell = this.jsonEnabled() ? tellInJson(write) : tellInTerminal(write, process.stdout.isTTY === true)
    const directory = await mkdtemp(join(tmpdir(), 'p2pt-'))
    const network = new LocalNetwork(join(directory, 'nodes'))
    const interrupt = new AbortController()
    const onSignal = () => interrupt.abort(new Error('interrupted'))
    process.once('SIGINT', onSignal).once('SIGTERM', onSignal)

    const startedAt = performance.now()
    let problem: unknown
    try {
      const folder = args.folder === undefined ? undefined : resolve(args.folder)
      await tellStory({ directory, folder, tell, signal: interrupt.signal }, network)
    } catch (error) {
      problem = error
    }
    const elapsedMs = Math.round(performance.now() - startedAt)
    let crashes: string[] = []
    const kept = flags.keep && problem === undefined
    if (kept) network.release()
    else {
      await network.stop().catch(() => network.kill())
      crashes = network.crashes()
      await rm(directory, { recursive: true, force: true })
    }

    const ok = problem === undefined
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
    if (!ok) process.exitCode = 1
  }
}

const sentence = (problem: unknown): string => (problem instanceof Error ? problem.message : String(problem))
