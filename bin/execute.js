import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execute, settings } from '@oclif/core'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Runs a command of the built package, and ends the process with its exit code once all output is out. */
export async function executeBuilt() {
  settings.enableAutoTranspile = false
  await run({ root })
}

/** Runs a command from the TypeScript sources, with no build in between. */
export async function executeSources() {
  const { readFileSync } = await import('node:fs')
  settings.enableAutoTranspile = false
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const oclif = { ...pjson.oclif, commands: './src/cli/commands' }
  await run({ root, ignoreManifest: true, pjson: { ...pjson, oclif } })
}

async function run(loadOptions) {
  // A reader that has seen enough (`p2pt log show | head`) is no failure.
  process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  await execute({ loadOptions })
  process.exit()
}
