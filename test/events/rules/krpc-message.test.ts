import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isKrpcMessage } from '../../../src/events/rules/krpc-message.ts'

const ID = '20:aaaaaaaaaaaaaaaaaaaa'
const is = (text: string): boolean => isKrpcMessage(new TextEncoder().encode(text), 'private')

describe('bounds of KRPC messages', () => {
  const honest = [
    ['a ping', `d1:ad2:id${ID}e1:q4:ping1:t2:aa1:y1:qe`],
    ['a find_node', `d1:ad2:id${ID}6:target${ID}e1:q9:find_node1:t2:aa1:y1:qe`],
    ['a get_peers', `d1:ad2:id${ID}9:info_hash${ID}e1:q9:get_peers1:t2:aa1:y1:qe`],
    [
      'an announce_peer',
      `d1:ad2:id${ID}12:implied_porti1e9:info_hash${ID}4:porti6881e5:token2:xye1:q13:announce_peer1:t2:aa1:y1:qe`,
    ],
    [
      'an announce_peer of the port it comes from',
      `d1:ad2:id${ID}12:implied_porti1e9:info_hash${ID}4:porti0e5:token2:xye1:q13:announce_peer1:t2:aa1:y1:qe`,
    ],
    ['an answer with nodes', `d1:rd2:id${ID}5:nodes26:${'n'.repeat(26)}e1:t2:aa1:y1:re`],
    ['an answer with peers', `d1:rd2:id${ID}5:token2:xy6:valuesl6:abcdef6:ghijklee1:t2:aa1:y1:re`],
    ['an error', 'd1:eli203e3:bade1:t2:aa1:y1:ee'],
    ['a list in a list in a list', `d1:ad2:id${ID}e1:q4:ping1:t2:aa1:xllleee1:y1:qe`],
    ['a message with parts of other BEPs', `d1:ad2:id${ID}e1:q4:ping1:t2:aa1:v4:LT011:y1:qe`],
  ] as const
  for (const [what, text] of honest) it(`lets ${what} pass`, () => assert.equal(is(text), true))

  const hostile = [
    ['an integer for an info hash', `d1:ad2:id${ID}9:info_hashi5ee1:q9:get_peers1:t2:aa1:y1:qe`],
    ['a short info hash', `d1:ad2:id${ID}9:info_hash3:abce1:q9:get_peers1:t2:aa1:y1:qe`],
    ['an integer for a target', `d1:ad2:id${ID}6:targeti5ee1:q9:find_node1:t2:aa1:y1:qe`],
    ['an integer for a token', `d1:ad2:id${ID}5:tokeni5ee1:q13:announce_peer1:t2:aa1:y1:qe`],
    ['a list for an id', 'd1:ad2:idl1:aee1:q4:ping1:t2:aa1:y1:qe'],
    ['storing an item', `d1:ad2:id${ID}5:token1:a1:v1:ve1:q3:put1:t2:aa1:y1:qe`],
    ['nodes of a broken length', `d1:rd2:id${ID}5:nodes25:${'n'.repeat(25)}e1:t2:aa1:y1:re`],
    ['a peer of a broken length', `d1:rd2:id${ID}6:valuesl5:abcdeee1:t2:aa1:y1:re`],
    ['an error of dictionaries', 'd1:elded1:a1:bee1:t2:aa1:y1:ee'],
    ['a port of 0', `d1:ad2:id${ID}9:info_hash${ID}4:porti0e5:token2:xye1:q13:announce_peer1:t2:aa1:y1:qe`],
    ['a port of 65536', `d1:ad2:id${ID}9:info_hash${ID}4:porti65536e5:token2:xye1:q13:announce_peer1:t2:aa1:y1:qe`],
    ['a node at port 0', `d1:rd2:id${ID}5:nodes26:${'n'.repeat(24)}\0\0e1:t2:aa1:y1:re`],
    ['a second node at 0.0.0.0', `d1:rd2:id${ID}5:nodes52:${'n'.repeat(46)}\0\0\0\0nne1:t2:aa1:y1:re`],
    ['a peer at port 0', `d1:rd2:id${ID}6:valuesl6:abcdef6:abcd\0\0ee1:t2:aa1:y1:re`],
    ['a peer at 0.0.0.1', `d1:rd2:id${ID}6:valuesl6:\0\0\0\x01efee1:t2:aa1:y1:re`],
    ['a key twice', `d1:ad2:id${ID}2:idi1ee1:q4:ping1:t2:aa1:y1:qe`],
    ['no transaction', `d1:ad2:id${ID}e1:q4:ping1:y1:qe`],
    ['trailing bytes', `d1:ad2:id${ID}e1:q4:ping1:t2:aa1:y1:qexx`],
    ['deep nesting', 'l'.repeat(4_000)],
    ['a list in a list in a list in a list', `d1:ad2:id${ID}e1:q4:ping1:t2:aa1:xlllleeee1:y1:qe`],
    ['a string longer than the datagram', '99:a'],
    ['nothing', ''],
    ['a large datagram', `d1:ad2:id${ID}e1:q4:ping1:t2:aa1:x9000:${'x'.repeat(9_000)}1:y1:qe`],
  ] as const
  const misaddressed: readonly string[] = [
    'a node at port 0',
    'a second node at 0.0.0.0',
    'a peer at port 0',
    'a peer at 0.0.0.1',
  ]
  for (const [what, text] of hostile)
    it(`${misaddressed.includes(what) ? 'leaves to who dials' : 'stops'} ${what} in the public DHT`, () =>
      assert.equal(isKrpcMessage(new TextEncoder().encode(text), 'public'), misaddressed.includes(what)))
  for (const [what, text] of hostile) it(`stops ${what}`, () => assert.equal(is(text), false))

  it('bounds a transaction, a token and a datagram', () => {
    const query = (transaction: number, token = 1, more = 0) =>
      `d1:ad2:id${ID}5:token${token}:${'x'.repeat(token)}e1:q4:ping1:t${transaction}:${'t'.repeat(transaction)}${
        more === 0 ? '' : `1:x${more}:${'x'.repeat(more)}`
      }1:y1:qe`
    assert.deepEqual(
      [1, 32, 0, 33].map((length) => is(query(length))),
      [true, true, false, false],
    )
    assert.deepEqual(
      [0, 64, 65].map((length) => is(query(2, length))),
      [true, true, false],
    )
    const rest = query(2, 1, 8_000).length - 8_000
    assert.equal(query(2, 1, 8_192 - rest).length, 8_192)
    assert.deepEqual([is(query(2, 1, 8_192 - rest)), is(query(2, 1, 8_193 - rest))], [true, false])
  })

  it('stops nodes and peers at multicast, reserved and broadcast addresses', () => {
    const node = (first: number) => Uint8Array.from([...Array(20).fill(110), first, 0, 0, 1, 26, 225])
    for (const [first, passes] of [
      [1, true],
      [127, true],
      [223, true],
      [0, false],
      [224, false],
      [240, false],
      [255, false],
    ] as const) {
      const [before, after] = [`d1:rd2:id${ID}5:nodes26:`, 'e1:t2:aa1:y1:re'].map((text) => [...new TextEncoder().encode(text)])
      assert.equal(
        isKrpcMessage(Uint8Array.from([...(before ?? []), ...node(first), ...(after ?? [])]), 'private'),
        passes,
        String(first),
      )
    }
  })

  it('says yes or no to any bytes, and never throws', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300, size: 'max' }),
        (bytes) => typeof isKrpcMessage(bytes, 'private') === 'boolean',
      ),
    )
  })

  it('stops honest messages with a byte changed, or lets them pass, and never throws', () => {
    const texts = honest.map(([, text]) => new TextEncoder().encode(text))
    const mutated = fc.tuple(fc.constantFrom(...texts), fc.nat(), fc.nat(255)).map(([bytes, at, value]) => {
      return bytes.map((byte, index) => (index === at % bytes.length ? value : byte))
    })
    fc.assert(fc.property(mutated, (bytes) => typeof isKrpcMessage(bytes, 'private') === 'boolean'))
  })
})
