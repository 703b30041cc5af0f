import assert from 'node:assert/strict'
import { build, p2pt } from '../cli/program.ts'

type Step = { step: string; ok: boolean } & Record<string, unknown>

describe('the story that npm start tells, with real processes', () => {
  let steps: Step[]

  before(async function () {
    this.timeout(240_000)
    build()
    const { exit, stdout, stderr } = await p2pt(['demo', '--json'], { timeoutMs: 120_000 })
    steps = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Step)
    const last = steps.pop()
    assert.equal(exit, 0, `${stderr}\n${JSON.stringify(last)}`)
    assert.equal(last?.ok, true)
  })

  const named = (name: string): Step => {
    const step = steps.find((candidate) => candidate.step === name)
    assert.ok(step, `there is no step ${name}`)
    return step
  }

  it('tells every step, and each went well', () => {
    const names = ['start', 'publish', 'search', 'download', 'corrupt', 'explain', 'kill', 'restart', 'finish']
    assert.deepEqual(
      steps.map(({ step, ok }) => [step, ok]),
      names.map((name) => [name, true]),
    )
  })

  it('finds on another client what one client published, held by three index nodes', () => {
    assert.equal(named('publish').holders, 3)
    assert.equal(named('search').hits, 1)
  })

  it('downloads the very bytes that were published', () => {
    assert.match(String(named('download').sha256), /^[0-9a-f]{64}$/)
    assert.equal(named('finish').sha256, named('download').sha256)
  })

  it('bans a corrupter of every piece after 21 to 30 bad pieces', () => {
    const badPieces = Number(named('corrupt').badPieces)
    assert.ok(badPieces >= 21 && badPieces <= 30, `${badPieces}`)
    assert.ok((named('explain').decisive as number[]).length > 0)
  })

  it('goes on after kill -9 with the pieces it had', () => {
    const { piecesKept, downloadedBytes, sizeBytes } = named('finish')
    assert.ok(Number(piecesKept) > 0)
    assert.ok(Number(downloadedBytes) < Number(sizeBytes))
  })
})
