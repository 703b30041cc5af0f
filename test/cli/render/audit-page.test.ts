import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { auditText } from '../../../src/cli/render/audit.ts'
import { auditPage, bundleInPage, isAuditPage } from '../../../src/cli/render/audit-page.ts'
import { readAudit, writeAudit } from '../../../src/cli/services/audit-file.ts'
import type { AuditBundle } from '../../../src/roles/audit/audit-bundle.ts'
import { AUDIT_TEXT_BYTES_MAX, verifyAudit } from '../../../src/roles/audit/index.ts'
import { ServiceError } from '../../../src/roles/services.ts'
import { TEST_NETWORK } from '../../events/test-network.ts'
import { node } from '../../projections/envelopes.ts'
import { judged } from '../../projections/reputation/scenes.ts'
import { exported, shows } from '../../roles/audit/audit-scene.ts'
import { openSmallLog } from '../../roles/small-log.ts'

const EVIL = '</script><script>alert("x")</script><img src=http://evil.example/x onerror=\'y\'>&\u202e'
const peer = node('peer')

describe('a page of evidence', () => {
  let bundle: AuditBundle
  let folder: string
  before(async () => {
    await using own = await openSmallLog(1)
    await shows(own, 1)
    await own.log.append([{ event: judged(peer, 2, 21) }])
    await own.log.append([{ event: { kind: 'operator.banned', subject: peer, reason: EVIL } }])
    for (let index = 0; index < 60; index++) await own.log.append([{ event: judged(peer, 1, 0) }])
    bundle = await exported(own, 1, peer)
    folder = await mkdtemp(join(tmpdir(), 'p2pt-audit-'))
  })
  after(() => rm(folder, { recursive: true }))
  const refused = (work: Promise<unknown>, code: string, message: RegExp) =>
    assert.rejects(
      work,
      (error: unknown) => error instanceof ServiceError && error.code === code && message.test(error.message),
    )

  it('says who was judged, why, on what evidence and how to check it, and carries the evidence in itself', () => {
    const json = JSON.stringify(bundle)
    const page = auditPage(verifyAudit(json), json)
    for (const said of [
      /<h2>Banned: <code>[0-9a-f]{64}/,
      /audit verify FILE/,
      /bad seen here/,
      /invited as/,
      /came from it alone/,
    ])
      assert.ok(said.test(page), `${said}`)
    assert.ok(isAuditPage(page))
    assert.deepEqual(JSON.parse(bundleInPage(page) ?? ''), bundle)
    assert.match(page, /<p>10 events more are in the evidence\.<\/p>/)
    assert.equal(page.match(/<tr class="d">/g)?.length, 1)
  })

  it('asks nobody for anything, and nothing of what others wrote is markup in it', () => {
    const json = JSON.stringify(bundle)
    const page = auditPage(verifyAudit(json), json)
    assert.match(page, /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/)
    assert.ok(!/<img|<[^>]*src=|href=|url\(|@import|onerror='y|\u202e/.test(page))
    assert.deepEqual(page.match(/<script[^>]*>/g), ['<script type="application/json" id="p2pt-audit">'])
    assert.equal(page.match(/<\/script>/g)?.length, 1)
    assert.match(page, /&lt;img src=http:\/\/evil\.example\/x onerror=&#39;y&#39;&gt;&amp;/)
  })

  it('is written whole and checked again, as JSON too', async () => {
    for (const name of ['evidence.html', 'evidence.json']) {
      const file = join(folder, name)
      const { bytes, form } = await writeAudit(file, bundle, { force: false })
      assert.deepEqual(
        [(await stat(file)).size, (await stat(file)).mode & 0o777, form],
        [bytes, 0o600, name.endsWith('l') ? 'page' : 'json'],
      )
      const { report, page } = await readAudit(file, TEST_NETWORK)
      assert.deepEqual([report.digest, page], [bundle.head.digest, name.endsWith('l') ? 'agrees' : 'none'])
      await refused(writeAudit(file, bundle, { force: false }), 'usage', /is there: give another name, or --force/)
      await writeAudit(file, bundle, { force: true })
      await refused(readAudit(file, '0'.repeat(64)), 'damaged', /of another network: "test"/)
    }
    await refused(writeAudit(join(folder, 'absent', 'x.json'), bundle, { force: false }), 'failed', /cannot write/)
    await refused(writeAudit(join(folder, 'x.json'), { p2pt: 'audit' }, { force: false }), 'damaged', /its field "head"/)
  })

  it('is refused where its text says something else than its evidence, or the evidence is gone', async () => {
    const file = join(folder, 'altered.html')
    await writeAudit(file, bundle, { force: true })
    const page = await readFile(file, 'utf8')
    const check = async (text: string) => {
      await writeFile(file, text)
      return readAudit(file)
    }
    await refused(check(page.replace('>Banned:', '>In good standing:')), 'damaged', /its text says something else/)
    await refused(check(page.slice(0, page.indexOf('id="p2pt-audit"'))), 'damaged', /cut off or altered: there is no evidence/)
    await refused(check(page.slice(0, -30)), 'damaged', /cut off or altered|something else/)
    await refused(
      check(page.replace('audit page 1', 'audit page 2').replace('"head":{"format":1', '"head":{"format":9')),
      'damaged',
      /format 9/,
    )
    assert.equal((await check(page.replace('audit page 1', 'audit page 2'))).page, 'not-compared')
  })

  it('cannot be read from what is no file, or larger than any', async () => {
    await refused(readAudit(join(folder, 'nothing')), 'usage', /cannot read/)
    await refused(readAudit(folder), 'usage', /is no file/)
    await refused(readAudit(join(folder, 'evidence.json'), 'abc'), 'usage', /not the id of a network/)
    const large = join(folder, 'large')
    await writeFile(large, '')
    const { truncate } = await import('node:fs/promises')
    await truncate(large, AUDIT_TEXT_BYTES_MAX + 1)
    await refused(readAudit(large), 'damaged', /larger than any/)
    await truncate(large, AUDIT_TEXT_BYTES_MAX / 64)
    await refused(readAudit(large), 'damaged', /not JSON/)
  })

  it('is told in a terminal with nothing that moves its cursor', () => {
    const report = verifyAudit(JSON.stringify(bundle))
    assert.match(auditText(report), /network +test \([0-9a-f]{64}\)[\s\S]*banned/)
    assert.doesNotMatch(auditText({ ...report, network: { ...report.network, name: 'a\u001b[2Jb' } }), /\u001b/)
  })
})
