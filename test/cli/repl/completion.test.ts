import assert from 'node:assert/strict'
import { type ArgumentKind, complete } from '../../../src/cli/repl/completion.ts'

const KINDS = new Map<string, ArgumentKind>([
  ['add', 'path'],
  ['status', 'none'],
  ['search', 'none'],
  ['corrupt', 'info-hash'],
  ['help', 'command'],
])
const source = {
  async list(directory: string) {
    if (directory === '.') return ['.hidden', 'my film.torrent', 'music/', "o'clock"]
    if (directory === 'music/') return ['a.torrent', 'b.torrent']
    throw new Error('no such directory')
  },
  infoHashes: async () => ['c12fe1', 'c1aaaa', 'd00000'],
}

describe('completion at the prompt', () => {
  const cases: [line: string, candidates: string[], typed: string][] = [
    ['', ['add ', 'status ', 'search ', 'corrupt ', 'help '], ''],
    ['s', ['status ', 'search '], 's'],
    ['nothing', [], 'nothing'],
    ['help co', ['corrupt '], 'co'],
    ['corrupt c1', ['c12fe1 ', 'c1aaaa '], 'c1'],
    ['corrupt ', ['c12fe1 ', 'c1aaaa ', 'd00000 '], ''],
    ['status x', [], 'x'],
    ['add ', ['my\\ film.torrent ', 'music/', "o\\'clock "], ''],
    ['add .h', ['.hidden '], '.h'],
    ['add my', ['my\\ film.torrent '], 'my'],
    ['add my\\ f', ['my\\ film.torrent '], 'my\\ f'],
    ['add "my f', ['"my film.torrent" '], '"my f'],
    ['add mu', ['music/'], 'mu'],
    ['add music/a', ['music/a.torrent '], 'music/a'],
    ['add nowhere/x', [], 'nowhere/x'],
  ]
  for (const [line, candidates, typed] of cases)
    it(`offers ${JSON.stringify(candidates)} for ${JSON.stringify(line)}`, async () =>
      assert.deepEqual(await complete(line, KINDS, source), [candidates, typed]))
})
