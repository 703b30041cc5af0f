import assert from 'node:assert/strict'
import { encode } from '../../../src/torrent/bencode.ts'
import { decodeExtendedHandshake, encodeExtendedHandshake } from '../../../src/torrent/wire/extended-handshake.ts'

describe('an extended handshake', () => {
  it('tells the ids of extensions, the client, the size of the metadata and how many requests are taken', () => {
    const bytes = encodeExtendedHandshake({ ut_metadata: 1, p2pt_id: 3 }, { v: 'p2pt', reqq: 1024, metadata_size: 77, p: 6881 })
    assert.deepEqual(decodeExtendedHandshake(bytes, undefined), {
      ids: new Map([
        ['p2pt_id', 3],
        ['ut_metadata', 1],
      ]),
      ...{ client: 'p2pt', metadataBytes: 77, requestsMax: 1024, port: 6881 },
    })
  })

  it('adds to the one before, and takes back an extension by the id 0', () => {
    const first = decodeExtendedHandshake(
      encode({ m: { ut_metadata: 1, lt_donthave: 2 }, v: 'a', reqq: 9, metadata_size: 5, p: 7 }),
      undefined,
    )
    assert.deepEqual(decodeExtendedHandshake(encode({ m: { ut_metadata: 0 } }), first), {
      ids: new Map([['lt_donthave', 2]]),
      ...{ client: 'a', metadataBytes: 5, requestsMax: 9, port: 7 },
    })
  })

  it('without the least sense still has values in range', () => {
    const odd = decodeExtendedHandshake(encode({ reqq: 1_000_000, metadata_size: 0, v: 'x'.repeat(1_000) }), undefined)
    assert.deepEqual([odd.requestsMax, odd.metadataBytes, odd.client.length, odd.ids.size], [0xffff, undefined, 64, 0])
    assert.equal(decodeExtendedHandshake(encode({ reqq: 0, v: 5 }), undefined).requestsMax, 250)
    const portOf = (p: number) => decodeExtendedHandshake(encode({ p }), undefined).port
    assert.deepEqual([0, 1, 65_535, 65_536, -1].map(portOf), [undefined, 1, 65_535, undefined, undefined])
  })

  const said = (m: Record<string, number | string>, before?: ReturnType<typeof decodeExtendedHandshake>) =>
    decodeExtendedHandshake(
      encode({
        m: Object.fromEntries(Object.entries(m).map(([name, id]) => [name, typeof id === 'string' ? Buffer.from(id) : id])),
      }),
      before,
    )

  it('has 64 extensions at most, each with a name of 64 letters at most; those it has may change', () => {
    const names = (count: number, from = 0) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`e${index + from}`, index + 1]))
    const full = said(names(64))
    assert.equal(full.ids.size, 64)
    const more = said({ ...names(3, 64), e0: 99 }, full)
    assert.deepEqual([more.ids.size, more.ids.get('e0'), more.ids.has('e64')], [64, 99, false])
    assert.equal(said(names(65)).ids.size, 64)
    assert.deepEqual([...said({ ['x'.repeat(64)]: 1, ['y'.repeat(65)]: 2 }).ids.values()], [1])
    assert.equal(said({ odd: 'text' }).ids.size, 0)
  })

  it('that says nothing of it has the values of one that never was', () => {
    assert.deepEqual(decodeExtendedHandshake(encode({}), undefined), {
      ...{ ids: new Map(), client: '', metadataBytes: undefined, requestsMax: 250, port: undefined },
    })
    assert.deepEqual(decodeExtendedHandshake(encode({ m: 5, metadata_size: -1, reqq: -1, p: 'x', v: 1 }), undefined), {
      ...{ ids: new Map(), client: '', metadataBytes: undefined, requestsMax: 250, port: undefined },
    })
    const one = decodeExtendedHandshake(encode({ reqq: 1, metadata_size: 1, p: 1 }), undefined)
    assert.deepEqual([one.requestsMax, one.metadataBytes, one.port], [1, 1, 1])
    assert.equal(decodeExtendedHandshake(encode({ reqq: 65_535 }), undefined).requestsMax, 65_535)
  })

  it('has a name of the client of 64 characters at most, whole ones', () => {
    const client = (name: string) => decodeExtendedHandshake(encode({ v: Buffer.from(name) }), undefined).client
    assert.equal(client('é'.repeat(64)), 'é'.repeat(64))
    assert.equal(client('水'.repeat(70)), '水'.repeat(64))
    assert.equal(client('x'.repeat(64)), 'x'.repeat(64))
  })

  it('leaves the one before as it was', () => {
    const first = said({ a: 1, b: 2 })
    said({ a: 0, c: 3 }, first)
    assert.deepEqual(
      [...first.ids],
      [
        ['a', 1],
        ['b', 2],
      ],
    )
  })
})
