import assert from 'node:assert/strict'
import { dialableIpv4, ipv4, parseEndpoint } from '../../../src/cli/services/addresses.ts'
import { parseByteCount, parseByteRate, parseDiskLimit } from '../../../src/cli/services/byte-rate.ts'
import { bootstrapEndpoints, metricsAddress, publicDhtNodes } from '../../../src/cli/services/start-flags.ts'
import { ServiceError } from '../../../src/roles/index.ts'

const usage = (error: unknown) => error instanceof ServiceError && error.code === 'usage'

describe('what is typed after a flag', () => {
  const rates: [text: string, bytesPerSecond: number][] = [
    ['1', 1],
    ['500kB', 500_000],
    ['2MB', 2_000_000],
    ['2mb/s', 2_000_000],
    ['1.5 MiB', 1_572_864],
    ['1G', 1e9],
  ]
  for (const [text, rate] of rates) it(`reads the rate ${text}`, () => assert.equal(parseByteRate(text), rate))
  for (const text of ['', '0', '-1', 'fast', '2 furlongs', '1e9', '0.0001', 'constructor', '5__proto__'])
    it(`refuses the rate ${JSON.stringify(text)}`, () => assert.throws(() => parseByteRate(text), usage))

  it('reads a size, and refuses what is none', () => {
    assert.deepEqual(['1', '500MB', '1.5GiB', '2TB'].map(parseByteCount), [1, 5e8, 1_610_612_736, 2e12])
    for (const text of ['', '0', 'much', '2MB/s', '-1GB']) assert.throws(() => parseByteCount(text), usage)
  })

  it('takes a disk limit that a log can keep to', () => {
    assert.equal(parseDiskLimit('16MB'), 16_000_000)
    for (const text of ['10', '15MB']) {
      assert.throws(() => parseDiskLimit(text), { code: 'usage', message: new RegExp(`--disk-limit ${text} is .*16.0 MB`) })
    }
  })

  it('reads HOST:PORT', () => {
    assert.deepEqual(parseEndpoint('127.0.0.1:4700'), { host: '127.0.0.1', port: 4700 })
    assert.deepEqual(parseEndpoint(' bootstrap-1.example:65535 '), { host: 'bootstrap-1.example', port: 65_535 })
  })
  for (const text of ['[::1]:4000', '::1:4000', '::1', 'fe80::1:4000', '[::ffff:10.0.0.1]:4000', '[x]:1'])
    it(`says of ${text} that the network is IPv4`, () =>
      assert.throws(() => parseEndpoint(text), { code: 'usage', message: /is IPv6, and .* IPv4 only: give an IPv4 address/ }))
  for (const text of ['0.0.0.0:1', '224.0.0.1:1', '255.255.255.255:1'])
    it(`says of ${text} that nobody can dial it`, () =>
      assert.throws(() => parseEndpoint(text), { code: 'usage', message: /not the address of one machine/ }))

  it('takes no IPv6 for a host, and no address for advertising that nobody can dial', async () => {
    for (const text of ['::1', '[::1]', '::', '::ffff:127.0.0.1'])
      await assert.rejects(ipv4(text), { code: 'usage', message: /is IPv6/ }, text)
    assert.equal(await ipv4('0.0.0.0'), '0.0.0.0')
    await assert.rejects(dialableIpv4('0.0.0.0'), { code: 'usage', message: /nobody can dial it/ })
    assert.equal(await dialableIpv4('127.0.0.1'), '127.0.0.1')
  })

  it('enters the public DHT by nodes that are named, or by well-known ones', () => {
    assert.deepEqual(publicDhtNodes('default'), [])
    assert.deepEqual(publicDhtNodes('dht.example:6881,192.0.2.1:1'), [
      { host: 'dht.example', port: 6_881 },
      { host: '192.0.2.1', port: 1 },
    ])
    for (const text of ['on', 'dht.example', 'a:1,', '224.0.0.1:1', '[::1]:1'])
      assert.throws(() => publicDhtNodes(text), usage, text)
  })

  it('serves metrics on IPv6 as well', () => {
    assert.deepEqual(metricsAddress('[::1]:9464'), { host: '::1', port: 9464 })
    assert.deepEqual(metricsAddress('::1:9464'), { host: '::1', port: 9464 })
    assert.deepEqual(metricsAddress('9464'), { host: '127.0.0.1', port: 9464 })
  })

  for (const text of ['', 'host', 'host:', ':1', 'host:0', 'host:65536', 'host:1x', 'a b:1', 'http://host:1', '-x:1'])
    it(`refuses the address ${JSON.stringify(text)}`, () => assert.throws(() => parseEndpoint(text), usage))

  it('takes bootstraps from the flag, and from the environment where there is no flag', () => {
    const environment = { P2PT_BOOTSTRAP: '10.0.0.1:1, 10.0.0.2:2,' }
    assert.deepEqual(bootstrapEndpoints({ bootstrap: ['a:1', 'b:2,c:3'] }, environment), [
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
      { host: 'c', port: 3 },
    ])
    assert.deepEqual(bootstrapEndpoints({}, environment), [
      { host: '10.0.0.1', port: 1 },
      { host: '10.0.0.2', port: 2 },
    ])
    assert.deepEqual(bootstrapEndpoints({}, {}), [])
  })
})
