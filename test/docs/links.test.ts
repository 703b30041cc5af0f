import assert from 'node:assert/strict'
import { existsSync, globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { document, ROOT, tableAfter } from './documents.ts'

const DOCUMENTS = [...globSync('*.md', { cwd: ROOT }), ...globSync('docs/**/*.md', { cwd: ROOT })]
const IN_REPOSITORY = /`((?:src|test|bench|bin|docs|docker|migrations|proto|scripts)\/[\w./-]+)`/g
const LINK = /\]\(([^)#]+)(?:#[^)]*)?\)/g

/** Every command by its words, from the files that oclif finds it in. */
const COMMANDS = globSync('**/*.ts', { cwd: join(ROOT, 'src/cli/commands') }).map((file) => file.slice(0, -3).replace('/', ' '))

describe('documents', () => {
  it('link to what is there, and name files that exist', () => {
    const wrong = DOCUMENTS.flatMap((path) => {
      const text = document(path)
      const links = [...text.matchAll(LINK)].map(([, to = '']) => to).filter((to) => !/^\w+:/.test(to))
      const files = [...text.matchAll(IN_REPOSITORY)].map(([, file = '']) => file)
      return [
        ...links.filter((to) => !existsSync(join(ROOT, dirname(path), to))).map((to) => `${path}: link to ${to}`),
        ...files.filter((file) => !existsSync(join(ROOT, file))).map((file) => `${path}: ${file}`),
      ]
    })
    assert.deepEqual(wrong, [])
  })

  it('name npm scripts that exist', () => {
    const { scripts } = JSON.parse(document('package.json')) as { scripts: Record<string, string> }
    const named = DOCUMENTS.flatMap((path) => [...document(path).matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name))
    assert.ok(named.length > 0)
    assert.deepEqual(
      named.filter((name) => !Object.hasOwn(scripts, name)),
      [],
    )
  })

  it('name commands that exist', () => {
    const named = DOCUMENTS.flatMap((path) =>
      [...document(path).matchAll(/(?:`|npx )p2pt ([a-z]+(?: [a-z]+)?)/g)].map(([, words = '']) => ({ path, words })),
    )
    assert.ok(named.length > 0)
    const unknown = named.filter(({ words }) => !COMMANDS.includes(words) && !COMMANDS.includes(words.split(' ')[0] ?? ''))
    assert.deepEqual(unknown, [])
  })

  it('of a first reader list every command, and no other', () => {
    // In a row the topic stands once: `p2pt client add`, then `magnet` or `client magnet`.
    const listed = tableAfter(document('README.md'), '## Commands').flatMap(([cell = '']) => {
      let topic = ''
      return [...cell.matchAll(/`([^`]+)`/g)].map(([, span = '']) => {
        const words = span
          .replace(/^p2pt /, '')
          .split(' ')
          .filter((word) => /^[a-z]+$/.test(word))
        if (span.startsWith('p2pt ')) topic = words[0] ?? ''
        return [words.join(' '), `${topic} ${words[0]}`].find((command) => COMMANDS.includes(command)) ?? span
      })
    })
    assert.deepEqual(listed.sort(), COMMANDS.toSorted())
  })
})
