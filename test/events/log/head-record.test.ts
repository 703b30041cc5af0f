import assert from 'node:assert/strict'
import { damageByRecord, provenMark } from '../../../src/events/log/head-record.ts'

const latest = { seq: 9, digest: 'nine' }
const durable = { seq: 7, digest: 'seven' }
const record = { latest, durable, clean: false, boot: 'a' }

describe('what the head file proves', () => {
  it('is the newest head after a clean end or within one boot, and the last durable one after a power cut', () => {
    assert.equal(provenMark(record, 'a'), latest)
    assert.equal(provenMark(record, 'b'), durable)
    assert.equal(provenMark(record, null), durable)
    assert.equal(provenMark({ ...record, boot: null }, null), durable, 'no boot is known: it may have been another one')
    assert.equal(provenMark({ ...record, clean: true }, 'b'), latest)
  })

  it('is missing where the log ends before it, by one event or more', () => {
    assert.deepEqual(damageByRecord(record, 'a', 8, undefined), [{ from: 9, to: 9, what: 'missing' }])
    assert.deepEqual(damageByRecord(record, 'a', 0, undefined), [{ from: 1, to: 9, what: 'missing' }])
    assert.deepEqual(damageByRecord(record, 'b', 7, 'seven'), [])
    assert.deepEqual(damageByRecord(record, 'a', 9, 'nine'), [])
    assert.deepEqual(damageByRecord(record, 'a', 12, 'nine'), [])
    assert.deepEqual(damageByRecord(record, 'a', 9, 'ten'), [{ from: 1, to: 9, what: 'altered' }])
    assert.deepEqual(damageByRecord(undefined, 'a', 4, undefined), [{ from: 1, to: 4, what: 'unproven' }])
  })
})
