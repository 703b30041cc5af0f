import { readFileSync } from 'node:fs'

/** Memory of this process that is its own, bytes: files that are mapped are the system's, which takes them back when it needs room. */
export function privateMemory(): number {
  const [, kilobytes = '0'] = /^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? []
  return 1024 * Number(kilobytes)
}
