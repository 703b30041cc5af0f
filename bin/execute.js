import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Config, run, settings } from '@oclif/core'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Runs a command of the built package, and ends the process with its exit code once all output is out. */
export async function executeBuilt() {
  await execute({ root }, () => import('../dist/src/cli/services/unknown-command.js'))
}

/** Runs a command from the TypeScript sources, with no build in between. */
export async function executeSources() {
  const { readFileSync } = await import('node:fs')
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const oclif = { ...pjson.oclif, commands: './src/cli/commands' }
  await execute(
    { root, ignoreManifest: true, pjson: { ...pjson, oclif } },
    () => import('../src/cli/services/unknown-command.ts'),
  )
}

async function execute(loadOptions, loadUnknown) {
  settings.enableAutoTranspile = false
  // First in the line: oclif's own listener throws what is not EPIPE.
  process.stdout.prependListener('error', endWithoutOutput)
  // What stderr does not take nobody can be told.
  process.stderr.prependListener('error', () => {})
  try {
    await run(process.argv.slice(2), loadOptions)
  } catch (error) {
    process.exitCode = exitCodeOf(error, await messageOf(error, loadOptions, loadUnknown))
  }
  // Not where nothing waits: it writes an empty text to be told, which a full device refuses as well.
  if (process.stdout.writableLength > 0) await flushed()
  // The last line may have failed a moment ago, and its listener not have run yet.
  if (process.stdout.errored) endWithoutOutput(process.stdout.errored)
  process.exit()
}

/** Whatever waits below the stream's own limit is lost with the process: oclif's flush waits only above it. */
const flushed = () => new Promise((resolve) => process.stdout.write('', () => resolve()))

/** A reader that has seen enough (`p2pt log show | head`) is no failure; a disk that is full is one. */
function endWithoutOutput(error) {
  if (error.code === 'EPIPE') process.exit(0)
  process.stderr.write(`p2pt: the output cannot be written: ${error.message}\n`)
  process.exit(1)
}

/** What words that are no command may have meant; of anything else what it says. */
async function messageOf(error, loadOptions, loadUnknown) {
  const [, words] = /^command (\S+) not found$/.exec(error.message) ?? []
  if (words === undefined) return error.message
  const { commandIDs } = await Config.load(loadOptions)
  const { unknownCommand } = await loadUnknown()
  return unknownCommand(
    words.split(':'),
    commandIDs.map((id) => id.replaceAll(':', ' ')),
  )
}

/** Commands report their own errors (base-command.ts); what comes here is a word that is no command, or the end of help. */
function exitCodeOf(error, message) {
  if (error.code === 'EEXIT') return error.oclif?.exit ?? 0
  const exit = error.oclif?.exit ?? 1
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: { code: 'usage', message, exit } })}\n`)
  else process.stderr.write(`p2pt: ${message}\n`)
  return exit
}
