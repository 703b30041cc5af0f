import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lockHolder } from '../../../src/events/files/process-lock.fs.ts'
import { decodeGenesis, encodeGenesis, LogError, toHex } from '../../../src/events/index.ts'
import { openLevelLog, readLevelLog } from '../../../src/events/log/event-log.level.ts'
import {
  type DataDirectory,
  dataPaths,
  describeDirectory,
  type OpenOptions,
  openDataDirectory,
  openStoppedDirectory,
} from '../../../src/roles/directory/data-directory.fs.ts'
import { DataDirectoryError, type DataDirectoryErrorDetail } from '../../../src/roles/directory/data-directory-error.ts'
import { noUpcast, numbered, tickingClock } from '../../events/samples.ts'
import { joiningAs, TEST_GENESIS, TEST_NETWORK } from '../../events/test-network.ts'

const refusedAs = (code: DataDirectoryErrorDetail['code'], sentence: RegExp) => (error: unknown) => {
  assert.ok(error instanceof DataDirectoryError)
  assert.equal(error.code, code)
  assert.match(error.message, sentence)
  return true
}

const lockedBy = (pid: number | undefined) => (error: unknown) => {
  assert.ok(error instanceof LogError, String(error))
  assert.equal(error.code, 'LOG_LOCKED')
  assert.match(error.message, new RegExp(`in use by process ${pid}: stop it with .p2pt node stop --data`))
  return true
}

