import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openOwnLog } from '../../../src/roles/node/own-log.ts'
import { noUpcast, numbered, signerOf, tickingClock } from '../../events/samples.ts'
import { TEST_NETWORK } from '../../events/test-network.ts'

const SESSIONS = 3
const EVENTS = 250

describe('the log of a node that starts', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-own-log-'))
  const whole = join(root, 'whole')
  let directory = whole
  let told: string[] = []
  before(async () => {
    mkdirSync(whole)
    // The sessions after the first bring to tables what those before have written.
    for (let session = 0; session < SESSIONS; session++) {
      await using log = await open()
      await log.append(Array.from({ length: EVENTS }, (_, at) => numbered(EVENTS * session + at)))
    }
    deepEqual(told, [])
  })
  after(() => rmSync(root, { recursive: true, force: true }))
  beforeEach(() => {
    directory = mkdtempSync(join(root, 'spoilt-'))
    cpSync(whole, directory, { recursive: true })
    told = []
  })
  const open = () =>
    openOwnLog({ directory, signer: signerOf(1), clock: tickingClock(), upcast: noUpcast, create: true }, TEST_NETWORK, {
      post: (level, code, text) => void told.push(`${level} ${code} ${text}`),
    })
  const spoil = (change: (bytes: Buffer) => void): void => {
    const paths = readdirSync(join(directory, 'log'))
      .filter((name) => name.endsWith('.ldb'))
      .map((name) => join(directory, 'log', name))
    const [path = ''] = paths.sort((a, b) => readFileSync(b).length - readFileSync(a).length)
    const bytes = readFileSync(path)
    change(bytes)
    writeFileSync(path, bytes)
  }
  const kept = () => readdirSync(directory).filter((name) => name.startsWith('damaged-'))

  it('is opened as it is where nothing is wrong with it, and nobody is told', async () => {
    await using log = await open()
    deepEqual([log.head, log.held().events, told, kept()], [SESSIONS * EVENTS, SESSIONS * EVENTS, [], []])
  })

  it('is repaired where bytes of a table are gone, and says how many events that took, and where the files are', async () => {
    spoil((bytes) => bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 4_096))
    await using log = await open()
    const gone = log.head - log.held().events
    ok(gone > 0 && gone < EVENTS, `${gone} are gone`)
    equal(told.length, 1)
    const [, count, folder] =
      /has been repaired: (\d+) events are gone, and peers are asked .* are in (.*)$/.exec(told[0] ?? '') ?? []
    deepEqual([Number(count), folder], [gone, join(directory, kept()[0] ?? '')])
    match(told[0] ?? '', /^warning log\.mended the log was damaged \(events? \d+/)
  })

  it('loses nothing to a flipped bit, and says so', async () => {
    spoil((bytes) => {
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
    })
    await using log = await open()
    equal(log.held().events, SESSIONS * EVENTS)
    match(told.join(), /has been repaired: nothing is lost; the damaged files are in/)
  })

  it('is brought to the end of a repair that was cut off, and says what that was', async () => {
    spoil((bytes) => bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 4_096))
    await (await open())[Symbol.asyncDispose]()
    const before = told.splice(0)
    // As it was between two steps: the damaged files are moved, and the new ones are not yet in their place.
    renameSync(join(directory, kept()[0] ?? ''), join(directory, 'damaged.part'))
    renameSync(join(directory, 'log'), join(directory, 'log.repaired'))
    await using log = await open()
    ok(log.held().events > 0)
    deepEqual(told, before)
  })

  it('is not touched where its damage is not one of tables', async () => {
    writeFileSync(join(directory, 'head'), Buffer.alloc(readFileSync(join(directory, 'head')).length, 1))
    await rejects(open(), { code: 'LOG_DAMAGED' })
    deepEqual([told, kept()], [[], []])
  })
})
