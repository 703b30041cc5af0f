import { eventually, say } from './engine.ts'

/** A terminal that a person would sit at, with one command in it: `docker attach` wants a real one. */
export class Terminal implements AsyncDisposable {
  /** A tmux server of its own: the user's sessions are not seen, and it ends with this one. */
  readonly #tmux: readonly string[]

  private constructor(socket: string) {
    this.#tmux = ['-S', socket, '-f', '/dev/null']
  }

  /** @param socket path for tmux's socket, in a folder that is removed after */
  static async open(command: string, socket: string): Promise<Terminal> {
    const terminal = new Terminal(socket)
    await say('tmux', [...terminal.#tmux, 'new-session', '-d', '-x', '240', '-y', '60', command])
    return terminal
  }

  /** Types a line and Enter. */
  async type(line: string): Promise<void> {
    await say('tmux', [...this.#tmux, 'send-keys', '-l', line])
    await this.press('Enter')
  }

  /** Keys by tmux's names, e.g. `C-p`. */
  async press(...keys: string[]): Promise<void> {
    await say('tmux', [...this.#tmux, 'send-keys', ...keys])
  }

  /** What is to be read now, lines that were wrapped joined. */
  screen(): Promise<string> {
    return say('tmux', [...this.#tmux, 'capture-pane', '-p', '-J', '-S', '-200'])
  }

  /** Waits until the screen shows it. @throws Error with the screen, if it does not come */
  async shows(pattern: RegExp, msMax: number): Promise<string> {
    let last = ''
    const look = async () => {
      last = await this.screen()
      return pattern.test(last) ? last : undefined
    }
    return eventually(`the terminal shows ${pattern}`, look, msMax).catch((cause: Error) => {
      throw new Error(`${cause.message}; it shows:\n${last.trimEnd()}`, { cause })
    })
  }

  /** True once its command has ended. */
  ended(): Promise<boolean> {
    return say('tmux', [...this.#tmux, 'has-session']).then(
      () => false,
      () => true,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The session may have ended by itself, and its server with it.
    await say('tmux', [...this.#tmux, 'kill-server']).catch(() => '')
  }
}
