import assert from 'node:assert/strict'
import type { TorrentSources } from '../../../src/events/index.ts'
import type { Download } from '../../../src/projections/downloads/index.ts'
import { canBeAsked, changedSources, endpointsOf, namedSources, sourcesRow } from '../../../src/roles/client/torrent-sources.ts'
import { ServiceError, type SourcesRequest } from '../../../src/roles/services.ts'
import type { TorrentEngine } from '../../../src/torrent/index.ts'
import { hash } from '../../projections/envelopes.ts'

const [udp, http, mirror] = ['udp://t.example:6969/announce', 'http://t.example/announce', 'https://m.example/files/']
const none: TorrentSources = { public: false, trackers: [], webSeeds: [], dht: false, local: false }
const refused = (request: SourcesRequest, message: string, before = none) =>
  assert.throws(() => changedSources(before, request), new ServiceError('usage', message))

describe('the sources of a torrent', () => {
  it('are as they were but for what a person changes', () => {
    const before: TorrentSources = { public: true, trackers: [udp, http], webSeeds: [mirror], dht: true, local: true }
    assert.deepEqual(changedSources(before, {}), before)
    assert.deepEqual(changedSources(before, { public: false, dht: false, local: false }), {
      ...before,
      public: false,
      dht: false,
      local: false,
    })
    assert.deepEqual(changedSources(none, { public: true, dht: true, local: true }), {
      ...none,
      public: true,
      dht: true,
      local: true,
    })
    const other = 'https://other.example/'
    assert.deepEqual(changedSources(before, { addTrackers: [http, other, other], removeTrackers: [udp] }).trackers, [
      http,
      other,
    ])
    assert.deepEqual(changedSources(before, { addWebSeeds: [other], removeWebSeeds: [mirror] }).webSeeds, [other])
  })

  it('are addresses that can be asked, of which a sentence says what is wrong', () => {
    const tracker = 'is no address of a tracker, as udp://tracker.example.org:6969/announce is'
    const seed = 'is no address of a web seed, as https://mirror.example.org/files/ is'
    for (const url of ['', 't.example', 'wss://t.example', 'file:///etc/passwd'])
      refused({ addTrackers: [url] }, `"${url}" ${tracker}`)
    refused({ addWebSeeds: [udp] }, `"${udp}" ${seed}`)
    const long = `http://t.example/${'x'.repeat(2_048 - 'http://t.example/'.length)}`
    assert.deepEqual(changedSources(none, { addTrackers: [long] }).trackers, [long])
    refused({ addTrackers: [`${long}x`] }, `"${long.slice(0, 100)}" ${tracker}`)
    for (const name of ['name:word@', 'name@', ':word@'])
      refused(
        { addWebSeeds: [`https://${name}m.example/`] },
        'a web seed at m.example cannot be asked with a name and a password in its address: leave them out',
      )
    refused(
      { addTrackers: ['udp://t.example/'] },
      '"udp://t.example/" has no port: a tracker is named as udp://tracker.example.org:6969/announce is',
    )
  })

  it('are taken away only where they are, and 128 of a kind at most', () => {
    refused({ removeTrackers: [udp] }, `"${udp}" is not among them`)
    refused({ removeWebSeeds: ['x'.repeat(101)] }, `"${'x'.repeat(100)}" is not among them`)
    const many = Array.from({ length: 128 }, (_, at) => `http://t${at}.example/`)
    const full = changedSources(none, { addTrackers: many })
    assert.equal(full.trackers.length, 128)
    refused({ addTrackers: [udp] }, 'a torrent has at most 128 of them, not 129', full)
    assert.equal(changedSources(full, { addTrackers: [udp], removeTrackers: many.slice(0, 1) }).trackers.length, 128)
  })

  it('of a torrent file are kept as far as an event holds them, each once', () => {
    const urls = [
      udp,
      udp,
      'x'.repeat(2_048),
      'x'.repeat(2_049),
      ...Array.from({ length: 200 }, (_, at) => `http://t${at}.example/`),
    ]
    const { trackers, webSeeds } = namedSources({ trackers: urls, webSeeds: [mirror] })
    assert.deepEqual([trackers.length, trackers.slice(0, 3)], [128, [udp, 'x'.repeat(2_048), 'http://t0.example/']])
    assert.deepEqual(webSeeds, [mirror])
  })

  it('that can be asked are not those for browsers', () => {
    for (const url of [udp, http, mirror]) assert.equal(canBeAsked(url), true)
    for (const url of ['wss://t.example', 'ws://t.example', 'no address', '']) assert.equal(canBeAsked(url), false)
  })
})

