import assert from 'node:assert/strict'
import type { ConversationState, Ruling } from '../../src/torrent/message-bounds.ts'
import { rule } from '../../src/torrent/message-bounds.ts'
import { PieceClaims } from '../../src/torrent/piece-claims.ts'
import { message as framed, extended as framedExtended } from './raw-peer.ts'

// Not taken from the sources: a bound that moves is to be seen here.
const BENCODE_DEPTH_MAX = 64
const BLOCK_BYTES_MAX = 128 * 1024
const HANDSHAKE_BYTES_MAX = 64 * 1024
const HANDSHAKES_MAX = 16
const METADATA_BYTES_MAX = 10_000_000
const PIECE_COUNT_MAX = 262_144
const UPDATES_MAX = 128

const PIECES = 20
const PIECE_BYTES = 2 * BLOCK_BYTES_MAX
const EXTENSIONS: Readonly<Record<number, string>> = { 1: 'ut_metadata', 2: 'lt_donthave' }

const conversation = (known: Partial<ConversationState> = {}): ConversationState => ({
  pieceCount: PIECES,
  pieceBytes: () => PIECE_BYTES,
  claims: new PieceClaims(),
  extendedHandshakes: 0,
  ourMetadataBytes: undefined,
  theirMetadataBytes: undefined,
  extensionName: (id) => EXTENSIONS[id],
  ...known,
})
/** Without the length in front. */
const message = (...parts: Parameters<typeof framed>) => framed(...parts).subarray(4)
const extended = (...parts: Parameters<typeof framedExtended>) => framedExtended(...parts).subarray(4)
const bits = (...bytes: number[]) => message(5, Uint8Array.from(bytes))
const what = (ruling: Ruling): string =>
  typeof ruling === 'string' ? ruling : 'violation' in ruling ? ruling.violation : 'rewritten'
const ruled = (state: ConversationState, ...messages: readonly Uint8Array[]) => messages.map((each) => what(rule(each, state)))

