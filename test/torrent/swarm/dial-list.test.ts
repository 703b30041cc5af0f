import assert from 'node:assert/strict'
import { DialList } from '../../../src/torrent/swarm/dial-list.ts'

describe('whom to dial', () => {
  const all = () => true

  it('each once, again after a pause that doubles, and at once when somebody names it', () => {
    const list = new DialList()
    list.add('a:1')
    list.add('a:1')
    list.add('b:1')
    assert.deepEqual(
      list.next(5, 0, (endpoint) => endpoint !== 'b:1'),
      ['a:1'],
    )
    assert.deepEqual(list.next(5, 0, all), ['b:1'])
    assert.deepEqual(list.next(5, 0, all), [], 'both are busy')
    list.ended('a:1', false, 0)
    assert.deepEqual(list.next(5, 1_999, all), [])
    assert.deepEqual(list.next(5, 2_000, all), ['a:1'])
    list.ended('a:1', false, 2_000)
    assert.deepEqual(list.next(5, 5_999, all), [])
    list.urge('a:1')
    assert.deepEqual(list.next(5, 2_001, all), ['a:1'])
    list.ended('a:1', true, 3_000)
    assert.deepEqual(list.next(5, 4_000, all), ['a:1'], 'it was up')
  })

  it('that only peers told of are half of the list at most, make nobody give way, and give way first', () => {
    const fill = (own: number) => {
      const list = new DialList()
      for (let at = 0; at < own; at++) list.add(`own${at}:1`)
      for (let at = 0; at < 300; at++) list.addHearsay(`said${at}:1`)
      return list
    }
    const namesOf = (list: DialList) => list.next(1_000, 0, all)
    assert.equal(namesOf(fill(0)).length, 200)
    assert.equal(namesOf(fill(399)).length, 400)
    assert.equal(namesOf(fill(400)).filter((name) => name.startsWith('own')).length, 400)
    const full = fill(200)
    full.addHearsay('own0:1')
    full.add('said0:1')
    full.add('late:1')
    const names = namesOf(full)
    assert.equal(names.length, 400)
    assert.ok(names.includes('late:1') && names.includes('said0:1') && !names.includes('said1:1'))
    assert.equal(names.filter((name) => name.startsWith('own')).length, 200)
  })

  it('that strangers tell of are eight of one host at most, or of one network of IPv6', () => {
    const list = new DialList()
    for (let port = 1; port <= 20; port++) {
      list.addHearsay(`192.0.2.1:${port}`)
      list.addHearsay(`[2001:db8::${port.toString(16)}]:1`)
    }
    list.addHearsay('[2001:db8:0:1::1]:1')
    for (let port = 1; port <= 20; port++) list.add(`192.0.2.2:${port}`)
    const names = list.next(1_000, 0, all)
    const count = (start: string) => names.filter((name) => name.startsWith(start)).length
    assert.deepEqual(['192.0.2.1:', '[2001:db8::', '[2001:db8:0:1:', '192.0.2.2:'].map(count), [8, 8, 1, 20])
  })

  it('that strangers tell of give way to others of that kind once they have not answered', () => {
    const list = new DialList()
    for (let at = 0; at < 200; at++) list.addHearsay(`silent${at}:1`)
    list.addHearsay('late:1')
    const first = list.next(1_000, 0, all)
    assert.ok(!first.includes('late:1'))
    list.ended('silent7:1', false, 0)
    for (let failures = 1; failures <= 2; failures++) {
      list.addHearsay('late:1')
      assert.deepEqual(list.next(1_000, failures * 1_000_000, all), ['silent7:1'])
      list.ended('silent7:1', false, failures * 1_000_000)
    }
    list.addHearsay('late:1')
    list.addHearsay('later:1')
    assert.deepEqual(list.next(1_000, 9_000_000, all), ['late:1'])
  })

  it('that strangers tell of make room on their host: who starts again elsewhere is found', () => {
    const list = new DialList()
    for (let port = 1; port <= 8; port++) list.addHearsay(`192.0.2.1:${port}`)
    list.addHearsay('192.0.2.2:1')
    for (let failures = 0; failures < 3; failures++) {
      list.next(1_000, failures * 1_000_000, (endpoint) => endpoint === '192.0.2.1:3')
      list.ended('192.0.2.1:3', false, failures * 1_000_000)
    }
    list.addHearsay('192.0.2.1:9')
    list.addHearsay('192.0.2.1:10')
    const names = list.next(1_000, 9_000_000, all)
    assert.equal(names.length, 9)
    assert.ok(names.includes('192.0.2.1:9') && !names.includes('192.0.2.1:3') && !names.includes('192.0.2.1:10'))
  })

  it('again after five minutes at most', () => {
    const list = new DialList()
    list.add('a:1')
    let now = 0
    for (let failure = 0; failure < 12; failure++) {
      assert.deepEqual(list.next(1, now, all), ['a:1'])
      list.ended('a:1', false, now)
      now += 300_000
    }
    assert.deepEqual(list.next(1, now - 1, all), [])
    assert.deepEqual(list.next(1, now, all), ['a:1'])
  })

  it('of 400 at most; the oldest that is not in use gives way', () => {
    const list = new DialList()
    for (let port = 1; port <= 401; port++) list.add(`a:${port}`)
    assert.deepEqual(list.next(1, 0, all), ['a:2'])
    assert.equal(list.next(1_000, 0, all).length, 399)
    list.add('b:1')
    assert.deepEqual(list.next(1, 0, all), [], 'all are in use')
  })
})
