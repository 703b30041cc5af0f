import assert from 'node:assert/strict'
import { bytes, counted, duration, percent, rate, shortPeer, time } from '../../../src/cli/render/units.ts'

describe('units for people', () => {
  const sizes: [count: number, text: string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [1_250_000, '1.3 MB'],
    [999_949, '999.9 kB'],
    [999_950, '1.0 MB'],
    [5e9, '5.0 GB'],
    [9.9e20, '990000.0 PB'],
  ]
  for (const [count, text] of sizes) it(`writes ${count} bytes as ${text}`, () => assert.equal(bytes(count), text))

  const durations: [ms: number, text: string][] = [
    [-5, '0 ms'],
    [0.4, '0 ms'],
    [350, '350 ms'],
    [12_300, '12 s'],
    [59_600, '1 min 0 s'],
    [185_000, '3 min 5 s'],
    [7_800_000, '2 h 10 min'],
    [273_600_000, '3 d 4 h'],
  ]
  for (const [ms, text] of durations) it(`writes ${ms} ms as ${text}`, () => assert.equal(duration(ms), text))

  it('writes rates, shares and counts', () => {
    assert.equal(rate(2_000_000), '2.0 MB/s')
    assert.equal(percent(1, 3), '33 %')
    assert.equal(percent(0, 0), '0 %')
    assert.equal(percent(999, 1000), '99 %', 'never 100 % before it is complete')
    assert.equal(counted(1, 'peer'), '1 peer')
    assert.equal(counted(1234, 'entry', 'entries'), '1,234 entries')
  })

  it('writes times as UTC, and a claim that is no time as its number', () => {
    assert.equal(time(0), '1970-01-01 00:00:00.000Z')
    assert.equal(time(Number.MAX_SAFE_INTEGER), `${Number.MAX_SAFE_INTEGER} ms`)
  })

  it('shortens node ids and leaves addresses', () => {
    assert.equal(shortPeer('ab'.repeat(32)), 'abababababababab')
    assert.equal(shortPeer('ip:2001:db8::1234:5678:9abc'), 'ip:2001:db8::1234:5678:9abc')
  })
})
