import assert from 'node:assert/strict'
import type { ClientSettings } from '../../../src/events/index.ts'
import { changedText } from '../../../src/roles/client/changed-files.ts'
import { checkSettings, SETTING_COUNT_MAX } from '../../../src/roles/client/check-settings.ts'
import { renamedText } from '../../../src/roles/client/renamed-files.ts'
import { ServiceError } from '../../../src/roles/services.ts'
import { hash } from '../../projections/envelopes.ts'

describe('what a client tells a person', () => {
  it('of a file that somebody changed is what became of it, and what to do', () => {
    const told = (how: Parameters<typeof changedText>[1]['how']) =>
      changedText({ infoHash: hash('film'), directory: '/films' }, { path: 'film/a.mkv', how } as Parameters<
        typeof changedText
      >[1])
    const rest = `, so nothing of the torrent is shared any more: put it back as it was, or leave it, and run \`p2pt client recheck ${hash('film')}\``
    assert.equal(told('gone'), `film/a.mkv in /films is gone${rest}`)
    assert.equal(told('shorter'), `film/a.mkv in /films is shorter than it was${rest}`)
    assert.equal(told('modified'), `film/a.mkv in /films was changed or replaced by something else${rest}`)
    assert.equal(told('bad-piece'), `film/a.mkv in /films no longer holds what was verified${rest}`)
  })

  it('of names that a disk does not take are the first three', () => {
    const renamed = (count: number) => Array.from({ length: count }, (_, at) => ({ from: `a${at}:`, to: `a${at}_` }))
    assert.equal(renamedText({ name: 'film' }), undefined)
    assert.equal(renamedText({ name: 'film', renamed: [] }), undefined)
    const begins = '"film": some of its names cannot stand as they are: "a0:" is "a0_"'
    assert.equal(renamedText({ name: 'film', renamed: renamed(1) }), begins)
    const three = `${begins}, "a1:" is "a1_", "a2:" is "a2_"`
    assert.equal(renamedText({ name: 'film', renamed: renamed(3) }), three)
    assert.equal(renamedText({ name: 'film', renamed: renamed(5) }), `${three}, and 2 more`)
  })

  it('of settings that no client can hold to is which, and how many there may be', () => {
    const settings: ClientSettings = {
      ...{ downloadBytesPerSecond: 0, uploadBytesPerSecond: 0, ratioGoalPercent: 0, seedGoalMs: 0 },
      ...{ localDownloadBytesPerSecond: 0, localUploadBytesPerSecond: 0 },
      ...{ remoteDownloadBytesPerSecond: 0, remoteUploadBytesPerSecond: 0 },
      ...{
        connectionsMax: SETTING_COUNT_MAX,
        uploadSlots: SETTING_COUNT_MAX,
        downloadsMax: SETTING_COUNT_MAX,
        seedsMax: SETTING_COUNT_MAX,
      },
      schedule: [],
    }
    checkSettings(settings)
    const refused = (more: Partial<ClientSettings>, message: string) =>
      assert.throws(() => checkSettings({ ...settings, ...more }), new ServiceError('usage', message))
    for (const name of ['connectionsMax', 'uploadSlots', 'downloadsMax', 'seedsMax'] as const)
      refused({ [name]: 65_536 }, `${name} is at most 65535, not 65536`)
    const time = {
      days: [1],
      fromMinute: 0,
      toMinute: 1,
      downloadBytesPerSecond: 0,
      uploadBytesPerSecond: 0,
    } as unknown as ClientSettings['schedule'][number]
    refused({ schedule: Array(65).fill(time) }, 'a schedule has at most 64 times, not 65')
  })
})