describe('a peer that a person names', () => {
  it('is a host and a port from 1 to 65,535', () => {
    assert.deepEqual(endpointsOf(['192.0.2.1:1', 'a.example:65535', '[2001:DB8::1]:6881']), [
      { host: '192.0.2.1', port: 1 },
      { host: 'a.example', port: 65_535 },
      { host: '2001:DB8::1', port: 6_881 },
    ])
    for (const text of [
      '',
      'a.example',
      'a.example:',
      'a.example:0',
      'a.example:65536',
      '2001:db8::1:5',
      '[a.example]:5',
      'a b:5',
      ':5',
      'a:123456',
    ])
      assert.throws(
        () => endpointsOf([text]),
        new ServiceError('usage', `${JSON.stringify(text)} is no peer: give HOST:PORT`),
        text,
      )
  })
})

describe('what became of the sources', () => {
  const infoHash = hash('film')
  const row = (sources: TorrentSources, status?: { isPrivate: boolean }, asked: object[] = []) =>
    sourcesRow({ infoHash } as Download, sources, { status: () => status, sources: () => asked } as unknown as TorrentEngine)
  const open = { ...none, public: true, trackers: [udp], webSeeds: [mirror], dht: true }
  const notAsked = {
    state: 'not-asked',
    problem: null,
    seeders: null,
    leechers: null,
    peers: 0,
    announcedAt: null,
    nodes: null,
  }

  it('is what the engine says, and of those that it does not ask that they are not asked', () => {
    const said = { kind: 'tracker', url: udp, state: 'working', peers: 4, seeders: 2, leechers: 0, announcedAt: 5 }
    assert.deepEqual(row(open, { isPrivate: false }, [said]), {
      ...{ infoHash, public: true, dht: true, local: false, private: false, why: null },
      sources: [
        { ...said, problem: null, nodes: null },
        { kind: 'web-seed', url: mirror, ...notAsked },
      ],
    })
    const failed = { kind: 'dht', url: '', state: 'failed', peers: 0, problem: 'no route', nodes: 7 }
    const [first, ...rest] = row(open, { isPrivate: false }, [failed]).sources
    assert.deepEqual(first, { ...failed, seeders: null, leechers: null, announcedAt: null })
    assert.deepEqual(rest, [
      { kind: 'tracker', url: udp, ...notAsked },
      { kind: 'web-seed', url: mirror, ...notAsked },
    ])
  })

  it('is why nobody is asked, where nobody is', () => {
    const why = (sources: TorrentSources, status?: { isPrivate: boolean }) => row(sources, status).why
    assert.equal(why(open, { isPrivate: true }), 'the torrent is private: its peers are those of this network alone')
    assert.equal(row(open, { isPrivate: true }).private, true)
    assert.match(
      why(none, { isPrivate: false }) ?? '',
      new RegExp(`only peers of this network are asked: .p2pt client sources ${infoHash} --public`),
    )
    const closed = 'it is not open: paused, waiting, or not looked at yet'
    assert.equal(why(open), closed)
    for (const one of [{ trackers: [udp] }, { webSeeds: [mirror] }, { dht: true }, { local: true }])
      assert.equal(why({ ...none, public: true, ...one }, { isPrivate: false }), closed)
    assert.equal(why({ ...none, public: true }, { isPrivate: false }), null, 'there is none to ask')
  })
})
