import assert from 'node:assert/strict'
import { METHOD_BY_NAME } from '../../src/control/methods.ts'
import { INDEX_METHODS } from '../../src/roles/index-node/index-messages.ts'
import { IDENTITY_PROOF_BYTES } from '../../src/torrent/identity-proof.ts'
import { document, tableAfter } from './documents.ts'

const text = document('docs/protocol.md')
const unquoted = (cell = ''): string => cell.replaceAll('`', '')

describe('the description of the protocol', () => {
  it('has every wire message with its number', () => {
    const told = new Map<string, number>()
    for (const [names = '', numbers = ''] of tableAfter(text, '### Messages')) {
      const first = Number.parseInt(numbers, 10)
      unquoted(names)
        .split(', ')
        .forEach((name, index) => {
          told.set(name, first + index)
        })
    }
    const wire = /^ {2}oneof message \{\n(.*?)^ {2}\}/ms.exec(document('proto/wire.proto'))?.[1] ?? ''
    const defined = [...wire.matchAll(/^ +(\w+) \w+ = (\d+);/gm)].map(([, name = '', number]): [string, number] => [
      name,
      Number(number),
    ])
    assert.ok(defined.length > 0)
    assert.deepEqual([...told].sort(), defined.sort())
  })

  it('has every method of the control socket with its shape and its parameters, and no other', () => {
    const rows = tableAfter(text, 'Methods are `service.method`')
    assert.deepEqual(
      rows.map(([method, shape]) => [unquoted(method), shape]),
      [...METHOD_BY_NAME].map(([name, { shape }]) => [name, shape]),
    )
    for (const [method, , parameters = ''] of rows) {
      const { length } = METHOD_BY_NAME.get(unquoted(method))?.parameters ?? []
      const described = parameters.replace(/`[^`]*`/g, 'record')
      assert.equal(described === '' ? 0 : described.split(', ').length, length, method)
    }
  })

  it('has every method of index nodes', () => {
    const told = tableAfter(text, '## Methods of index nodes').map(([method]) => unquoted(method))
    assert.deepEqual(told.sort(), Object.values(INDEX_METHODS).sort())
  })

  it('gives the proof of identity the length it has', () => {
    const message = tableAfter(text, '### Proof of identity').map(([bytes]) => Number(bytes))
    assert.equal(
      message.slice(-2).reduce((sum, bytes) => sum + bytes, 0),
      IDENTITY_PROOF_BYTES,
    )
    assert.ok(tableAfter(text, '### Proof of identity')[0]?.[1]?.endsWith(` ${IDENTITY_PROOF_BYTES + 2}`))
  })
})
