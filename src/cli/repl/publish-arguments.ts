import { ServiceError } from '../../roles/index.ts'

export type PublishArguments = { paths: string[]; details: { title?: string; tags: string[]; hidden: boolean } }

/**
 * Paths and options of `publish` as typed at the prompt.
 * @throws ServiceError `usage`
 */
export function publishArguments(words: readonly string[]): PublishArguments {
  const paths: string[] = []
  const tags: string[] = []
  let title: string | undefined
  let hidden = false
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? ''
    if (word === '--hidden') {
      hidden = true
      continue
    }
    if (word !== '--title' && word !== '--tag') {
      if (word.startsWith('--')) throw new ServiceError('usage', `publish has no option ${word}`)
      paths.push(word)
      continue
    }
    at += 1
    const value = words[at]
    if (value === undefined) throw new ServiceError('usage', `${word} needs a text after it`)
    if (word === '--tag') tags.push(value)
    else title = value
  }
  if (paths.length === 0) throw new ServiceError('usage', 'publish needs a file or folder')
  if (title !== undefined && paths.length > 1)
    throw new ServiceError('usage', 'one title cannot name several torrents: publish them one by one')
  return { paths, details: { ...(title === undefined ? {} : { title }), tags, hidden } }
}
