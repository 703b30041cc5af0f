// cli: what an operator types. commands/<topic>/<verb>.ts are thin (parse flags, call one service, render); services/
// is what commands share, render/ turns answers into text and does nothing else, repl/ is the prompt of `client start`.
// Imports control and roles. Heavy imports (the network, the torrent engine) happen within `run`, so that help is quick.
import { Command, Flags, type Interfaces } from '@oclif/core'
import { ServiceError } from '../roles/index.ts'
import { printable } from './render/printable.ts'
import { report } from './services/exit-code.ts'
import { isEnding } from './services/orderly-end.ts'
import { writeLine } from './services/output.ts'

type Output = Interfaces.OutputFlags<Interfaces.FlagInput>

/**
 * What every command has: `--data`, `--json`, and errors as one sentence with an exit code (see services/exit-code.ts).
 * With `--json` the result is one JSON object on stdout, and so is an error.
 */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true
  static override baseFlags = {
    data: Flags.string({
      summary: "The node's data directory.",
      description: 'By default $XDG_DATA_HOME/p2pt/ROLE, which is ~/.local/share/p2pt/ROLE.',
      env: 'P2PT_DATA',
      helpValue: 'DIR',
      helpGroup: 'GLOBAL',
    }),
  }

  protected override async catch(error: Error & { code?: string }): Promise<void> {
    // `--help` and the like.
    if (error.code === 'EEXIT') throw error
    if (isEnding()) return
    const { exit, code, message } = report(error)
    process.exitCode = exit
    if (this.jsonEnabled()) this.logJson({ error: { code, message, exit } })
    else {
      // oclif ends its own sentences with a hint in a line of its own; ours are one line.
      const text = message.split('\n').map(printable).join('\n')
      process.stderr.write(`p2pt: ${text}\n`)
      if (process.env.P2PT_DEBUG === '1') process.stderr.write(`${error.stack ?? ''}\n`)
    }
  }

  /** What is wrong with a flag or an argument is the caller's words, whichever of oclif's parsers says so. */
  protected override async parse<F extends Output, B extends Output, A extends Output>(
    options?: Interfaces.Input<F, B, A>,
    argv?: string[],
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    try {
      return await super.parse(options, argv)
    } catch (error) {
      if (!(error instanceof Error) || 'oclif' in error || error instanceof ServiceError) throw error
      throw new ServiceError('usage', error.message, { cause: error })
    }
  }

  /** One line where a program reads, indented where a person does. */
  protected override logJson(json: unknown): void {
    process.stdout.write(`${JSON.stringify(json, null, process.stdout.isTTY ? 2 : 0)}\n`)
  }

  /** An item of a listing that is printed as it comes: a JSON line, or the text. */
  protected emit(item: object, text: () => string): Promise<void> {
    return writeLine(this.jsonEnabled() ? JSON.stringify(item) : text())
  }

  /** True if a person is reading: progress and waiting make sense. */
  protected get interactive(): boolean {
    return !this.jsonEnabled() && process.stdout.isTTY === true
  }
}
