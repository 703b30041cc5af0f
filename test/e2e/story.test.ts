import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, npm, p2pt } from '../cli/program.ts'

type Step = { step: string; ok: boolean } & Record<string, unknown>

describe('the story that npm start tells, with real processes', () => {
  let temporary: string
  let stdout: string
  let steps: Step[]
  let last: Step | undefined

  before(async function () {
    this.timeout(240_000)
    build()
    temporary = await mkdtemp(join(tmpdir(), 'story-'))
    const ended = await npm(['start', '-s', '--', '--json', '--keep'], {
      timeoutMs: 120_000,
      environment: { TMPDIR: temporary },
    })
    stdout = ended.stdout
    steps = stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Step)
    last = steps.pop()
    assert.equal(ended.exit, 0, `${ended.stderr}\n${JSON.stringify(last)}`)
    assert.equal(last?.ok, true)
  })

  after(async () => {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true })
  })

  it('prints nothing but JSON, so that `npm start -s -- --json | jq` works', () => {
    assert.match(stdout, /^(\{.*\}\n)+$/)
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

  it('leaves the network up with --keep, and each node stops when it is told to', async function () {
    this.timeout(60_000)
    const nodes = join(String(last?.directory), 'nodes')
    const names = (await readdir(nodes)).filter((name) => !name.endsWith('.log'))
    assert.equal(names.length, 9)
    await Promise.all(
      names.map(async (name) => {
        const { exit, stderr } = await p2pt(['node', 'stop', '--data', join(nodes, name)])
        assert.equal(exit, 0, `${name}: ${stderr}`)
      }),
    )
  })
})