describe('the bounds of a message', () => {
  for (const [id, name] of [
    [4, 'have'],
    [13, 'suggest'],
    [17, 'allowed fast'],
  ] as const) {
    it(`takes ${name} of the last piece, and of none behind it`, () => {
      assert.deepEqual(ruled(conversation(), message(id, PIECES - 1), message(id, PIECES)), [
        'take',
        `${name} beyond the last piece`,
      ])
      const unknown = conversation({ pieceCount: undefined })
      const said = ruled(unknown, message(id, PIECE_COUNT_MAX - 1), message(id, PIECE_COUNT_MAX))
      assert.deepEqual(said, ['take', `${name} beyond the last piece`])
    })
  }

  const lengths: Readonly<Record<number, readonly number[]>> = { 1: [0, 1, 2, 3, 14, 15], 5: [4, 13, 17], 13: [6, 8, 16] }
  for (const [id, bytes] of Object.entries(lengths).flatMap(([bytes, ids]) => ids.map((id) => [id, Number(bytes)] as const))) {
    it(`refuses message ${id} when it is a byte too short or too long`, () => {
      for (const length of [bytes - 1, bytes + 1].filter((each) => each > 0)) {
        const [ruling] = ruled(conversation(), Uint8Array.from([id, ...new Uint8Array(length - 1)]))
        assert.match(ruling ?? '', new RegExp(`of ${length} bytes$`))
      }
    })
  }

  it('names what is of a wrong length', () => {
    const names = new Map([
      ...([
        [0, 'choke'],
        [1, 'unchoke'],
        [2, 'interested'],
        [3, 'not interested'],
        [14, 'have all'],
        [15, 'have none'],
      ] as const),
      ...([
        [4, 'have'],
        [13, 'suggest'],
        [17, 'allowed fast'],
        [6, 'request'],
        [8, 'cancel'],
        [16, 'reject'],
      ] as const),
    ])
    for (const [id, name] of names) assert.deepEqual(ruled(conversation(), Uint8Array.of(id, 0)), [`${name} of 2 bytes`])
    for (const id of [0, 1, 2, 3]) assert.deepEqual(ruled(conversation(), Uint8Array.of(id)), ['take'])
    assert.deepEqual(ruled(conversation(), Uint8Array.from([16, ...new Uint8Array(12)])), ['take'], 'a reject')
    assert.deepEqual(ruled(conversation(), new Uint8Array()), ['drop'])
    assert.deepEqual(ruled(conversation(), Uint8Array.of(20)), ['extended message without an id'])
  })

  it('rules on metadata, with the header of the message before what is taken instead', () => {
    const state = conversation({ extendedHandshakes: 1, ourMetadataBytes: 20_000, theirMetadataBytes: 20_000 })
    const asked = Buffer.from('d8:msg_typei0e5:piecei1ee')
    const ruling = rule(extended(1, asked), state)
    assert.ok(typeof ruling === 'object' && 'rewritten' in ruling)
    assert.deepEqual(Buffer.from(ruling.rewritten), Buffer.from([20, 1, ...asked]))
    assert.deepEqual(
      ruled(state, extended(1, Buffer.from('d8:msg_typei0e5:piecei9ee'))).filter((each) => each === 'take'),
      [],
    )
    assert.match(what(rule(extended(1, Buffer.from('x')), state)), /metadata/)
    assert.equal(what(rule(extended(9, Buffer.from('x')), state)), 'drop', 'an extension that we have not')
    const other = conversation({ extendedHandshakes: 1, extensionName: () => 'ut_pex' })
    assert.equal(what(rule(extended(1, Buffer.from('x')), other)), 'take')
  })

  it('takes a request of the largest block up to the end of its piece, and nothing further', () => {
    const largest = message(6, 0, PIECE_BYTES - BLOCK_BYTES_MAX, BLOCK_BYTES_MAX)
    assert.deepEqual(ruled(conversation(), largest), ['take'])
    assert.deepEqual(ruled(conversation(), message(6, 0, PIECE_BYTES - BLOCK_BYTES_MAX + 1, BLOCK_BYTES_MAX)), [
      'request beyond the end of its piece',
    ])
    assert.deepEqual(ruled(conversation(), message(6, 0, 0, BLOCK_BYTES_MAX + 1)), [`request of ${BLOCK_BYTES_MAX + 1} bytes`])
    assert.deepEqual(ruled(conversation(), message(6, 0, 0, 0)), ['request of 0 bytes'])
    assert.deepEqual(ruled(conversation(), message(6, PIECES, 0, 1)), ['request beyond the last piece'])
    assert.deepEqual(ruled(conversation({ pieceCount: undefined }), largest), ['drop'])
  })

  it('takes a piece with a block, which may be empty, and none without', () => {
    assert.deepEqual(ruled(conversation(), message(7, 0, 0), message(7, 0)), ['take', 'piece without a block'])
  })

  it('drops what is of no use: cancel, a DHT port, and what it does not know', () => {
    assert.deepEqual(ruled(conversation(), message(8, 0, 0, 1), message(9, new Uint8Array(2)), message(99)), [
      'drop',
      'drop',
      'drop',
    ])
  })

  it(`takes ${HANDSHAKES_MAX} extended handshakes, and not one more`, () => {
    const many = Array.from({ length: HANDSHAKES_MAX + 1 }, () => extended(0, 'de'))
    assert.deepEqual(ruled(conversation(), ...many), [
      ...many.slice(1).map(() => 'take'),
      `more than ${HANDSHAKES_MAX} extended handshakes`,
    ])
  })

  it('takes an extended handshake of the largest size, and not a byte more', () => {
    const ofBytes = (bytes: number) => {
      const text = bytes - `d1:v${bytes}:e`.length
      return extended(0, `d1:v${text}:${'x'.repeat(text)}e`.padEnd(bytes, '!'))
    }
    assert.equal(ofBytes(HANDSHAKE_BYTES_MAX).length - 2, HANDSHAKE_BYTES_MAX)
    assert.deepEqual(ruled(conversation(), ofBytes(HANDSHAKE_BYTES_MAX)), ['take'])
    assert.deepEqual(ruled(conversation(), extended(0, new Uint8Array(HANDSHAKE_BYTES_MAX + 1))), [
      `extended handshake of ${HANDSHAKE_BYTES_MAX + 1} bytes`,
    ])
  })

  it('reads an extended handshake as deep as bencode may be nested, and no deeper', () => {
    const nested = (depth: number) => extended(0, `d1:x${'l'.repeat(depth)}${'e'.repeat(depth)}e`)
    assert.deepEqual(ruled(conversation(), nested(BENCODE_DEPTH_MAX), nested(BENCODE_DEPTH_MAX + 1)), [
      'take',
      'malformed extended handshake',
    ])
  })

  it('takes ids of extensions that are a byte, and no others', () => {
    const withId = (id: number) => extended(0, `d1:md1:xi${id}eee`)
    assert.deepEqual(ruled(conversation(), withId(255), withId(256), withId(-1)), [
      'take',
      'extension id out of range',
      'extension id out of range',
    ])
  })

  it('takes no message of an extension before the extended handshake', () => {
    assert.deepEqual(ruled(conversation(), extended(1, 'd8:msg_typei0e5:piecei0ee')), [
      'ut_metadata before the extended handshake',
    ])
    assert.deepEqual(ruled(conversation(), extended(2, new Uint8Array(4))), ['lt_donthave before the extended handshake'])
    assert.deepEqual(ruled(conversation(), extended(77, 'x')), ['drop'])
    assert.deepEqual(ruled(conversation(), message(20)), ['extended message without an id'])
  })

  it('remembers the size of the metadata that a peer announced first', () => {
    const announcing = (size: number) => extended(0, `d13:metadata_sizei${size}ee`)
    const state = conversation()
    assert.deepEqual(ruled(state, announcing(0), announcing(METADATA_BYTES_MAX + 1), announcing(-1)), ['take', 'take', 'take'])
    assert.equal(state.theirMetadataBytes, undefined)
    assert.deepEqual(ruled(state, announcing(METADATA_BYTES_MAX), announcing(METADATA_BYTES_MAX), announcing(0)), [
      'take',
      'take',
      'take',
    ])
    assert.equal(state.theirMetadataBytes, METADATA_BYTES_MAX)
    assert.deepEqual(ruled(state, announcing(1)), ['another metadata size than it announced before'])
  })
})

