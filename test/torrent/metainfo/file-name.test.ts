import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isLonger, numbered, readFileName, shownName } from '../../../src/torrent/metainfo/file-name.ts'

const encoder = new TextEncoder()
const nameOf = (text: string | Uint8Array, isFirst = false): string | undefined =>
  readFileName(typeof text === 'string' ? encoder.encode(text) : text, isFirst).name
const bytesOf = (text: string): number => encoder.encode(text).length
const refusal = (message: RegExp) => ({ name: 'TorrentError', message })

describe('the name of a file on the disk', () => {
  it('is that of the torrent where it can be, up to 255 bytes', () => {
    for (const name of ['a', 'a b.txt', '...', 'é水', '-rf', ' ', 'x'.repeat(255), '水'.repeat(85)])
      assert.equal(nameOf(name), name)
  })

  it('is a placeholder for nothing, for control characters and for what is no UTF-8, byte for byte', () => {
    assert.equal(nameOf(''), '_')
    assert.equal(nameOf('a\u0001\u001f\u007fb'), 'a___b')
    assert.equal(nameOf(Uint8Array.of(0x61, 0xff, 0xfe, 0x62)), 'a__b')
    assert.deepEqual(readFileName(Uint8Array.of(0x61, 0xff), false), { shown: 'a\ufffd', name: 'a_' })
    // The replacement character itself may stand in a name.
    assert.equal(nameOf('a\ufffd'), 'a\ufffd')
  })

  it('is nothing for what names no file', () => {
    for (const text of ['.', '/', '\\', './', './.', '//']) assert.equal(nameOf(text), undefined, text)
  })

  it('leaves out slashes of both kinds', () => {
    assert.equal(nameOf('a/b\\c'), 'abc')
    assert.equal(nameOf('/a'), 'a')
    assert.equal(nameOf('C:\\a'), 'C:a')
  })

  it('is refused where it leads out of its folder or holds a NUL', () => {
    for (const text of ['..', '../a', 'a/..', 'a\\..\\b'])
      assert.throws(() => nameOf(text), refusal(/leads out of its folder/), text)
    assert.throws(() => nameOf('a\0b'), refusal(/has a NUL in a file name/))
    for (const text of ['a..', '..a', 'a/..b']) assert.notEqual(nameOf(text), undefined)
  })

  it('is refused where the first part of a path is an absolute one', () => {
    for (const text of ['/a', '\\a', 'C:/a', 'z:\\a'])
      assert.throws(() => nameOf(text, true), refusal(/is an absolute path/), text)
    assert.equal(nameOf('a/b', true), 'ab')
    assert.equal(nameOf('1:/a', true), '1:a')
    assert.equal(nameOf('aC:/a', true), 'aC:a')
  })

  it('is cut at 240 bytes, at a whole character, and keeps an extension of up to nine bytes', () => {
    assert.equal(nameOf('x'.repeat(256)), 'x'.repeat(240))
    assert.equal(nameOf(`${'x'.repeat(252)}.mkv`), `${'x'.repeat(240)}.mkv`)
    assert.equal(nameOf(`${'x'.repeat(300)}.download`), `${'x'.repeat(240)}.download`)
    assert.equal(nameOf(`${'x'.repeat(300)}.downloads`), 'x'.repeat(240))
    assert.equal(nameOf(`${'x'.repeat(239)}${'水'.repeat(20)}`), `${'x'.repeat(239)}水`)
    assert.equal(nameOf(`.${'x'.repeat(255)}`), `.${'x'.repeat(239)}`)
    assert.equal(nameOf(`${'x'.repeat(300)}.水水`), `${'x'.repeat(240)}.水水`)
    assert.equal(nameOf(`${'x'.repeat(300)}.水水水`), 'x'.repeat(240))
  })

  it('has never more than 255 bytes', () => {
    const unit = fc.constantFrom('x', '.', 'é', '水', '🎬', '\u0001')
    fc.assert(
      fc.property(fc.string({ unit, minLength: 60, maxLength: 400 }), (text) => {
        const name = nameOf(text)
        assert.ok(name === undefined || bytesOf(name) <= 255, `${bytesOf(name ?? '')}`)
      }),
    )
  })
})

describe('a name that is shown', () => {
  it('is the text of its bytes, ASCII or not, short or long', () => {
    for (const text of ['', 'abc', '\u007f', '\u0080', 'é', `${'x'.repeat(400)}水`, '\ufeffa'])
      assert.equal(shownName(encoder.encode(text)), text)
    assert.equal(shownName(Uint8Array.of(0x80)), '\ufffd')
  })
})

describe('the length of a text', () => {
  it('is that of its UTF-8', () => {
    for (const [text, bytes] of [
      ['abc', 3],
      ['é', 2],
      ['水水', 6],
      ['', 0],
    ] as const) {
      assert.equal(isLonger(text, bytes), false)
      assert.equal(isLonger(text, bytes - 1), true)
    }
  })
})

describe('the name of a file whose own is taken', () => {
  it('has a number before its extension', () => {
    assert.equal(numbered('a.mp4', 2), 'a.2.mp4')
    assert.equal(numbered('a.b.mp4', 13), 'a.b.13.mp4')
    assert.equal(numbered('a', 2), 'a.2')
    assert.equal(numbered('.a', 2), '.2.a')
  })

  it('has 255 bytes at most, of whole characters', () => {
    assert.equal(numbered(`${'x'.repeat(249)}.mp4`, 2), `${'x'.repeat(249)}.2.mp4`)
    assert.equal(numbered(`${'x'.repeat(250)}.mp4`, 2), `${'x'.repeat(249)}.2.mp4`)
    assert.equal(numbered('水'.repeat(85), 2), `${'水'.repeat(84)}.2`)
    assert.equal(numbered('水'.repeat(85), 1_000), `${'水'.repeat(83)}.1000`)
    assert.equal(numbered(`.${'x'.repeat(254)}`, 12), `.${'x'.repeat(251)}.12`, 'it would be all extension')
    assert.equal(numbered(`a.${'水'.repeat(84)}`, 2), `a.${'水'.repeat(83)}.2`)
  })
})
