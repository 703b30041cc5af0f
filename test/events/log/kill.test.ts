import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyLog } from '../../../src/events/damage/verify-log.fs.ts'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { noUpcast, signerOf, tickingClock } from '../samples.ts'

describe('a log whose process is killed with -9', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-kill-'))
  after(() => rmSync(root, { recursive: true }))

  /** Runs the appender until it has acknowledged so many, kills it, and returns what it acknowledged in all. */
  async function appendAndKill(directory: string, acknowledgements: number): Promise<Map<number, string>> {
    const child = spawn(process.execPath, [new URL('append-until-killed.ts', import.meta.url).pathname, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    let lines = 0
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      lines = said.split('\n').length - 1
      if (lines >= acknowledgements) child.kill('SIGKILL')
    })
    const [, signal] = await once(child, 'close')
    assert.equal(signal, 'SIGKILL')
    assert.ok(lines >= acknowledgements)
    const whole = said.slice(0, said.lastIndexOf('\n')).split('\n')
    return new Map(whole.map((line) => [Number(line.split(' ')[0]), line.split(' ')[1] ?? '']))
  }

  it('holds every event that was acknowledged, durable or not, is not called damaged, and goes on', async () => {
    const directory = join(root, 'log')
    // One log through all rounds, so that later rounds append behind what a killed process left.
    const acknowledged = new Map<number, string>()
    for (let round = 0; round < 4; round++) {
      // Drawn anew each time: the moment is random in any case.
      const moment = 1 + Math.floor(Math.random() * 600)
      for (const [seq, number] of await appendAndKill(directory, moment)) acknowledged.set(seq, number)
      const verdict = await verifyLog(directory)
      assert.deepEqual([verdict.ranges, verdict.problems], [[], []], `round ${round}, killed after ${moment}`)
      await using log = await openLevelLog({ directory, signer: signerOf(1), clock: tickingClock(), upcast: noUpcast })
      const found = new Map<number, string>()
      for await (const { seq, event, authorSeq } of log.read()) {
        assert.equal(authorSeq, seq)
        if ('incarnation' in event) found.set(seq, String(event.incarnation))
      }
      for (const [seq, number] of acknowledged) assert.equal(found.get(seq), number, `event ${seq} of round ${round}`)
      assert.equal(found.size, log.head)
    }
  })
})