describe('what a peer says it has', () => {
  it('may be said again in a bitfield, of the right length and without spare bits', () => {
    const state = conversation()
    assert.deepEqual(ruled(state, bits(0x80, 0, 0), bits(0xff, 0xff, 0xf0), bits(0, 0, 0)), ['take', 'take', 'take'])
    assert.deepEqual(ruled(state, bits(0, 0)), ['a bitfield of another length than the one before'])
    assert.deepEqual(ruled(conversation(), bits(0, 0)), ['a bitfield of 2 bytes where 3 are right'])
    assert.deepEqual(ruled(conversation(), bits(0, 0, 0, 0)), ['a bitfield of 4 bytes where 3 are right'])
    assert.deepEqual(ruled(conversation(), bits(0, 0, 0x10), bits(0, 0, 0x08)), ['take', 'a piece beyond the last one'])
  })

  for (const [name, again] of [
    ['bitfields', bits(0, 0, 0)],
    ['"have all"', message(14)],
  ] as const) {
    it(`may be updated ${UPDATES_MAX} times in ${name}, and not once more`, () => {
      const said = ruled(conversation(), message(15), ...Array.from({ length: UPDATES_MAX + 1 }, () => again))
      assert.deepEqual(said.slice(0, -1), new Array(UPDATES_MAX + 1).fill('take'))
      assert.equal(said.at(-1), `more than ${UPDATES_MAX} updates of everything it has`)
    })
  }

  it('leaves room for a client that sends each update as soon as a bitfield is no longer than its haves', () => {
    for (const pieces of [1, 8, 9, 100, 1_000, 50_000, PIECE_COUNT_MAX]) {
      const perUpdate = Math.ceil((5 + Math.ceil(pieces / 8)) / 9)
      assert.ok(Math.ceil(pieces / perUpdate) <= 72, `${pieces} pieces`)
    }
  })

  it('may be nothing at first only', () => {
    assert.deepEqual(ruled(conversation(), message(15)), ['take'])
    assert.deepEqual(ruled(conversation(), message(14), message(15)), ['take', 'have none after it said what it has'])
  })

  it('is looked at again when it is known how many pieces there are', () => {
    const state = conversation({ pieceCount: undefined })
    assert.deepEqual(ruled(state, bits(0, 0, 0x10), message(4, PIECES - 1)), ['take', 'take'])
    assert.equal(state.claims.problemWith(PIECES), undefined)
    assert.equal(state.claims.problemWith(PIECES - 1), 'a piece beyond the last one')
    assert.equal(state.claims.problemWith(25), 'a bitfield of 3 bytes where 4 are right')
    const large = new Uint8Array(PIECE_COUNT_MAX / 8)
    assert.deepEqual(ruled(conversation({ pieceCount: undefined }), message(5, large)), ['take'])
    assert.deepEqual(ruled(conversation({ pieceCount: undefined }), message(5, new Uint8Array(large.length + 1))), [
      `a bitfield of ${large.length + 1} bytes`,
    ])
  })

  it('may be taken back, each piece once', () => {
    const donthave = (index: number) => extended(2, message(0, index).subarray(1))
    const state = conversation({ extendedHandshakes: 1 })
    assert.deepEqual(
      ruled(state, ...Array.from({ length: PIECES }, (_, index) => donthave(index))),
      new Array(PIECES).fill('take'),
    )
    assert.deepEqual(ruled(state, donthave(0)), ['more pieces taken back than there are'])
    assert.deepEqual(ruled(conversation({ extendedHandshakes: 1 }), donthave(PIECES)), ['lt_donthave beyond the last piece'])
    assert.deepEqual(ruled(conversation({ extendedHandshakes: 1 }), extended(2, new Uint8Array(5))), ['lt_donthave of 5 bytes'])
  })
})
