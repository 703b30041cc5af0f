import assert from 'node:assert/strict'
import {
  type Bencoded,
  countItems,
  type DecodeOptions,
  decode,
  decodePrefix,
  dictionarySpans,
  encode,
  itemsOf,
} from '../../src/torrent/bencode.ts'

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'))
const text = (value: Uint8Array): string => Buffer.from(value).toString('latin1')
/** With byte strings as text, and dictionaries as lists of pairs. */
const plain = (value: Bencoded): unknown =>
  value instanceof Uint8Array
    ? text(value)
    : value instanceof Map
      ? [...value].map(([key, each]) => [key, plain(each)])
      : Array.isArray(value)
        ? value.map(plain)
        : value
const read = (from: string, options?: DecodeOptions) => plain(decode(bytes(from), options))
const refusal = (message: string) => ({ name: 'BencodeError', message })

describe('bencode, word for word', () => {
  it('is refused with what is wrong', () => {
    for (const [from, why] of [
      ['i1ee', '1 bytes follow the end'],
      ['i1exyz', '3 bytes follow the end'],
      ['', 'cut short'],
      ['i12', 'cut short'],
      ['i', 'cut short'],
      ['4:abc', 'cut short'],
      ['4', 'cut short'],
      ['l', 'cut short'],
      ['d1:a', 'cut short'],
      ['ie', 'a number without digits'],
      ['i-e', 'a number without digits'],
      [':', 'a number without digits'],
      ['i01e', 'a number with a leading zero'],
      ['01:a', 'a number with a leading zero'],
      ['i-0e', 'minus zero'],
      ['i9007199254740992e', 'number too large'],
      ['i1.e', 'unexpected byte 0x2e'],
      ['x', 'unexpected byte 0x78'],
      ['-1:a', 'unexpected byte 0x2d'],
      ['d1:ai1e1:ai2ee', 'a key occurs twice'],
      ['di1ei1ee', 'unexpected byte 0x69'],
    ] as const)
      assert.throws(() => read(from), refusal(why), from)
  })

  it('has keys in ascending order only where that is asked for', () => {
    assert.deepEqual(read('d1:bi1e1:ai2ee'), [
      ['b', 1],
      ['a', 2],
    ])
    assert.throws(() => read('d1:bi1e1:ai2ee', { sortedKeys: true }), refusal('keys are not in ascending order'))
    assert.deepEqual(read('d1:ai1e2:aai2e1:bi3ee', { sortedKeys: true }), [
      ['a', 1],
      ['aa', 2],
      ['b', 3],
    ])
    assert.throws(() => read('ld1:bi1e1:ai2eee', { sortedKeys: true }), refusal('keys are not in ascending order'))
    assert.deepEqual(read('d1:bi1e1:bi2ee', { sortedKeys: true, firstOfSame: true }), [['b', 1]])
  })

  it('may have the same key again only where that is asked for: the first counts', () => {
    assert.deepEqual(read('d1:ai1e1:bi3e1:ai2ee', { firstOfSame: true }), [
      ['a', 1],
      ['b', 3],
    ])
    assert.throws(() => read('d1:ai1e1:ai2ee', { firstOfSame: false }), refusal('a key occurs twice'))
  })

  it('is as sloppy as torrents are only where that is asked for', () => {
    const lenient = { lenient: true }
    assert.deepEqual(
      ['i01e', 'i-0e', '01:a', 'i-5e', 'i-05e', 'i9007199254740992e'].map((from) => read(from, lenient)),
      [1, 0, 'a', -5, -5, 2 ** 53],
    )
    assert.equal(Object.is(read('i-0e', lenient), 0), true, 'not minus zero')
    assert.throws(() => read('i01e', { lenient: false }), refusal('a number with a leading zero'))
  })

  it('nests as deep as its bound', () => {
    const nested = (depth: number) => `${'l'.repeat(depth)}i1e${'e'.repeat(depth)}`
    assert.ok(read(nested(64)))
    assert.throws(() => read(nested(65)), refusal('nested deeper than 64'))
    assert.ok(read(nested(100), { lenient: true }))
    assert.throws(() => read(nested(101), { lenient: true }), refusal('nested deeper than 100'))
    const inDictionaries = (depth: number) => `${'d1:a'.repeat(depth)}i1e${'e'.repeat(depth)}`
    assert.ok(read(inDictionaries(64)))
    assert.throws(() => read(inDictionaries(65)), refusal('nested deeper than 64'))
  })

  it('gives the value of one key of the outermost dictionary as it stands', () => {
    const from = 'd1:ad1:bi1ee1:bl1:xi007eee'
    assert.deepEqual(read(from, { raw: 'b' }), [
      ['a', [['b', 1]]],
      ['b', 'l1:xi007ee'],
    ])
    assert.deepEqual(read('ld1:bi1eee', { raw: 'b' }), [[['b', 1]]])
    const deep = (depth: number) => `d1:b${'l'.repeat(depth)}${'e'.repeat(depth)}e`
    assert.ok(read(deep(100), { raw: 'b' }))
    assert.throws(() => read(deep(101), { raw: 'b' }), refusal('nested deeper than 100'))
  })

  it('begins and ends anywhere in other bytes', () => {
    const { value, end } = decodePrefix(bytes('xxli1e2:abexx'), 2)
    assert.deepEqual([plain(value), end], [[1, 'ab'], 11])
  })
})

