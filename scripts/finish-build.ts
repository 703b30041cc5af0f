// What `tsc` leaves undone: generated protobuf codecs go into dist as they are, and oclif's manifest is written, so
// that the built program finds its commands without loading them all. What is left of sources that are gone is removed:
// it would still be a command. Run by `npm run build`.
import { cpSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Plugin } from '@oclif/core'

const root = join(import.meta.dirname, '..')

for (const folder of globSync('src/*/generated', { cwd: root })) {
  cpSync(join(root, folder), join(root, 'dist', folder), { recursive: true })
}

for (const built of globSync('{src,migrations}/**/*.js', { cwd: join(root, 'dist'), exclude: ['**/generated/**'] })) {
  const name = built.slice(0, -'.js'.length)
  if (existsSync(join(root, `${name}.ts`))) continue
  for (const end of ['.js', '.js.map', '.d.ts']) rmSync(join(root, 'dist', name + end), { force: true })
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
