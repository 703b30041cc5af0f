import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  joinSettings,
  readSettings,
  type Settings,
  settingsIn,
  settingsText,
  withSettings,
  writeSettings,
} from '../../../src/cli/services/kept-settings.ts'

const EVERY: Settings = {
  bootstrap: ['a:1', 'b:2'],
  host: '192.0.2.10',
  port: 4711,
  advertise: 'node.example.org',
  'retain-liveness': 30,
  'disk-limit': '1GB',
  metrics: '9464',
  'log-level': 'warn',
  downloads: '/srv/torrents',
  'public-dht': 'dht.example:6881',
  'local-discovery': true,
}

describe('settings of a start', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'p2pt-settings-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('are read as they were written, and none are there at first', () => {
    assert.deepEqual(readSettings(directory), {})
    writeSettings(directory, EVERY)
    assert.deepEqual(readSettings(directory), EVERY)
    assert.deepEqual(Object.keys(settingsIn(EVERY)).sort(), Object.keys(EVERY).sort())
  })

  it('are what was given, else what was kept; an empty one is forgotten', () => {
    const holds = joinSettings(EVERY, { port: 0, metrics: '', bootstrap: [''], host: '0.0.0.0' })
    const { metrics: _metrics, bootstrap: _bootstrap, ...rest } = EVERY
    assert.deepEqual(holds, { ...rest, port: 0, host: '0.0.0.0' })
    assert.deepEqual(withSettings({ ...EVERY, metrics: '' }, holds).metrics, undefined)
  })

  it('do not hold what is said once only, and hold paths from the root on', () => {
    const flags = { port: 5, join: 'p2pt:x', network: 'n', 'accept-fork-risk': true, 'allow-corrupt': true, downloads: 'here' }
    assert.deepEqual(settingsIn(flags), { port: 5, downloads: resolve('here') })
  })

  it('are told as flags, those alone that were not given again', () => {
    assert.equal(settingsText({}, {}), '')
    assert.equal(
      settingsText({ bootstrap: ['a:1', 'b:2'], port: 4711, host: '192.0.2.10' }, { port: 5 }),
      '--bootstrap a:1 --bootstrap b:2 --host 192.0.2.10',
    )
  })

  it('in a file that was damaged keep the node from starting, with what to do', () => {
    const file = join(directory, 'settings.json')
    const bad: unknown[] = [
      { port: '5' },
      { port: -1 },
      { port: 65_535 },
      { port: 1.5 },
      { host: 5 },
      { 'public-dht': true },
      { 'local-discovery': 'yes' },
      { bootstrap: 'a:1' },
      { bootstrap: [5] },
      { 'log-level': 'loud' },
    ]
    for (const flags of bad) {
      writeFileSync(file, JSON.stringify({ flags }))
      assert.throws(
        () => readSettings(directory),
        {
          name: 'ServiceError',
          code: 'failed',
          message:
            /settings\.json cannot be read \(.* is not what it should be\): remove it, and give the flags of the start once more/,
        },
        JSON.stringify(flags),
      )
    }
    for (const text of ['', '{', 'null', '{"flags":null}']) {
      writeFileSync(file, text)
      assert.throws(() => readSettings(directory), { name: 'ServiceError', code: 'failed' }, text)
    }
    writeFileSync(file, JSON.stringify({ flags: { port: 5, 'of-a-later-version': true } }))
    assert.deepEqual(readSettings(directory), { port: 5 })
    assert.ok(readFileSync(file, 'utf8').includes('later'))
  })
})
