import assert from 'node:assert/strict'
import { ALL_KINDS, belongsIn, KINDS, type Stream } from '../../src/events/index.ts'
import { signerFromSeed } from '../../src/events/keys/signer.sodium.ts'
import { allProjections } from '../../src/projections/index.ts'
import { EVERY_KIND } from '../events/samples.ts'
import { TEST_KEYS, TEST_NETWORK } from '../events/test-network.ts'
import { document, tableAfter } from './documents.ts'

const text = document('docs/event-catalogue.md')
const rows = new Map(
  tableAfter(text, '## All kinds').map(([number = '', kind = '', version = '', stream = '', by = '', , readBy = '']) => [
    kind.replaceAll('`', ''),
    { number: Number(number), version: Number(version), streams: stream.split(', '), by, readBy: readBy.split(', ') },
  ]),
)

describe('the event catalogue', () => {
  it('has each kind with its number and version, in the order of the numbers, and no other', () => {
    assert.deepEqual([...rows.keys()], ALL_KINDS)
    for (const kind of ALL_KINDS) {
      const { number, version, streams = [], by } = rows.get(kind) ?? {}
      const said = { number, version, stream: streams[0], by: by === 'members' ? 'member' : by === 'all' ? 'anyone' : by }
      assert.deepEqual(said, KINDS[kind], kind)
      for (const stream of streams) assert.ok(belongsIn(kind, stream as Stream), `${kind} in ${stream}`)
    }
  })

  it('names for each kind the projections that read it', () => {
    const projections = Object.values(allProjections(signerFromSeed(new Uint8Array(32), TEST_NETWORK).id, TEST_KEYS))
    for (const kind of ALL_KINDS) {
      const readers = projections.filter(({ handles }) => handles.includes(kind)).map(({ name }) => name)
      assert.deepEqual(rows.get(kind)?.readBy, readers.length === 0 ? ['-'] : readers, kind)
    }
  })

  it('tells of every field of each kind', () => {
    const sections = text.split(/^### /m).slice(1)
    const told = new Set<string>()
    for (const { event } of EVERY_KIND) {
      if (event.kind === 'unknown') continue
      const { kind, ...fields } = event
      const section = sections.find((candidate) => candidate.split('\n')[0]?.includes(`\`${kind}\``))
      assert.ok(section, `no section about ${kind}`)
      for (const field of namesIn(fields)) assert.ok(section.includes(`\`${field}\``), `${kind} says nothing of ${field}`)
      told.add(kind)
    }
    assert.deepEqual([...told].sort(), [...ALL_KINDS].sort())
  })
})

/** Names of fields, those of listed objects included; names in a dictionary are no fields. */
function namesIn(fields: object): string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const items: unknown[] = Array.isArray(value) ? value : []
    return [name, ...items.flatMap((item) => (typeof item === 'object' && item !== null ? namesIn(item) : []))]
  })
}
