import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { Prompt, type PromptHandlers } from '../../../src/cli/repl/prompt.ts'

/** A terminal of 40 columns: what the program wrote, and keys to press. */
function terminal(handlers: Partial<PromptHandlers> = {}) {
  let shown = ''
  const lines: string[] = []
  let left = 0
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} })
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 40, rows: 10 })
  output.setEncoding('utf8').on('data', (text: string) => {
    shown += text
  })
  const prompt = new Prompt(input as unknown as NodeJS.ReadStream, output as unknown as NodeJS.WriteStream, ['old', 'newer'], {
    line: (line) => lines.push(line),
    leave: () => {
      left += 1
    },
    interrupt: () => false,
    complete: async () => [[], ''],
    ...handlers,
  })
  const written = async (act: () => void): Promise<string> => {
    shown = ''
    act()
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    return shown
  }
  return {
    prompt,
    lines,
    left: () => left,
    /** Presses keys, and gives what was written because of them. */
    press: (keys: string) => written(() => input.write(keys)),
    print: (text: string) => written(() => prompt.print(text)),
  }
}

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const UP = '\u001b[A'
const CLEAR_BELOW = '\u001b[0J'

describe('the prompt in a terminal', () => {
  it('prints above the line being typed, and shows that line again as it was', async () => {
    const { prompt, press, print } = terminal()
    await press('search se')
    const shown = await print('finished "album"')
    assert.ok(shown.startsWith(`\u001b[1G${CLEAR_BELOW}finished "album"\n`), JSON.stringify(shown))
    assert.ok(shown.includes('p2pt> search se'), JSON.stringify(shown))
    assert.ok(shown.endsWith('\u001b[16G'), 'the cursor is behind what was typed')
    prompt.close()
  })

  it('goes up to the first row of a line that has wrapped before it prints', async () => {
    const { prompt, press, print } = terminal()
    for (const letter of 'x'.repeat(60)) await press(letter)
    const shown = await print('above')
    assert.ok(shown.startsWith(`\u001b[1A\u001b[1G${CLEAR_BELOW}above\n\n\u001b[1A`), JSON.stringify(shown))
    prompt.close()
  })

  it('gives lines, and those of earlier sessions with the arrow keys', async () => {
    const { prompt, press, lines } = terminal()
    await press('status\r')
    await press(`${UP}${UP}\r`)
    assert.deepEqual(lines, ['status', 'newer'])
    prompt.close()
  })

  it('clears the line at Ctrl-C, warns at the next, and leaves at the third', async () => {
    const { press, left, lines } = terminal()
    await press(`half a line${CTRL_C}`)
    assert.equal(left(), 0)
    assert.match(await press(CTRL_C), /Ctrl-C again within 2 s, or quit, to leave/)
    assert.equal(left(), 0)
    await press(CTRL_C)
    assert.ok(left() > 0)
    assert.deepEqual(lines, [])
  })

  it('ends what goes on at Ctrl-C, and does not leave for that', async () => {
    let ended = 0
    const { prompt, press, left } = terminal({
      interrupt: () => {
        ended += 1
        return true
      },
    })
    await press(CTRL_C)
    await press(CTRL_C)
    assert.equal(ended, 2)
    assert.equal(left(), 0)
    prompt.close()
  })

  it('leaves at Ctrl-D', async () => {
    const { press, left } = terminal()
    await press(CTRL_D)
    assert.equal(left(), 1)
  })
})