describe('a data directory', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-data-'))
  let directories = 0
  const fresh = (): string => join(root, String(directories++))
  const children: ChildProcess[] = []
  after(() => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(root, { recursive: true })
  })

  /** Opened, looked at and closed. */
  async function opened(directory: string, options: OpenOptions): Promise<DataDirectory> {
    using data = await openDataDirectory(directory, options)
    return data
  }

  /** A process that holds a directory until it is killed. */
  async function holder(directory: string): Promise<ChildProcess> {
    const child = spawn(process.execPath, [new URL('hold-directory.ts', import.meta.url).pathname, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    await once(child.stdout, 'data')
    return child
  }

  it('is made with a key that only its owner can read, and an empty log', async () => {
    const directory = fresh()
    const joining = joiningAs('index')
    using data = await openDataDirectory(directory, { role: 'index', joining })
    assert.equal(data.isNew, true)
    assert.equal(statSync(data.paths.keySeed).mode & 0o777, 0o600)
    assert.equal(statSync(data.paths.keySeed).size, 32)
    const { genesis, credential, ...known } = describeDirectory(directory)
    assert.deepEqual(known, { format: 1, role: 'index', id: data.signer.id, network: TEST_NETWORK, bootstraps: [] })
    assert.equal(toHex(genesis), toHex(TEST_GENESIS))
    assert.equal(toHex(credential), toHex(joining.credentialOf(data.signer.id)))
    await using log = await openLevelLog({ directory, signer: data.signer, clock: tickingClock(), upcast: noUpcast })
    assert.equal(log.head, 0)
  })

  it('keeps its key and its log', async () => {
    const directory = fresh()
    const open = async () => {
      const data = await openDataDirectory(directory, { role: 'client', joining: joiningAs('client') })
      return { data, log: await openLevelLog({ directory, signer: data.signer, clock: tickingClock(), upcast: noUpcast }) }
    }
    const first = await open()
    await first.log.append([numbered(1)])
    await first.log[Symbol.asyncDispose]()
    first.data[Symbol.dispose]()
    const second = await open()
    assert.equal(second.data.isNew, false)
    assert.equal(second.data.signer.id, first.data.signer.id)
    assert.equal(second.log.head, 1)
    await second.log[Symbol.asyncDispose]()
    second.data[Symbol.dispose]()
  })

  it('is not made without a network, and stays in the one it belongs to', async () => {
    const directory = fresh()
    const unsaid = refusedAs('NO_NETWORK', /belongs to no network yet: start it with --join STRING/)
    await assert.rejects(openDataDirectory(directory, { role: 'client' }), unsaid)
    assert.ok(!existsSync(dataPaths(directory).keySeed), 'no key was made')
    const { signer, joined } = await opened(directory, { role: 'client', joining: joiningAs('client') })
    const again = await opened(directory, { role: 'client' })
    assert.equal(again.signer.id, signer.id)
    assert.deepEqual(toHex(again.joined.credential), toHex(joined.credential))
    const before = readFileSync(dataPaths(directory).node, 'utf8')
    const genesis = encodeGenesis({ ...decodeGenesis(TEST_GENESIS), name: 'other' })
    const elsewhere = { ...joiningAs('client'), genesis }
    await assert.rejects(
      openDataDirectory(directory, { role: 'client', joining: elsewhere }),
      refusedAs('OTHER_NETWORK', /belongs to the network "test", not to "other": give another directory/),
    )
    assert.equal(readFileSync(dataPaths(directory).node, 'utf8'), before)
    const renewed = await opened(directory, { role: 'client', joining: joiningAs('client', { name: 'renewed' }) })
    assert.equal(renewed.signer.id, signer.id, 'a new credential for the same key')
    assert.notEqual(toHex(renewed.joined.credential), toHex(joined.credential))
  })

  it('is refused where its record of the network cannot be read', async () => {
    const directory = fresh()
    await opened(directory, { role: 'client', joining: joiningAs('client') })
    const { node } = dataPaths(directory)
    const whole = JSON.parse(readFileSync(node, 'utf8')) as Record<string, unknown>
    for (const more of [{ genesis: 'AQID' }, { genesis: '' }, { genesis: 5 }, { credential: null }, { bootstraps: 'a:1' }]) {
      writeFileSync(node, JSON.stringify({ ...whole, ...more }))
      await assert.rejects(
        openDataDirectory(directory, { role: 'client' }),
        refusedAs('DIRECTORY_MISSING', /its node\.json does not name a node/),
        JSON.stringify(more),
      )
    }
  })

  it('is refused to another role, with both named', async () => {
    const directory = fresh()
    ;(await openDataDirectory(directory, { role: 'index', joining: joiningAs('index') }))[Symbol.dispose]()
    await assert.rejects(
      openDataDirectory(directory, { role: 'client', joining: joiningAs('client') }),
      refusedAs('DIRECTORY_OTHER_ROLE', /a node with the role index, not client/),
    )
    ;(await openDataDirectory(directory, { role: 'index', joining: joiningAs('index') }))[Symbol.dispose]()
  })

  it('is refused when a newer version made it, or when it is not whole', async () => {
    const directory = fresh()
    ;(await openDataDirectory(directory, { role: 'index', joining: joiningAs('index') }))[Symbol.dispose]()
    const { node, keySeed } = dataPaths(directory)
    const description = readFileSync(node, 'utf8')
    writeFileSync(node, description.replace('"format": 1', '"format": 7'))
    const newer = refusedAs('DIRECTORY_NEWER', /has format 7, this version knows up to 1/)
    await assert.rejects(openDataDirectory(directory, { role: 'index', joining: joiningAs('index') }), newer)
    assert.throws(() => openStoppedDirectory(directory), newer)
    writeFileSync(node, '{}')
    await assert.rejects(
      openDataDirectory(directory, { role: 'index' }),
      refusedAs('DIRECTORY_MISSING', /does not name a node: a start, or `p2pt log repair`, makes it again/),
    )
    writeFileSync(node, description)
    writeFileSync(keySeed, 'short')
    await assert.rejects(
      openDataDirectory(directory, { role: 'index', joining: joiningAs('index') }),
      refusedAs('DIRECTORY_UNUSABLE', /5 bytes, not 32/),
    )
    rmSync(keySeed)
    await assert.rejects(
      openDataDirectory(directory, { role: 'index', joining: joiningAs('index') }),
      refusedAs('DIRECTORY_UNUSABLE', /key\.seed/),
    )
  })

  it('does not begin a lost log anew', async () => {
    const directory = fresh()
    ;(await openDataDirectory(directory, { role: 'index', joining: joiningAs('index') }))[Symbol.dispose]()
    rmSync(dataPaths(directory).log, { recursive: true })
    using data = await openDataDirectory(directory, { role: 'index', joining: joiningAs('index') })
    const open = openLevelLog({ directory, signer: data.signer, clock: tickingClock(), upcast: noUpcast })
    await assert.rejects(open, { name: 'LogError', code: 'LOG_DAMAGED' })
  })

  it('is missing where no node was ever started', () => {
    assert.throws(() => describeDirectory(fresh()), refusedAs('DIRECTORY_MISSING', /there is no p2pt node in/))
    assert.throws(() => openStoppedDirectory(root), refusedAs('DIRECTORY_MISSING', /there is no p2pt node in/))
  })

  it('is refused to a second opener of the same process, and stays locked for others', async () => {
    const directory = fresh()
    using data = await openDataDirectory(directory, { role: 'index', joining: joiningAs('index') })
    await using log = await openLevelLog({ directory, signer: data.signer, clock: tickingClock(), upcast: noUpcast })
    await assert.rejects(openDataDirectory(directory, { role: 'index', joining: joiningAs('index') }), lockedBy(process.pid))
    await assert.rejects(readLevelLog({ directory, upcast: noUpcast }), lockedBy(process.pid))
    assert.throws(() => openStoppedDirectory(directory), lockedBy(process.pid))
    assert.equal(lockHolder(data.paths.lock), process.pid)
    const other = spawn(process.execPath, [new URL('hold-directory.ts', import.meta.url).pathname, directory], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    children.push(other)
    let said = ''
    other.stderr.on('data', (chunk) => {
      said += chunk
    })
    const [code] = await once(other, 'close')
    assert.equal(code, 1)
    assert.match(said, new RegExp(`in use by process ${process.pid}:`))
    assert.equal(log.head, 0)
  })

  it('names the process that holds it, and is taken over from one that was killed', async () => {
    const directory = fresh()
    const child = await holder(directory)
    await assert.rejects(openDataDirectory(directory, { role: 'index', joining: joiningAs('index') }), lockedBy(child.pid))
    child.kill('SIGKILL')
    await once(child, 'exit')
    using data = await openDataDirectory(directory, { role: 'index', joining: joiningAs('index') })
    await using log = await openLevelLog({ directory, signer: data.signer, clock: tickingClock(), upcast: noUpcast })
    assert.equal(log.head, 1)
  })

  it('is taken over from a dead process whose number somebody else has now', async () => {
    const directory = fresh()
    ;(await openDataDirectory(directory, { role: 'index', joining: joiningAs('index') }))[Symbol.dispose]()
    const { lock } = dataPaths(directory)
    // Process 1 lives, but it did not start at that tick.
    writeFileSync(lock, JSON.stringify({ pid: 1, startedAt: '1234567890123', boot: null }))
    ;(await openDataDirectory(directory, { role: 'index', joining: joiningAs('index') }))[Symbol.dispose]()
    writeFileSync(lock, JSON.stringify({ pid: process.pid, startedAt: null, boot: 'an earlier boot' }))
    ;(await openDataDirectory(directory, { role: 'index', joining: joiningAs('index') }))[Symbol.dispose]()
    writeFileSync(lock, 'torn')
    ;(await openDataDirectory(directory, { role: 'index', joining: joiningAs('index') }))[Symbol.dispose]()
    assert.equal(lockHolder(lock), undefined)
  })
})
