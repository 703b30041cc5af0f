import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { until } from '../roles/until.ts'
import { environment } from './program.ts'

// A real terminal with one command in it, that can go away as a closed window does. Node opens none itself; Python's
// standard library does, on every system that has terminals.

/** Relays the terminal to stdin and stdout; SIGUSR1 closes it. Ends as the command does: 128 and the signal's number. */
const RELAY = `
import os, pty, select, signal, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
open_ = [True]
def hang_up(*_):
    open_[0] = False
signal.signal(signal.SIGUSR1, hang_up)
while open_[0]:
    for ready in select.select([0, terminal], [], [], 0.05)[0]:
        try:
            data = os.read(ready, 65536)
        except OSError:
            data = b''
        if not data:
            open_[0] = False
            break
        os.write(terminal if ready == 0 else 1, data)
os.close(terminal)
status = os.waitpid(pid, 0)[1]
sys.exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
`

export const hasPseudoTerminals = (): boolean => spawnSync('python3', ['-c', 'import pty']).status === 0

export class PseudoTerminal {
  readonly #relay: ChildProcess
  readonly ended: Promise<number | null>
  /** All that was ever written to it. */
  shown = ''

  constructor(command: readonly string[]) {
    this.#relay = spawn('python3', ['-c', RELAY, ...command], {
      env: { ...environment(), TERM: 'xterm', PS1: '$ ' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#relay.stdin?.on('error', () => {})
    this.#relay.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.shown += text
    })
    this.ended = new Promise((resolve) => this.#relay.once('close', resolve))
  }

  type(keys: string): void {
    this.#relay.stdin?.write(keys)
  }

  /** Waits until it shows this, after all that it was already waited for. */
  async shows(text: string): Promise<void> {
    await until(`the terminal shows ${JSON.stringify(text)}`, () => this.shown.includes(text), 20_000).catch((error) => {
      throw new Error(`${error.message}; it shows ${JSON.stringify(this.shown.slice(-1000))}`)
    })
    this.shown = this.shown.slice(this.shown.indexOf(text) + text.length)
  }

  /** Closes the terminal under its command. @returns the command's exit code, or 128 and the signal that ended it */
  async hangUp(): Promise<number | null> {
    this.#relay.kill('SIGUSR1')
    return this.ended
  }

  kill(): void {
    this.#relay.kill('SIGKILL')
  }
}