describe('the spans of a dictionary', () => {
  const spans = (from: string, options?: Parameters<typeof dictionarySpans>[1]) =>
    [...dictionarySpans(bytes(from), options)].map(([key, value]) => [key, text(value)])

  it('are its values as they stand, of a key that occurs again the first', () => {
    assert.deepEqual(spans('d1:ai01e1:bl1:xd1:yi1eee1:c2:zze'), [
      ['a', 'i01e'],
      ['b', 'l1:xd1:yi1eee'],
      ['c', '2:zz'],
    ])
    assert.deepEqual(spans('d1:ai1e1:ai2ee'), [['a', 'i1e']])
    assert.deepEqual(spans('de'), [])
  })

  it('are refused where it is none, or not all of it, or a key is there twice that must not be', () => {
    assert.throws(() => spans('le'), refusal('not a dictionary'))
    assert.throws(() => spans(''), refusal('not a dictionary'))
    assert.throws(() => spans('d1:ai1eex'), refusal('bytes follow the end'))
    assert.deepEqual(spans('d1:ai1eex', { isWhole: false }), [['a', 'i1e']])
    assert.throws(() => spans('d1:ai1e1:ai2ee', { unique: ['b', 'a'] }), refusal('it has "a" twice'))
    assert.deepEqual(spans('d1:ai1e1:ai2ee', { unique: ['b'] }), [['a', 'i1e']])
    for (const cut of ['d', 'd1:a', 'd1:ai1e', 'd1:al', 'd1:ad1:b']) assert.throws(() => spans(cut), refusal('cut short'), cut)
  })

  it('nest as deep as a torrent may', () => {
    const lists = (depth: number) => `d1:a${'l'.repeat(depth)}${'e'.repeat(depth)}e`
    const dictionaries = (depth: number) => `d1:a${'d1:b'.repeat(depth)}0:${'e'.repeat(depth)}e`
    assert.equal(spans(lists(100)).length, 1)
    assert.throws(() => spans(lists(101)), refusal('nested deeper than 100'))
    assert.equal(spans(dictionaries(99)).length, 1)
    assert.throws(() => spans(dictionaries(100)), refusal('nested deeper than 100'))
  })
})

describe('a list as bytes', () => {
  it('is counted, and read item by item', () => {
    for (const [from, items] of [
      ['le', []],
      ['li1e2:abli2eed1:ai3eee', [1, 'ab', [2], [['a', 3]]]],
    ] as const) {
      assert.equal(countItems(bytes(from)), items.length)
      assert.deepEqual([...itemsOf(bytes(from))].map(plain), items)
    }
    for (const from of ['i1e', 'de', '1:l', '']) assert.equal(countItems(bytes(from)), undefined)
  })

  it('is refused where it is cut, at the item that is', () => {
    for (const cut of ['l', 'li1e', 'li1', 'l2:a']) {
      assert.throws(() => countItems(bytes(cut)), refusal('cut short'))
      assert.throws(() => [...itemsOf(bytes(cut))], refusal('cut short'))
    }
    const items = itemsOf(bytes('li1ex'))
    assert.equal(items.next().value, 1)
    assert.throws(() => items.next(), refusal('unexpected byte 0x78'))
    assert.deepEqual([...itemsOf(bytes('li01ee'), { lenient: true })], [1])
    assert.throws(() => [...itemsOf(bytes('li01ee'))], refusal('a number with a leading zero'))
  })
})

describe('what is written', () => {
  it('is of its bytes, keys in ascending order, what is undefined left out', () => {
    const written = (value: Parameters<typeof encode>[0]) => text(encode(value))
    assert.deepEqual([0, -5, '', 'abc', 'ä', Uint8Array.of(255), [], ['a', 1], {}].map(written), [
      'i0e',
      'i-5e',
      '0:',
      '3:abc',
      '2:\u00c3\u00a4',
      '1:\u00ff',
      'le',
      'l1:ai1ee',
      'de',
    ])
    assert.equal(written({ b: 1, a: { d: [], c: 'x' } }), 'd1:ad1:c1:x1:dlee1:bi1ee')
    assert.equal(written({ a: undefined, b: 1 } as never), 'd1:bi1ee')
    assert.equal(written({ ä: '\u007f', a: '\u0080' }), 'd1:a2:\u00c2\u00802:\u00c3\u00a41:\u007fe')
    assert.equal(
      written(
        new Map<string, number>([
          ['\u00ff', 1],
          ['b', 2],
          ['a', 3],
        ]),
      ),
      'd1:ai3e1:bi2e1:\u00ffi1ee',
    )
  })

  it('grows over any length, of one value or of many', () => {
    for (const length of [1_018, 1_019, 1_020, 1_021, 5_000, 100_000]) {
      const value = new Uint8Array(length).fill(7)
      assert.deepEqual(decode(encode(value)), value)
      assert.deepEqual(plain(decode(encode([value, 'x'.repeat(length), value]))), [
        text(value),
        'x'.repeat(length),
        text(value),
      ])
    }
    const many = Array.from({ length: 2_000 }, (_, index) => index)
    assert.deepEqual(decode(encode(many)), many)
  })
})
