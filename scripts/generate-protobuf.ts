// Generates the protobuf codecs of each layer from proto/. Run by `npm run generate`; the result is not committed.
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const pbjs = join(dirname(createRequire(import.meta.url).resolve('protobufjs-cli/package.json')), 'bin/pbjs')
const root = join(import.meta.dirname, '..')

const schemas = [
  { proto: 'proto/events.proto', out: 'src/events/generated/events.js' },
  { proto: 'proto/wire.proto', out: 'src/network/generated/wire.js' },
  { proto: 'proto/index-service.proto', out: 'src/roles/generated/index-service.js' },
]

for (const { proto, out } of schemas) {
  mkdirSync(join(root, dirname(out)), { recursive: true })
  execFileSync(
    process.execPath,
    [
      pbjs,
      ...['-t', 'static-module', '-w', 'esm', '--dts', '--force-number', '-r', proto],
      ...['--no-create', '--no-verify', '--no-convert', '--no-delimited', '--no-typeurl', '--no-service'],
      ...['-o', out, proto],
    ],
    { cwd: root, stdio: 'inherit' },
  )
}
