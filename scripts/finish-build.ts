// What `tsc` leaves undone: generated protobuf codecs go into dist as they are, and oclif's manifest is written, so
// that the built program finds its commands without loading them all. Run by `npm run build`.
import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Plugin } from '@oclif/core'

const root = join(import.meta.dirname, '..')

for (const folder of globSync('src/*/generated', { cwd: root })) {
  cpSync(join(root, folder), join(root, 'dist', folder), { recursive: true })
}

process.env.NODE_ENV = 'production'
const plugin = new Plugin({
  root,
  type: 'core',
  ignoreManifest: true,
  errorOnManifestCreate: true,
  respectNoCacheDefault: true,
})
await plugin.load()
const manifest = `${JSON.stringify(plugin.manifest, null, 2)}\n`
const path = join(root, 'oclif.manifest.json')
if (readOrEmpty(path) !== manifest) writeFileSync(path, manifest)

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
