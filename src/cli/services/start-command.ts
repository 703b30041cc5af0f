import type { NodeRole } from '../../events/index.ts'
import type { Notice } from '../../roles/index.ts'
import { dataDirectory, defaultDataDirectory } from './data-directory.ts'
import { makeDefault } from './default-directory.ts'
import {
  joinSettings,
  readSettings,
  type Settings,
  settingsIn,
  settingsText,
  withSettings,
  writeSettings,
} from './kept-settings.ts'
import { type NodeScreen, runNode } from './run-node.ts'
import { type StartFlags, startOptions } from './start-flags.ts'

/** Of the words on the command line: which flags a person typed, and not the environment. */
export type RawTokens = readonly { readonly type: string; readonly flag?: string }[]

/**
 * Runs a node of this role with these flags until it is stopped. What they say is kept for later starts as soon as the node
 * runs, and so is the place of its data, for a node that joins.
 */
export async function start(role: NodeRole, flags: StartFlags, raw: RawTokens, screen: NodeScreen): Promise<void> {
  const directory = dataDirectory(flags.data, role)
  const tell = (level: Notice['level'], code: string, text: string) => screen.notice({ at: Date.now(), level, code, text })
  const isTyped = (name: string) => raw.some((token) => token.type === 'flag' && token.flag === name)
  const given = settingsIn(flags)
  let settings: Settings = given
  const prepare = async (signal: AbortSignal) => {
    const { mendStopped } = await import('../../roles/compose-stopped.ts')
    const mended = await mendStopped(directory)
    if (mended !== undefined) tell('warning', 'node.mended', mended)
    const kept = readSettings(directory)
    // A new join string, or the environment, knows better where the network is than an earlier start did.
    if (isTyped('join') || (process.env.P2PT_BOOTSTRAP ?? '') !== '') delete kept.bootstrap
    settings = joinSettings(kept, given)
    const text = settingsText(kept, given)
    if (text !== '') tell('info', 'settings.kept', `as at its last start: ${text}`)
    return startOptions(role, withSettings(flags, settings), (text) => tell('warning', 'bootstrap.unresolved', text), signal)
  }
  const remember = () => {
    try {
      writeSettings(directory, settings)
      if (isTyped('join') && isTyped('data') && makeDefault(role, directory))
        tell(
          'info',
          'data.default',
          `${directory} is the default now (by a link at ${defaultDataDirectory(role)}): later commands need no --data`,
        )
    } catch (error) {
      tell('warning', 'settings.not-kept', `what this start was told is not kept for later ones: ${(error as Error).message}`)
    }
  }
  await runNode(directory, prepare, screen, remember)
}
