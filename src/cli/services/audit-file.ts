import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import type { NetworkId } from '../../events/model/ids.ts'
import { isNodeId } from '../../events/model/ids.ts'
import { AUDIT_TEXT_BYTES_MAX, type AuditReport, verifyAudit } from '../../roles/audit/index.ts'
import { ServiceError } from '../../roles/index.ts'
import { auditPage, bundleInPage, isAuditPage, isPresentPage } from '../render/audit-page.ts'

export type CheckedAudit = { report: AuditReport; file: string; bytes: number; form: 'page' | 'json' }

/**
 * Writes evidence to a file that appears whole or not at all, after checking it as its reader will.
 * @throws ServiceError `usage` if the file is there, `failed` if it cannot be written
 */
export async function writeAudit(file: string, bundle: object, { force }: { force: boolean }): Promise<CheckedAudit> {
  if (!force && existsSync(file))
    throw new ServiceError('usage', `${file} is there: give another name, or --force to write over it`)
  const json = JSON.stringify(bundle)
  const report = verifyAudit(json)
  const form = /\.html?$/i.test(file) ? 'page' : 'json'
  const text = form === 'page' ? auditPage(report, json) : `${json}\n`
  const partial = `${file}.${randomBytes(4).toString('hex')}.part`
  try {
    // The operator's own words are in it.
    await writeFile(partial, text, { mode: 0o600, flag: 'wx' })
    await rename(partial, file)
  } catch (cause) {
    await rm(partial, { force: true })
    throw new ServiceError('failed', `cannot write ${file}: ${(cause as Error).message}`, { cause })
  }
  return { report, file, bytes: Buffer.byteLength(text), form }
}

/** `page`: whether the text of a page says what its evidence says. */
export type ReadAudit = { report: AuditReport; page: 'none' | 'agrees' | 'not-compared' }

/**
 * Evidence from a file, after all of it was checked.
 * @param network that it must be of
 * @throws ServiceError `usage` if the file cannot be read, `damaged` that names what is wrong with it
 */
export async function readAudit(file: string, network?: string): Promise<ReadAudit> {
  if (network !== undefined && !isNodeId(network))
    throw new ServiceError('usage', `not the id of a network (64 hex digits): ${network}`)
  const text = textOf(file)
  const options = network === undefined ? {} : { network: network as string as NetworkId }
  if (!isAuditPage(text)) return { report: verifyAudit(text, options), page: 'none' }
  const bundle = bundleInPage(text)
  if (bundle === undefined)
    throw new ServiceError('damaged', `the page ${file} was cut off or altered: there is no evidence in it`)
  const report = verifyAudit(bundle, options)
  if (!isPresentPage(text)) return { report, page: 'not-compared' }
  if (auditPage(report, JSON.stringify(JSON.parse(bundle))) !== text)
    throw new ServiceError('damaged', `the page ${file} was altered: its text says something else than its evidence`)
  return { report, page: 'agrees' }
}

function textOf(file: string): string {
  try {
    const found = statSync(file)
    if (!found.isFile()) throw new ServiceError('usage', `${file} is no file`)
    if (found.size > AUDIT_TEXT_BYTES_MAX)
      throw new ServiceError('damaged', `${file} is no evidence of p2pt: it is larger than any`)
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if (cause instanceof ServiceError) throw cause
    throw new ServiceError('usage', `cannot read ${file}: ${(cause as Error).message}`, { cause })
  }
}
