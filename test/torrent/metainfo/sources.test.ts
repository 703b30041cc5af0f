import assert from 'node:assert/strict'
import { checkTorrentFile } from '../../../src/torrent/metainfo.ts'
import { sha1 } from '../../../src/torrent/sha1.system.ts'
import { type More, single, torrent } from '../odd/odd-torrent.ts'

const read = (more: More) => checkTorrentFile(torrent(single(), more), sha1)

describe('what a torrent says of where to find it', () => {
  it('is its trackers in tiers, its web seeds and its nodes', () => {
    const { trackers, webSeeds, nodes, isPrivate } = read({
      announce: 'http://first/announce',
      'announce-list': [['udp://a:1', ' https://b/x '], ['ws://c']],
      nodes: [
        ['router.example', 6_881],
        ['::1', 1],
      ],
      'url-list': ['http://w/', 'https://v/f'],
    })
    assert.deepEqual(trackers, [['udp://a:1', 'https://b/x'], ['ws://c']])
    assert.deepEqual(webSeeds, ['http://w/', 'https://v/f'])
    assert.deepEqual(nodes, [
      { host: 'router.example', port: 6_881 },
      { host: '::1', port: 1 },
    ])
    assert.equal(isPrivate, false)
    assert.equal(checkTorrentFile(torrent(single({ private: 1 })), sha1).isPrivate, true)
  })

  it('is one tracker where there is no list of them, and one web seed where that is text', () => {
    const { trackers, webSeeds } = read({ announce: ' http://a/announce', 'announce-list': [[]], 'url-list': 'http://w/f' })
    assert.deepEqual([trackers, webSeeds], [[['http://a/announce']], ['http://w/f']])
  })

  it('leaves out what is no URL of its kind, what comes twice, and what is malformed', () => {
    const { trackers, webSeeds, nodes } = read({
      'announce-list': [
        ['udp://a:1', 5, '', 'javascript:x', 'udp://a:1', `http://${'x'.repeat(3_000)}`],
        'http://b',
        [['http://c']],
      ],
      nodes: [['h', 0], ['h', 65_536], ['h'], ['', 5], [5, 5], 'h', ['x'.repeat(256), 5], ['h', 65_535]],
      'url-list': ['http://w/', 'ftp://w/', 'http://w /', 5, 'http://w/'],
    })
    assert.deepEqual([trackers, webSeeds, nodes], [[['udp://a:1']], ['http://w/'], [{ host: 'h', port: 65_535 }]])
    assert.deepEqual(read({ announce: 5, 'announce-list': 5, nodes: 'x', 'url-list': 5 }).trackers, [])
  })

  it('is 128 of each at most', () => {
    const many = Array.from({ length: 200 }, (_, at) => at)
    const { trackers, webSeeds, nodes } = read({
      'announce-list': [many.slice(0, 100).map((at) => `udp://a:${at}`), many.slice(100).map((at) => `udp://a:${at}`)],
      nodes: many.map((at) => ['h', at + 1]),
      'url-list': many.map((at) => `http://w/${at}`),
    })
    assert.deepEqual(
      trackers.map((tier) => tier.length),
      [100, 28],
    )
    assert.deepEqual([webSeeds.length, nodes.length], [128, 128])
  })
})
