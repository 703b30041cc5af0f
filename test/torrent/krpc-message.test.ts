import assert from 'node:assert/strict'
import { isKrpcMessage } from '../../src/events/index.ts'

const ID = '2:id20:aaaaaaaaaaaaaaaaaaaa'
const query = (body: string) => `d1:ad${body}e1:q9:get_peers1:t2:aa1:y1:qe`
const answer = (body: string) => `d1:rd${body}e1:t2:aa1:y1:re`
const error = (body: string) => `d1:el${body}e1:t2:aa1:y1:ee`

describe('a message of the Mainline DHT', () => {
  const good = {
    'a ping': query(ID),
    'a query for an info hash': query(`${ID}9:info_hash20:bbbbbbbbbbbbbbbbbbbb`),
    'a query of another version': `d1:ad${ID}e1:q4:ping1:t4:aaaa1:v4:LT0x1:y1:qe`,
    'an answer with nodes': answer(`${ID}5:nodes0:5:token2:tt6:valuesl6:peer01e`),
    'an error': error('i203e3:bad'),
    'a query with a target and a token': query(`${ID}6:target20:bbbbbbbbbbbbbbbbbbbb5:token1:t`),
    'an answer with an id alone': answer(ID),
  }
  for (const [name, text] of Object.entries(good)) {
    it(`is ${name}`, () => {
      assert.equal(isKrpcMessage(Buffer.from(text), 'public'), true)
    })
  }

  const bad = {
    'nothing at all': '',
    'a list': 'le',
    'a query without a body': 'd1:q4:ping1:t2:aa1:y1:qe',
    'a query whose name is a number': `d1:ad${ID}e1:qi1e1:t2:aa1:y1:qe`,
    'a query without a transaction': `d1:ad${ID}e1:q4:ping1:y1:qe`,
    'an info hash that is a number': query(`${ID}9:info_hashi1e`),
    'an info hash of 19 bytes': query(`${ID}9:info_hash19:bbbbbbbbbbbbbbbbbbb`),
    'an info hash of 21 bytes': query(`${ID}9:info_hash21:bbbbbbbbbbbbbbbbbbbbb`),
    'a target that is a number': query(`${ID}6:targeti1e`),
    'a token that is a list': query(`${ID}5:tokenle`),
    'an answer without an id': answer('5:nodes0:'),
    'an answer whose id is a number': answer('2:idi1e'),
    'an answer to somebody else’s transaction': `d1:rd${ID}e1:t3:aaa1:y1:re`,
    'peers of 5 bytes': answer(`${ID}6:valuesl5:peer0e`),
    'peers of 7 bytes': answer(`${ID}6:valuesl7:peer000e`),
    'nodes that are a list': answer(`${ID}5:nodesle`),
    'an error that is a dictionary': error('d8:toStringi1ee'),
    'an error without words': error('i203e'),
    'an error to somebody else’s transaction': 'd1:eli203e3:bade1:t3:aaa1:y1:ee',
    'an error of three parts': error('i203e3:bad1:x'),
    'an error whose code is text': error('3:2033:bad'),
    'an error whose words are a number': error('i203ei1e'),
    'a query with an empty transaction': `d1:ad${ID}e1:q4:ping1:t0:1:y1:qe`,
    'a query whose transaction is a number': `d1:ad${ID}e1:q4:ping1:ti1e1:y1:qe`,
    'a query whose id has 19 bytes': query('2:id19:aaaaaaaaaaaaaaaaaaa'),
    'an answer whose id has 21 bytes': answer('2:id21:aaaaaaaaaaaaaaaaaaaaa'),
    'an answer to a transaction of one byte': `d1:rd${ID}e1:t1:a1:y1:re`,
    'an answer that is a list': 'd1:rle1:t2:aa1:y1:re',
    'an answer whose peers are no list': answer(`${ID}6:values6:peer01`),
    'an answer with one bad peer among good ones': answer(`${ID}6:valuesl6:peer015:peer0e`),
    'an answer whose token is a list': answer(`${ID}5:tokenle`),
    'a type of two letters': `d1:ad${ID}e1:q4:ping1:t2:aa1:y2:qqe`,
    'a type that is a number': `d1:rd${ID}e1:t2:aa1:yi1ee`,
    'an unknown type': `d1:rd${ID}e1:t2:aa1:y1:xe`,
  }
  for (const [name, text] of Object.entries(bad)) {
    it(`is not ${name}`, () => {
      assert.equal(isKrpcMessage(Buffer.from(text), 'public'), false)
    })
  }
})
