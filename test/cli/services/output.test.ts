import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { followDownload } from '../../../src/cli/services/follow-download.ts'
import { ProgressLine, withProgress, writeLine } from '../../../src/cli/services/output.ts'
import { type ClientService, ServiceError, type TorrentRow } from '../../../src/roles/index.ts'
import { HASH, torrentRow } from '../render/rows.ts'

function screen(isTTY: boolean) {
  const output = Object.assign(new PassThrough(), { isTTY, columns: 50 }) as unknown as NodeJS.WriteStream & PassThrough
  output.setEncoding('utf8')
  return { output, shown: () => String(output.read() ?? '') }
}

const client = (rows: TorrentRow[]) =>
  ({
    async *follow() {
      for (const row of rows.slice(0, -1)) yield row
      return rows.at(-1)
    },
  }) as unknown as ClientService

describe('progress', () => {
  it('is redrawn on one line of a terminal, in the columns it has', () => {
    const { output, shown } = screen(true)
    const line = new ProgressLine(output)
    line.show((columns) => `one of ${columns}`)
    line.show(() => 'two')
    line.end()
    line.end()
    assert.equal(shown(), '\r\u001b[Kone of 49\r\u001b[Ktwo\n')
  })

  it('is a plain line every two seconds where there is no terminal, and none for what is done sooner', () => {
    const { output, shown } = screen(false)
    let now = 5_000
    const line = new ProgressLine(output, () => now)
    for (let step = 0; step < 50; step += 1) {
      line.show(() => `step ${step}`)
      now += 100
    }
    line.end()
    assert.equal(shown(), 'step 20\nstep 40\n')
  })

  it('is passed on, and then the result', async () => {
    async function* work() {
      yield 1
      yield 2
      return 'done'
    }
    const seen: number[] = []
    assert.equal(await withProgress(work(), (step) => seen.push(step)), 'done')
    assert.deepEqual(seen, [1, 2])
    assert.equal(await withProgress(work(), undefined), 'done')
  })

  it('waits for a reader that is behind', async () => {
    const slow = new PassThrough({ highWaterMark: 10 })
    let written = false
    const writing = writeLine('a line that is longer than the buffer', slow).then(() => {
      written = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(written, false)
    slow.resume()
    await writing
  })
})

describe('a download that is followed', () => {
  it('fails when it ends before it is complete', async () => {
    const failed = (error: unknown) => error instanceof ServiceError && error.code === 'failed'
    const { output } = screen(true)
    const gone = client([torrentRow({ piecesVerified: 3 })])
    await assert.rejects(followDownload(gone, HASH, false, output), (error) => failed(error) && /removed/.test(String(error)))
    const broken = client([torrentRow({ state: 'failed', problem: 'the disk is full' })])
    await assert.rejects(
      followDownload(broken, HASH, false, output),
      (error) => failed(error) && /the disk is full/.test(String(error)),
    )
  })

  it('draws each row, or writes each as a JSON line and the last as done', async () => {
    const rows = [torrentRow({ piecesVerified: 1 }), torrentRow({ piecesVerified: 48, state: 'seeding' })]
    const text = screen(true)
    await followDownload(client(rows), HASH, false, text.output)
    assert.match(text.shown(), /^\r\u001b\[K.*1\/48.*\r\u001b\[K.*48\/48.*\n$/)
    const json = screen(false)
    await followDownload(client(rows), HASH, true, json.output)
    const events = json
      .shown()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).event)
    assert.deepEqual(events, ['progress', 'done'])
  })
})
