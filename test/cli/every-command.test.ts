import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, type NodeProcess, p2pt, startNode, testNetwork } from './program.ts'

// Every command of the program, through the built package, against nodes that really run: the table is the test, and a
// command without a row in it is a failure. The rows tell one story and run in its order.

const UNKNOWN_HASH = '0123456789012345678901234567890123456789'
const NODE_ID = /^[0-9a-f]{64}$/

let folder: string | undefined
const nodes = new Map<string, NodeProcess>()
/** What earlier rows found out. */
const found = {
  ...{ bootstrap: '', infoHash: '', publisher: '', torrentFile: '', judge: '', invitation: '', join: '' },
  firstVerdict: 0,
}

const at = (...names: string[]): string => join(folder ?? '/nowhere', ...names)
/** For what each form of a command makes anew. */
let folders = 0
const newFolder = (name: string): string => {
  folders += 1
  return at(`${name}-${folders}`)
}
const data = (name: string): string[] => ['--data', at(name)]
const network = (): string[] => ['--host', '127.0.0.1', '--port', '0', '--bootstrap', found.bootstrap]

type Facts = Record<string, unknown>
type Row = {
  /** `topic verb`, as in the list of commands. */
  command: string
  /** Arguments and flags. */
  words: () => readonly string[]
  exit?: number
  /** Runs without `--json`: what stdout must say (stderr, where it is to fail). */
  text?: RegExp
  /** Runs with `--json`: what the object must have in it. */
  json?: object | ((value: Facts) => void)
  /** Runs with `--json`: what the lines must be. */
  lines?: (values: Facts[]) => void
}

/** Fails with this exit code and words like these on stderr. */
const failure = (exit: number, message: RegExp): Pick<Row, 'exit' | 'text'> => ({ exit, text: message })

/** The same as a JSON object on stdout. */
const failureInJson = (exit: number, message: RegExp): Pick<Row, 'exit' | 'json'> => ({
  exit,
  json: ({ error }: Facts) => {
    const { message: said, exit: told } = error as Facts
    assert.match(String(said), message)
    assert.equal(told, exit)
  },
})

const first = (value: unknown): Facts => {
  assert.ok(Array.isArray(value) && value.length > 0, `expected a list that is not empty: ${JSON.stringify(value)}`)
  return value[0] as Facts
}

const isDone = (values: Facts[]) => {
  const last = values.at(-1)
  assert.equal(last?.event, 'done', JSON.stringify(last))
  assert.equal(last.infoHash, found.infoHash)
  for (const value of values.slice(0, -1)) assert.equal(value.event, 'progress')
}

const areEvents = (values: Facts[]) => {
  assert.ok(values.length > 0, 'no events')
  for (const value of values) assert.ok(Number(value.seq) > 0 && typeof value.kind === 'string', JSON.stringify(value))
}

const isExport = (values: Facts[]) => {
  assert.match(String((values[0]?.network as Facts | undefined)?.genesis), /^[0-9a-f]+$/)
  areEvents(values.slice(1, -1))
  assert.deepEqual(values.at(-1), { end: { events: values.length - 2 } })
}

/** What `network create` prints. */
const isNetwork = ({ id, members, clients, owner }: Facts) => {
  assert.match(String(id), NODE_ID)
  assert.equal(new Set(members as string[]).size, 4)
  for (const join of [...(members as string[]), clients]) assert.match(String(join), /^p2pt:[\w-]{100,}$/)
  assert.equal(statSync(join(String(owner), 'owner.seed')).mode & 0o777, 0o600)
}

const STORY: readonly Row[] = [
  // publishing and finding
  {
    command: 'client publish',
    words: () => [at('album'), '--title', 'Songs of the sea', '--tag', 'folk', ...data('c1')],
    text: /published +Songs of the sea[\s\S]*left out +1 hidden entry \(--hidden takes them\): \.cover[\s\S]*magnet:\?xt=urn:btih:[0-9a-f]{40}/,
  },
  {
    command: 'client publish',
    words: () => [at('note.txt'), at('other.txt'), ...data('c1')],
    json: ({ published }) => {
      assert.equal((published as unknown[]).length, 2)
      assert.match(String(first(published).infoHash), /^[0-9a-f]{40}$/)
      const nothing = { count: 0, first: [] }
      assert.deepEqual(first(published).skipped, { hidden: nothing, links: nothing, special: nothing })
    },
  },
  {
    command: 'client publish',
    words: () => ['--from', at('list'), ...data('c1')],
    ...failure(1, /^line 2: the line begins with \{ and is not JSON\nline 4, .*gone: there is no readable file or folder/m),
  },
  {
    command: 'client publish',
    words: () => ['--from', at('list'), ...data('c1')],
    exit: 1,
    lines: (values) => {
      const outcomes = values.map(({ line, outcome, event }) => event ?? `${line} ${outcome}`)
      assert.deepEqual(outcomes, ['2 failed', '1 unchanged', '3 unchanged', '4 failed', 'summary'])
      assert.equal(values[1]?.title, 'A paper of stones')
      const { published, unchanged, failed } = values.at(-1) ?? {}
      assert.deepEqual([published, unchanged, failed], [0, 2, 2])
    },
  },
  { command: 'client publish', words: () => data('c1'), ...failure(2, /give a file or folder to publish/) },
  {
    command: 'client import',
    words: () => [at('papers'), ...data('c1')],
    text: /^published 2 torrents\npassed over 1 that is published and unchanged\nleft out 1 hidden entry/,
  },
  {
    command: 'client import',
    words: () => [at('papers'), ...data('c1')],
    lines: (values) => {
      assert.deepEqual(
        values.map(({ outcome, title, event }) => event ?? `${outcome} ${title}`),
        ['unchanged paper of herbs.txt', 'unchanged paper of trees.txt', 'unchanged A paper of stones', 'summary'],
      )
    },
  },
  {
    command: 'client status',
    words: () => data('c1'),
    text: /role +client[\s\S]*album/,
    json: ({ torrents, node }) => {
      const album = (torrents as Facts[]).find(({ name }) => name === 'album')
      found.infoHash = String(album?.infoHash)
      assert.equal(album?.state, 'seeding')
      assert.match(String((node as Facts).id), NODE_ID)
    },
  },
  {
    command: 'client search',
    words: () => ['songs', 'sea', ...data('c2')],
    text: /1 {2}Songs of the sea {2}\[folk\]\n.*4\.0 MB in 2 files/,
    json: ({ hits }) => {
      assert.equal(first(hits).infoHash, found.infoHash)
      found.publisher = String(first(hits).publisher)
    },
  },
  { command: 'client search', words: () => ['nothingofthatname', ...data('c2')], text: /nothing found/, json: { hits: [] } },
  { command: 'client search', words: () => ['sea', '--get', '1', '--wait', ...data('c2')], lines: isDone },
  {
    command: 'index search',
    words: () => ['songs', 'tag:folk', ...data('i1')],
    text: /Songs of the sea/,
    json: ({ hits }) => assert.equal(first(hits).title, 'Songs of the sea'),
  },
  { command: 'index status', words: () => data('i1'), text: /torrents +6/, json: { documents: 6, partitions: [] } },
  {
    command: 'index status',
    words: () => ['--partitions', ...data('i1')],
    text: /PARTITION +RANK/,
    json: ({ partitions }) => assert.equal((partitions as unknown[]).length, 1024),
  },
  {
    command: 'index rebuild',
    words: () => data('i1'),
    text: /digest after +[0-9a-f]{64} \(the same\)/,
    json: ({ projections }) => {
      const { name, digestBefore, digestAfter } = first(projections)
      assert.equal(name, 'keyword-index')
      assert.equal(digestAfter, digestBefore)
    },
  },
  // downloads
  {
    command: 'client remove',
    words: () => [found.infoHash, '--delete-files', ...data('c2')],
    text: /removed [0-9a-f]{40} and its files/,
  },
  { command: 'client add', words: () => [found.torrentFile, '--wait', ...data('c2')], text: /complete: album \(4\.0 MB\)/ },
  { command: 'client remove', words: () => [found.infoHash, ...data('c2')], json: { filesDeleted: false } },
  {
    command: 'client add',
    words: () => [found.torrentFile, '--to', at('elsewhere'), ...data('c2')],
    json: { origin: 'download' },
  },
  {
    command: 'client remove',
    words: () => [found.infoHash.slice(0, 12), '--delete-files', ...data('c2')],
    json: { filesDeleted: true },
  },
  { command: 'client magnet', words: () => [`magnet:?xt=urn:btih:${found.infoHash}`, '--wait', ...data('c2')], lines: isDone },
  { command: 'client magnet', words: () => [`magnet:?xt=urn:btih:${UNKNOWN_HASH}`, ...data('c2')], text: /added 0123456789/ },
  { command: 'client remove', words: () => [UNKNOWN_HASH, ...data('c2')], text: /its files are still there/ },
  { command: 'client pause', words: () => [found.infoHash, ...data('c2')], text: /paused/ },
  { command: 'client pause', words: () => [found.infoHash, ...data('c2')], json: { state: 'paused' } },
  { command: 'client resume', words: () => [found.infoHash.slice(0, 8), ...data('c2')], text: /album/ },
  {
    command: 'client resume',
    words: () => [found.infoHash, ...data('c2')],
    json: ({ state }) => assert.notEqual(state, 'paused'),
  },
  {
    command: 'client files',
    words: () => [found.infoHash, ...data('c2')],
    text: /NO +WANTED +DONE +SIZE +PATH\n +1 +yes +100 % /,
    json: ({ files }) => assert.equal(first(files).priority, 'normal'),
  },
  {
    command: 'client select',
    words: () => [found.infoHash, '1', '--only', ...data('c2')],
    text: /album +\S+ +100 % of a part/,
  },
  {
    command: 'client select',
    words: () => [found.infoHash, '--priority', 'normal', ...data('c2')],
    json: ({ piecesWanted, pieceCount }) => assert.equal(piecesWanted, pieceCount),
  },
  { command: 'client select', words: () => [found.infoHash, '99', ...data('c2')], ...failure(2, /there is no file "99"/) },
  { command: 'client select', words: () => [found.infoHash, ...data('c2')], ...failure(2, /nothing to change/) },
  { command: 'client recheck', words: () => [found.infoHash.slice(0, 8), ...data('c2')], text: /album +\S+ +100 %/ },
  {
    command: 'client recheck',
    words: () => [found.infoHash, ...data('c2')],
    json: ({ piecesVerified, pieceCount }) => assert.equal(piecesVerified, pieceCount),
  },
  { command: 'client recheck', words: () => [UNKNOWN_HASH, ...data('c2')], ...failure(1, /no torrent with info hash/) },
  {
    command: 'client move',
    words: () => [found.infoHash.slice(0, 8), '--to', at('films'), ...data('c2')],
    text: /album +\S+ +100 %[\s\S]*its files are in .*films/,
  },
  { command: 'client move', words: () => [UNKNOWN_HASH, '--to', at('films'), ...data('c2')], ...failure(1, /no torrent with/) },
  { command: 'client move', words: () => [found.infoHash, ...data('c2')], ...failure(2, /Missing required flag to/) },
  {
    command: 'client move',
    words: () => [found.infoHash, '--to', at('films'), ...data('c2')],
    json: ({ directory }) => assert.equal(directory, at('films')),
  },
  {
    command: 'client rename',
    words: () => [found.infoHash, 'album', 'Album', ...data('c2')],
    text: /NO +WANTED +DONE +SIZE +PATH\n +1 +yes +100 % .*Album\//,
  },
  {
    command: 'client rename',
    words: () => [found.infoHash, 'Album', 'My album', ...data('c2')],
    json: ({ files }) => assert.match(String(first(files).path), /^My album\//),
  },
  {
    command: 'client rename',
    words: () => [found.infoHash, '99', 'x', ...data('c2')],
    ...failure(2, /no file of the torrent is "99"/),
  },
  { command: 'client corrupt', words: () => [found.infoHash, '50', ...data('c1')], text: /corrupts 50 %/ },
  { command: 'client corrupt', words: () => [found.infoHash, '0', ...data('c1')], json: { corruptPercent: 0 } },
  {
    command: 'client corrupt',
    words: () => [found.infoHash, '50', ...data('c2')],
    ...failureInJson(1, /not started with --allow-corrupt/),
  },
  {
    command: 'client limit',
    words: () => ['--down', '5MB', '--at', '0 8 * * 1-5=500kB/none', '--seeds', '9', '--remote-up', '900kB', ...data('c2')],
    text: /download +5\.0 MB\/s\nupload +no limit\nfrom 0 8 \* \* 1-5 +down 500\.0 kB\/s, up no limit\nnow [^\n]+\nother peers +down no limit, up 900\.0 kB\/s\n/,
  },
  {
    command: 'client status',
    words: () => data('c2'),
    text: /limits +down [^\n]+\nother peers +down no limit, up 900\.0 kB\/s\n\n/,
  },
  {
    command: 'client limit',
    words: () => ['--down', 'none', '--at', 'none', '--seeds', 'none', '--remote-up', 'none', ...data('c2')],
    json: ({ settings }) => assert.equal((settings as Facts).seedsMax, 0),
  },
  {
    command: 'client limit',
    words: () => [found.infoHash, '--ratio', '2', ...data('c2')],
    text: /seed until +2 times its size/,
  },
  {
    command: 'client limit',
    words: () => [found.infoHash, '--seeds', '2', ...data('c2')],
    ...failure(2, /of the client as a whole/),
  },
  { command: 'client limit', words: () => ['--at', '99 8 * * *=1MB/1MB', ...data('c2')], ...failure(2, /no time pattern/) },
  { command: 'client status', words: () => ['--why', ...data('c2')], text: /album +seeding +seeds: / },
  {
    command: 'client export',
    words: () => [found.infoHash, at('again.torrent'), ...data('c2')],
    text: /wrote .*again\.torrent/,
  },
  {
    command: 'client export',
    words: () => [found.infoHash, at('again.torrent'), ...data('c2')],
    ...failure(1, /is there already/),
  },
  {
    command: 'client export',
    words: () => [found.infoHash, at('again.torrent'), '--force', ...data('c2')],
    json: ({ bytes }) => assert.ok(Number(bytes) > 100),
  },
  {
    command: 'client add',
    words: () => [`magnet:?xt=urn:btih:${found.infoHash}`, ...data('c2')],
    ...failure(2, /is no file: `p2pt client magnet` takes/),
  },
  {
    command: 'client export',
    words: () => [found.infoHash, '/dev/full/again.torrent', ...data('c2')],
    ...failure(1, /was not written/),
  },
  {
    command: 'client sources',
    words: () => [found.infoHash, '--add-tracker', 'http://user:secret@127.0.0.1/announce', ...data('c2')],
    ...failure(2, /a tracker at 127\.0\.0\.1 cannot be asked with a name and a password/),
  },
  {
    command: 'client sources',
    words: () => [found.infoHash, '--add-tracker', 'udp://127.0.0.1/announce', ...data('c2')],
    ...failure(2, /has no port/),
  },
  {
    command: 'client publish',
    words: () => [at('again.torrent'), '--title', 'Songs once more', ...data('c2')],
    text: /published +Songs once more .*\n[\s\S]*info hash +[0-9a-f]{40}/,
  },
  {
    command: 'client sources',
    words: () => [found.infoHash, ...data('c2')],
    text: /it names no tracker and no web seed\nonly peers of this network are asked/,
  },
  {
    command: 'client sources',
    words: () => [found.infoHash, '--add-tracker', 'udp://127.0.0.1:9/announce', '--add-peer', '127.0.0.1:9', ...data('c2')],
    json: ({ sources }) => assert.equal(first(sources).state, 'not-asked'),
  },
  {
    command: 'client sources',
    words: () => [found.infoHash, '--remove-tracker', 'udp://127.0.0.1:9/announce', ...data('c2')],
    json: { sources: [] },
  },
  {
    command: 'client sources',
    words: () => [found.infoHash, '--add-tracker', 'gopher://x', ...data('c2')],
    ...failure(2, /no address of a tracker/),
  },
  {
    command: 'client sources',
    words: () => [found.infoHash, '--add-peer', 'nowhere', ...data('c2')],
    ...failure(2, /give HOST:PORT/),
  },
  {
    command: 'client dht',
    words: () => data('c1'),
    text: /overlay +127\.0\.0\.1:\d+/,
    json: ({ mainline }) => assert.ok(Number((mainline as Facts).port) > 0),
  },
  {
    command: 'client peers',
    words: () => data('c1'),
    text: /STANDING/,
    json: ({ links }) => assert.match(String(first(links).peer), NODE_ID),
  },
  {
    command: 'client peers',
    words: () => [found.infoHash, ...data('c1')],
    json: ({ torrentPeers }) => assert.ok(Array.isArray(torrentPeers)),
  },
  // the log
  {
    command: 'log show',
    words: () => ['--kind', 'torrent.published', ...data('c1')],
    text: /torrent\.published {2}.*title=Songs of the sea/,
    lines: areEvents,
  },
  {
    command: 'log show',
    words: () => ['--from', '2', '--to', '4', '--limit', '2', ...data('c1')],
    lines: (values) =>
      assert.deepEqual(
        values.map(({ seq }) => seq),
        [2, 3],
      ),
  },
  {
    command: 'log tail',
    words: () => ['--no-follow', '--lines', '2', ...data('c1')],
    text: /^ +\d+ .*\n +\d+ .*\n$/,
    lines: areEvents,
  },
  {
    command: 'log stats',
    words: () => data('c1'),
    text: /events +\d+\nsize +\S+ \S+ on the disk\n/,
    json: ({ events }) => assert.ok(Number(events) > 0),
  },
  {
    command: 'log stats',
    words: () => ['--kinds', ...data('c1')],
    text: /KIND +EVENTS +SIZE/,
    json: ({ read }) => assert.ok(Number((read as Facts).bytes) > 0),
  },
  {
    command: 'log verify',
    words: () => ['--signatures', ...data('c1')],
    text: /^intact: /,
    json: { intact: true, ranges: [], problems: [] },
  },
  {
    command: 'log export',
    words: () => data('c1'),
    text: /^\{"network":\{.*\n\{"seq":1,.*"signature":"[^"]+"\}\n/,
    lines: isExport,
  },
  {
    command: 'log export',
    words: () => ['--output', at('export.ndjson'), '--limit', '3', ...data('c1')],
    json: ({ events, bytes, file }) => {
      assert.equal(events, 3)
      assert.equal(statSync(String(file)).size, bytes)
    },
  },
  // reputation
  {
    command: 'reputation list',
    words: () => data('c2'),
    text: /good/,
    json: ({ scores }) => assert.equal(first(scores).peer, found.publisher),
  },
  {
    command: 'reputation explain',
    words: () => [found.publisher.slice(0, 8), ...data('c2')],
    text: /is in good standing, with a score of/,
    json: ({ verdicts }) => assert.ok(first(verdicts).good),
  },
  {
    command: 'reputation replay',
    words: () => data('c2'),
    text: /\(the same as live\)/,
    json: ({ liveDigest, replayedDigest }) => assert.equal(replayedDigest, liveDigest),
  },
  {
    command: 'log show',
    words: () => ['--kind', 'piece.judged', ...data('c2')],
    lines: (values) => {
      found.judge = String(values[0]?.author)
      found.firstVerdict = Number(values[0]?.seq)
    },
  },
  // The publisher judged nobody, so all is as it was; without the one that did there is nothing.
  {
    command: 'reputation replay',
    words: () => ['--without', found.publisher.slice(0, 8), ...data('c2')],
    json: ({ scores, events }) => {
      assert.equal(first(scores).peer, found.publisher)
      assert.ok(Number(first(scores).ownGood) > 0 && Number(events) > 0)
    },
  },
  {
    command: 'reputation replay',
    words: () => ['--without', found.judge, ...data('c2')],
    json: { scores: [], events: 0, changed: [] },
  },
  {
    command: 'reputation replay',
    words: () => ['--without', `event:${found.firstVerdict}`, '--as', found.publisher.slice(0, 8), ...data('c2')],
    text: /^as [0-9a-f]{16} would judge/,
  },
  {
    command: 'reputation replay',
    words: () => ['--policy', 'ancestor', '--set', 'start=50', '--until', 'lamport:1', ...data('c2')],
    text: /under policy ancestor[\s\S]*What the policy does:\n- A peer that sends nothing but bad pieces is banned after about 11\./,
  },
  {
    command: 'reputation replay',
    words: () => ['--until', String(found.firstVerdict - 1), ...data('c2')],
    json: { scores: [], events: 1 },
  },
  {
    command: 'reputation ban',
    words: () => [found.publisher, '--reason', 'a test', ...data('c2')],
    text: /banned by the operator: a test/,
  },
  {
    command: 'reputation ban',
    words: () => ['ip:203.0.113.9', '--reason', 'a test', ...data('c2')],
    json: { peer: 'ip:203.0.113.9', standing: 'banned' },
  },
  {
    command: 'reputation list',
    words: () => ['--banned', ...data('c2')],
    json: ({ scores }) => assert.equal((scores as unknown[]).length, 2),
  },
  {
    command: 'reputation explain',
    words: () => [found.publisher, ...data('c2')],
    text: /is banned[\s\S]*Without event \d+ it would not be banned/,
  },
  {
    command: 'log export',
    words: () => ['--format', 'bundle', '--output', at('diff.bundle'), ...data('c1')],
    text: /diff\.bundle/,
  },
  {
    command: 'reputation diff',
    words: () => [at('diff.bundle'), ...data('c2')],
    text: /^here: [0-9a-f]{64} \(policy seed-v1\)\nthere: [0-9a-f]{64}[\s\S]*there: good, score 100[\s\S]*(nobody judges itself|operator here banned it)/,
    json: ({ differing, peers }) => assert.equal((peers as unknown[]).length, differing),
  },
  {
    command: 'audit export',
    words: () => [found.publisher.slice(0, 8), at('evidence.html'), ...data('c2')],
    text: /judged by +[0-9a-f]{64}[\s\S]*banned[\s\S]*in .*evidence\.html/,
  },
  {
    command: 'audit export',
    words: () => [found.publisher, newFolder('evidence.json'), ...data('c2')],
    json: ({ digest, form }) => {
      assert.match(String(digest), /^[0-9a-f]{64}$/)
      assert.equal(form, 'json')
    },
  },
  {
    command: 'audit verify',
    words: () => [at('evidence.html')],
    text: /all of it holds: .* and the page says what its evidence says/,
    json: ({ holds, page, peers }) => assert.deepEqual([holds, page, first(peers).standing], [true, 'agrees', 'banned']),
  },
  { command: 'audit verify', words: () => [at('note.txt')], ...failure(4, /no evidence of p2pt, or it was cut off/) },
  {
    command: 'reputation bisect',
    words: () => [found.publisher.slice(0, 8), ...data('c2')],
    text: /is banned\.\nIt was tipped by event \d+ .*rule: operator[\s\S]*Without 1 event it would stand: \d+\. No smaller set/,
    json: ({ standing, claim, liftingCount }) => assert.deepEqual([standing, claim, liftingCount], ['banned', 'smallest', 1]),
  },
  {
    command: 'reputation adopt',
    words: () => ['local-only', '--set', 'bad=7', ...data('c2')],
    text: /this node judges by local-only from here on:\n- A peer that sends nothing but bad pieces is banned after about 15\./,
  },
  {
    command: 'reputation adopt',
    words: () => ['seed-v1', ...data('c2')],
    json: ({ id, consequences }) => assert.deepEqual([id, (consequences as unknown[]).length], ['seed-v1', 9]),
  },
  { command: 'reputation unban', words: () => [found.publisher, '--reason', 'over', ...data('c2')], text: /good/ },
  {
    command: 'reputation unban',
    words: () => ['ip:203.0.113.9', '--reason', 'over', ...data('c2')],
    json: { standing: 'good' },
  },
  // any node
  {
    command: 'node status',
    words: () => data('b1'),
    text: /role +bootstrap\nstate +ready/,
    json: { role: 'bootstrap', ready: true },
  },
  { command: 'node status', words: () => ['--check', ...data('i1')], text: /^ready\n$/, json: { ready: true } },
  {
    command: 'node liveness',
    words: () => data('b1'),
    text: /\(self\)[\s\S]*alive/,
    json: ({ members }) => assert.ok((members as Facts[]).filter(({ state }) => state === 'alive').length >= 2),
  },
  {
    command: 'node id',
    words: () => data('c1'),
    text: /^[0-9a-f]{64}\n$/,
    json: ({ id }) => assert.equal(id, found.publisher),
  },
  {
    command: 'node rebuild',
    words: () => data('c1'),
    text: /projection +liveness[\s\S]*projection +downloads[\s\S]*\(the same\)/,
    json: ({ projections }) => assert.equal((projections as Facts[]).length, 6),
  },
  {
    command: 'node rebuild',
    words: () => ['reputation', 'downloads', ...data('b1')],
    json: ({ projections }) => assert.ok((projections as Facts[]).every((row) => row.digestBefore === row.digestAfter)),
  },
  { command: 'node rebuild', words: () => ['nonsense', ...data('c1')], ...failure(2, /there is no projection nonsense/) },
  {
    command: 'node backup',
    words: () => ['--output', at('copy-1'), ...data('c1')],
    text: /^the log up to event \d+ and the key are in /,
  },
  {
    command: 'node backup',
    words: () => ['--output', at('copy-2'), ...data('c1')],
    json: ({ head, indexSeq }) => assert.ok(Number(head) > 0 && Number(indexSeq) > 0),
  },
  { command: 'node backup', words: () => ['--output', at('copy-2'), ...data('c1')], ...failure(2, /is not empty/) },
  { command: 'log verify', words: () => ['--signatures', ...data('copy-1')], text: /^intact: /, json: { intact: true } },
  { command: 'node migrate', words: () => data('c1'), ...failure(1, /runs, so it is up to date/) },
  {
    command: 'log show',
    words: () => ['--at', '3', ...data('c1')],
    text: /^ +1 .*\n +2 .*\n +3 .*\n$/,
    lines: (values) => assert.equal(values.at(-1)?.seq, 3),
  },
  {
    command: 'log show',
    words: () => ['--at', '2001-01-01T00:00:00Z', ...data('c1')],
    text: /^no events: the log began after that\n$/,
    lines: (values) => assert.deepEqual(values, []),
  },
  {
    command: 'log show',
    words: () => ['--kind', 'piece.judged', '--at', '1', ...data('c1')],
    text: /^no such events by then\n$/,
  },
  { command: 'log show', words: () => ['--at', 'lamport:x', ...data('c1')], ...failure(2, /not a moment: lamport:x/) },
  {
    command: 'node liveness',
    words: () => ['--at', '1', ...data('b1')],
    text: /^as of event 1 \(lamport 1, /,
    json: ({ asOf, members }) => {
      assert.equal((asOf as Facts).seq, 1)
      assert.ok((members as Facts[]).length <= 1)
    },
  },
  {
    command: 'reputation list',
    words: () => ['--at', 'lamport:1', ...data('c2')],
    text: /nobody has been judged yet/,
    json: { scores: [] },
  },
  {
    command: 'reputation explain',
    words: () => [found.publisher, '--at', '2020-01-01', ...data('c2')],
    text: /before the first event/,
    json: { asOf: { seq: 0 }, verdicts: [] },
  },
  // the network
  {
    command: 'network show',
    words: () => data('c1'),
    text: /^network +test\n[\s\S]*NODE +ROLE +STATE[\s\S]*member +admitted[\s\S]*client +admitted/,
    json: ({ admitted, open, revoked }) => {
      assert.ok(
        (admitted as Facts[]).some(
          ({ node, role, state }) => node === found.publisher && `${role} ${state}` === 'client admitted',
        ),
      )
      assert.deepEqual([open, revoked], [false, []])
    },
  },
  {
    command: 'network create',
    words: () => ['herbs', '--bootstrap', '127.0.0.1:4700', '--owner', newFolder('herbs')],
    text: /^network +herbs\n[\s\S]*bootstraps and index nodes join with one of these each:\n(?:p2pt:[\w-]+\n){4}\nclients join with:\np2pt:/,
    json: isNetwork,
  },
  {
    command: 'network create',
    words: () => ['open', '--open', '--bootstrap', '127.0.0.1:4700', '--owner', at('open')],
    json: (made) => {
      isNetwork(made)
      assert.ok(String(made.clients).length < String((made.members as string[])[0]).length, 'there is no invitation in it')
    },
  },
  {
    command: 'network create',
    words: () => ['again', '--bootstrap', '127.0.0.1:4700', '--owner', at('open')],
    ...failure(2, /there is a network in .*open already/),
  },
  {
    command: 'network create',
    words: () => ['a/b', '--bootstrap', '127.0.0.1:4700', '--owner', at('slash')],
    ...failure(2, /a network's name has 1 to 64 bytes, without slashes/),
  },
  {
    command: 'network create',
    words: () => ['..', '--bootstrap', '127.0.0.1:4700'],
    ...failure(2, /a network's name .* is not \. or \.\./),
  },
  { command: 'network create', words: () => ['none', '--owner', at('none')], ...failure(2, /bootstrap/) },
  {
    command: 'network create',
    words: () => ['bad', '--bootstrap', 'nonsense', '--owner', at('bad')],
    ...failure(2, /HOST:PORT/),
  },
  {
    command: 'network invite',
    words: () => [
      '--owner',
      testNetwork(),
      '--role',
      'client',
      '--name',
      'guest',
      '--expires',
      '30d',
      '--bootstrap',
      found.bootstrap,
    ],
    text: /^invitation [0-9a-f]{16} \(guest\) for clients, until .*: give them this string, and nobody else\np2pt:/,
    json: ({ invitation, join, name, role }) => {
      assert.deepEqual([name, role], ['guest', 'client'])
      found.invitation = String(invitation)
      found.join = String(join)
    },
  },
  {
    command: 'network invite',
    words: () => ['--owner', testNetwork(), '--role', 'client', '--expires', 'soon'],
    ...failure(2, /--expires soon is no time such as/),
  },
  {
    command: 'network invite',
    words: () => ['--owner', at('absent'), '--role', 'member'],
    ...failure(1, /there is no network of yours in .*absent: make one with/),
  },
  { command: 'network invite', words: () => ['--owner', testNetwork()], ...failure(2, /role/) },
  {
    command: 'network invite',
    words: () => ['--owner', testNetwork(), '--role', 'client'],
    ...failure(2, /made without bootstraps: say with --bootstrap/),
  },
  {
    command: 'network invite',
    words: () => ['--owner', testNetwork(), '--role', 'member', '--bootstrap', '127.0.0.1:4700'],
    text: /^invitation [0-9a-f]{16} for one member, until it is revoked: give them this string, and nobody else\np2pt:/,
    json: ({ role }) => assert.equal(role, 'member'),
  },
  {
    command: 'index start',
    words: () => [...data('i3'), '--host', '127.0.0.1', '--port', '0', '--join', found.join],
    ...failure(2, /the join string is for clients.*ask its owner/),
  },
  {
    command: 'client start',
    words: () => [...data('c8'), '--join', `${found.join.slice(0, -3)}abc`],
    ...failure(2, /the join string is cut off or mistyped/),
  },
  {
    command: 'client start',
    words: () => [...data('c8'), '--join', found.join, '--network', 'x'],
    ...failure(2, /--network/),
  },
  {
    command: 'network revoke',
    words: () => ['nobody', '--owner', testNetwork(), ...data('c1')],
    ...failure(2, /no node and no invitation is called nobody/),
  },
  {
    command: 'network revoke',
    words: () => [`${found.join.slice(0, -3)}abc`, '--owner', testNetwork(), ...data('c1')],
    ...failure(2, /^p2pt: the join string is cut off or mistyped[^\n]{0,100}\n$/),
  },
  {
    command: 'network revoke',
    words: () => ['guest', found.join, '--owner', testNetwork(), ...data('c1')],
    ...failure(2, /^(?![\s\S]*p2pt:[\w-])/),
  },
  // Its text form made another of that name.
  {
    command: 'network revoke',
    words: () => ['guest', '--owner', testNetwork(), ...data('c1')],
    ...failure(2, /2 are called guest, so give the id of the one: invitation [0-9a-f]{16}, invitation [0-9a-f]{16}\n$/),
  },
  {
    command: 'network show',
    words: () => ['--owner', testNetwork(), ...data('c1')],
    text: /no node has used[\s\S]*INVITATION +ROLE +STATE +MADE FOR +EXPIRES\n[\s\S]*[0-9a-f]{16} +client +unused +guest +20/,
    json: ({ unused }) => {
      const row = (unused as Facts[]).find(({ key }) => key === found.invitation)
      assert.deepEqual([row?.name, row?.role, typeof row?.expiresAt], ['guest', 'client', 'number'])
    },
  },
  {
    command: 'network revoke',
    words: () => [found.invitation.slice(0, 16), '--owner', testNetwork(), '--reason', 'a test', ...data('c1')],
    text: /^revoked the invitation guest \([0-9a-f]{16}\): 0 nodes are admitted no more\n$/,
  },
  {
    command: 'network revoke',
    words: () => [found.join, '--owner', testNetwork(), ...data('c1')],
    text: /^the invitation guest \([0-9a-f]{16}\) was revoked already, on 20/,
    json: ({ key, nodes, kind, already, reason }) =>
      assert.deepEqual([key, nodes, kind, already, reason], [found.invitation, 0, 'invitation', true, 'a test']),
  },
  {
    command: 'network revoke',
    words: () => ['guest', '--owner', testNetwork(), ...data('c1'), '--json'],
    json: ({ name, already }) => assert.deepEqual([name, already], ['guest', false], 'the other one of that name'),
  },
  {
    command: 'network show',
    words: () => ['--owner', testNetwork(), ...data('c1')],
    text: /revoked:\nSINCE +WHAT +KEY +MADE FOR +REASON\n[\s\S]*invitation +[0-9a-f]{16} +guest +a test/,
    json: ({ unused, revoked }) => {
      assert.ok(!(unused as Facts[]).some(({ name }) => name === 'guest'))
      assert.partialDeepStrictEqual(first(revoked), { key: found.invitation, kind: 'invitation', name: 'guest' })
    },
  },
  {
    command: 'network revoke',
    words: () => [found.invitation, '--owner', at('open'), ...data('c1')],
    ...failure(2, /the owner's key in .*open is of the network "open" .*, and this node is in "test"/),
  },
  {
    command: 'client start',
    words: () => [...data('c2'), '--join', found.join],
    ...failureInJson(1, /in use by process/),
  },
  // bad input to running nodes
  { command: 'client add', words: () => [at('note.txt'), ...data('c1')], ...failure(1, /not a torrent file/) },
  {
    command: 'client add',
    words: () => [at('absent.torrent'), ...data('c1')],
    ...failureInJson(2, /cannot read .*absent\.torrent/),
  },
  { command: 'client add', words: () => [at('negative.torrent'), ...data('c1')], ...failure(1, /torrent/) },
  { command: 'client magnet', words: () => ['magnet:?xt=urn:btih:zz', ...data('c1')], ...failureInJson(1, /magnet/) },
  { command: 'client publish', words: () => [at('absent'), ...data('c1')], ...failure(2, /there is no file or folder/) },
  {
    command: 'client publish',
    words: () => [at('note.txt'), at('other.txt'), '--title', 'x', ...data('c1')],
    ...failure(2, /one title/),
  },
  { command: 'client pause', words: () => [UNKNOWN_HASH, ...data('c1')], ...failure(1, /no torrent with info hash/) },
  { command: 'client resume', words: () => ['zz', ...data('c1')], ...failure(2, /not an info hash/) },
  { command: 'client remove', words: () => ['ffff', ...data('c1')], ...failure(2, /no torrent known here starts with ffff/) },
  { command: 'client corrupt', words: () => [found.infoHash, '101', ...data('c1')], ...failure(2, /100/) },
  {
    command: 'client search',
    words: () => ['sea', '--limit', '1000', '--explain', ...data('c2')],
    text: /"sea" \(partition \d+\): .*\n(.*\n)*the answer is (not )?complete\n?$/,
    json: { truncated: false, charged: [] },
  },
  {
    command: 'client search',
    words: () => ['sea', '--cursor', 'nonsense', ...data('c2')],
    ...failure(2, /this is no cursor of a search/),
  },
  { command: 'client search', words: () => ['sea', '--limit', '1001', ...data('c2')], ...failure(2, /1000/) },
  {
    command: 'client search',
    words: () => ['sea', 'size:big', ...data('c2')],
    ...failure(2, /"size:big" is no size: write size:>1GB/),
  },
  { command: 'client search', words: () => ['***', ...data('c2')], ...failure(2, /at least one word/) },
  { command: 'index search', words: () => ['sea', '!seeders:few', ...data('i1')], ...failure(2, /is no number of seeders/) },
  { command: 'index search', words: () => ['sea', '--limit', '1000', ...data('i1')], json: { truncated: false } },
  { command: 'index search', words: () => ['sea', '--limit', '1001', ...data('i1')], ...failure(2, /1000/) },
  { command: 'client search', words: () => ['sea', '--get', '9', ...data('c1')], ...failure(1, /there is no hit 9/) },
  { command: 'client status', words: () => data('i1'), ...failure(2, /no client node/) },
  { command: 'index status', words: () => data('c1'), ...failureInJson(2, /no index node/) },
  {
    command: 'log show',
    words: () => ['--from', '5', '--to', '2', ...data('c1')],
    ...failure(2, /the first is after the last/),
  },
  { command: 'log show', words: () => ['--kind', 'nonsense', ...data('c1')], ...failure(2, /no event kind/) },
  { command: 'log export', words: () => ['--output', at('absent/file'), ...data('c1')], ...failure(1, /cannot write/) },
  { command: 'reputation explain', words: () => ['zz', ...data('c1')], ...failure(2, /not a peer/) },
  {
    command: 'reputation replay',
    words: () => ['--policy', 'seed-v1', '--set', 'y', ...data('c1')],
    ...failure(2, /NAME=VALUE/),
  },
  {
    command: 'reputation replay',
    words: () => ['--policy', 'no-such', ...data('c1')],
    ...failureInJson(2, /neither a policy that p2pt has \(ancestor, seed-v1, local-only\) nor a file/),
  },
  {
    command: 'reputation replay',
    words: () => ['--without', 'event:x', ...data('c1')],
    ...failure(2, /event: and its sequence/),
  },
  { command: 'reputation ban', words: () => [found.publisher, ...data('c1')], ...failureInJson(2, /reason/) },
  { command: 'node status', words: () => ['--nonsense', ...data('c1')], ...failure(2, /--nonsense/) },
  {
    command: 'client dht',
    words: () => ['too', 'many', ...data('c1')],
    ...failureInJson(2, /`p2pt client dht` does not take `too many`/),
  },
  // bad input to starts
  {
    command: 'client start',
    words: () => [...data('c1'), ...network()],
    ...failureInJson(1, /in use by process \d+ \(a node of role client\)/),
  },
  {
    command: 'index start',
    words: () => [
      ...data('i2'),
      '--host',
      '127.0.0.1',
      '--port',
      found.bootstrap.split(':')[1] ?? '',
      '--bootstrap',
      found.bootstrap,
    ],
    ...failure(1, /port \d+ .*in use/),
  },
  { command: 'client start', words: () => [...data('c9')], ...failure(2, /needs at least one --bootstrap/) },
  { command: 'client start', words: () => [...data('c9'), '--bootstrap', 'nonsense'], ...failure(2, /HOST:PORT/) },
  {
    command: 'client start',
    words: () => [...data('c9'), ...network(), '--upload-limit', 'fast'],
    ...failure(2, /not a rate/),
  },
  { command: 'bootstrap start', words: () => [...data('b9'), '--port', '70000'], ...failure(2, /65534/) },
  {
    command: 'bootstrap start',
    words: () => ['--data', '/proc/absent/p2pt', '--port', '0'],
    ...failure(1, /cannot make the data directory/),
  },
  // stopping, and what can be asked of a stopped node
  { command: 'node stop', words: () => data('c2'), text: /^stopped client node [0-9a-f]{64}\n$/ },
  { command: 'node stop', words: () => data('i1'), json: { stopped: true } },
  { command: 'node stop', words: () => data('c2'), ...failure(3, /no node is running in .*start one with/) },
  { command: 'node status', words: () => data('c2'), ...failure(3, /no node is running/) },
  { command: 'node status', words: () => ['--check', ...data('c2')], ...failure(3, /no node is running/) },
  { command: 'client search', words: () => ['sea', ...data('c2')], ...failureInJson(3, /p2pt client start/) },
  { command: 'index search', words: () => ['sea', ...data('i1')], ...failure(3, /p2pt index start/) },
  { command: 'node id', words: () => data('c2'), text: /^[0-9a-f]{64}\n$/, json: { role: 'client' } },
  {
    command: 'node liveness',
    words: () => data('c2'),
    text: /bootstrap/,
    json: ({ members }) => assert.match(String(first(members).id), NODE_ID),
  },
  { command: 'log show', words: () => ['--limit', '1', ...data('c2')], text: /node\.started/ },
  {
    command: 'log tail',
    words: () => ['--lines', '1', ...data('c2')],
    text: /node\.stopped/,
    lines: (values) => assert.equal(values.length, 1),
  },
  { command: 'log stats', words: () => data('c2'), json: ({ authors }) => assert.ok(Number(authors) > 1) },
  { command: 'log verify', words: () => ['--signatures', ...data('c2')], text: /^intact: / },
  { command: 'log repair', words: () => data('c2'), text: /^nothing to repair/, json: { repaired: false, intact: true } },
  { command: 'log export', words: () => ['--limit', '2', ...data('c2')], lines: isExport },
  {
    command: 'log export',
    words: () => ['--format', 'bundle', '--output', at('c2.bundle'), ...data('c2')],
    text: /events \(.*\) in /,
    json: ({ bytes, file }) => assert.equal(statSync(String(file)).size, bytes),
  },
  {
    command: 'log import',
    words: () => [at('c2.bundle'), '--role', 'client', '--key', at('c2/key.seed'), ...data('moved')],
    text: /^\d+ events imported into client node [0-9a-f]{64} \(0 there already\)/,
  },
  { command: 'log import', words: () => [at('c2.bundle'), ...data('moved')], json: { stored: 0, role: 'client' } },
  { command: 'log import', words: () => [at('c2.bundle'), ...data('copy-2')], ...failure(2, /private to another node/) },
  { command: 'log import', words: () => [at('note.txt'), ...data('moved')], ...failure(2, /neither a bundle nor NDJSON/) },
  {
    command: 'node migrate',
    words: () => ['--dry-run', ...data('moved')],
    text: /download\.added +1 +1[\s\S]*reputation .*nothing of this log is stored/,
    json: { dryRun: true },
  },
  { command: 'node migrate', words: () => data('moved'), text: /done in / },
  {
    command: 'node migrate',
    words: () => data('moved'),
    json: ({ plan }) => assert.ok(((plan as Facts).projections as Facts[]).every(({ rebuild }) => rebuild === null)),
  },
  {
    command: 'node rebuild',
    words: () => ['keyword-index', ...data('moved')],
    text: /projection +keyword-index/,
    json: ({ projections }) => assert.equal(first(projections).digestAfter, first(projections).digestBefore),
  },
  { command: 'index rebuild', words: () => data('absent'), ...failure(2, /there is no p2pt node in/) },
  { command: 'node backup', words: () => ['--output', at('copy-3'), ...data('c2')], text: /the key are in / },
  { command: 'node liveness', words: () => ['--at', 'now', ...data('c2')], text: /^as of event \d+/ },
  { command: 'reputation list', words: () => data('c2'), text: /good/ },
  { command: 'reputation explain', words: () => [found.publisher, ...data('c2')], json: { standing: 'good' } },
  { command: 'reputation replay', words: () => data('c2'), json: ({ events }) => assert.ok(Number(events) > 0) },
  {
    command: 'reputation bisect',
    words: () => [found.publisher, ...data('c2')],
    text: /good standing: there is nothing to look for/,
  },
  { command: 'log stats', words: () => data('absent'), ...failure(2, /there is no p2pt node in/) },
  { command: 'index start', words: () => [...data('c2'), ...network()], ...failureInJson(1, /role client, not index/) },
]

/** Commands whose text and `--json` forms are tested elsewhere, and where. */
const ELSEWHERE = new Map([
  ['demo', 'the whole of `npm start`, test/roles'],
  ['bootstrap start', '"starts and stops" below'],
  ['index start', '"starts and stops" below'],
  ['client start', '"starts and stops" below'],
])

function check(row: Row, ended: { exit: number | null; stdout: string; stderr: string }, json: boolean): void {
  const wanted = row.exit ?? 0
  const said = `\nstdout: ${ended.stdout.slice(0, 2000)}\nstderr: ${ended.stderr.slice(0, 2000)}`
  assert.equal(ended.exit, wanted, `exit code ${ended.exit}, not ${wanted}${said}`)
  if (!json) {
    assert.match(wanted === 0 ? ended.stdout : ended.stderr, row.text ?? /^/)
    assert.doesNotMatch(ended.stdout + ended.stderr, /\bundefined\b|\bNaN\b|\[object|^ +at .*:\d+:\d+/m)
    return
  }
  // Of a list with nothing in it there is no line.
  const isEmptyList = row.lines !== undefined && ended.stdout === ''
  const lines = isEmptyList
    ? []
    : ended.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Facts)
  if (row.lines !== undefined) {
    row.lines(lines)
    return
  }
  assert.equal(lines.length, 1, `one JSON object${said}`)
  const value = lines[0] ?? {}
  if (typeof row.json === 'function') row.json(value)
  else assert.partialDeepStrictEqual(value, row.json ?? {})
}

describe('every command, through the built package', function () {
  this.timeout(60_000)

  before(async () => {
    build()
    folder = await mkdtemp(join(tmpdir(), 'p2pt-commands-'))
    await mkdir(at('album'))
    await writeFile(at('album/sea.bin'), Buffer.alloc(4_000_000, 'waves '))
    await writeFile(at('album/notes.txt'), 'sung in 2026')
    await writeFile(at('album/.cover'), 'hidden')
    await writeFile(at('note.txt'), 'a note')
    await mkdir(at('papers'))
    for (const name of ['paper of herbs.txt', 'paper of trees.txt', 'stones.txt', '.draft'])
      await writeFile(at('papers', name), name)
    await writeFile(
      at('list'),
      `${at('papers', 'stones.txt')}\tA paper of stones\tpaper\n{no\n${at('other.txt')}\n${at('gone')}\n`,
    )
    await writeFile(at('other.txt'), 'another note')
    await writeFile(
      at('negative.torrent'),
      'd4:infod6:lengthi-5e4:name1:x12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaaee',
    )
    const bootstrap = await startNode(['bootstrap', 'start', '--json', '--host', '127.0.0.1', '--port', '0', ...data('b1')])
    nodes.set('b1', bootstrap)
    found.bootstrap = `127.0.0.1:${JSON.parse(bootstrap.ready).ports.overlay}`
    const start = async (name: string, ...words: string[]) => {
      nodes.set(name, await startNode([...words, ...data(name), ...network()]))
    }
    await Promise.all([
      start('i1', 'index', 'start', '--json'),
      start('c1', 'client', 'start', '--allow-corrupt', '--upload-limit', '100MB'),
      start('c2', 'client', 'start', '--json', '--no-prompt'),
    ])
  })

  after(async () => {
    for (const { child } of nodes.values()) child.kill('SIGKILL')
    await Promise.all([...nodes.values()].map(({ ended }) => ended))
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  })

  it('knows every command of the program', () => {
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../oclif.manifest.json'), 'utf8'))
    const commands = Object.keys(manifest.commands).map((id) => id.replaceAll(':', ' '))
    const rows = (command: string, form: (row: Row) => boolean) =>
      ELSEWHERE.has(command) || STORY.some((row) => row.command === command && (row.exit ?? 0) === 0 && form(row))
    assert.deepEqual(
      commands.filter((command) => !rows(command, ({ text }) => text !== undefined)),
      [],
      'without a text row',
    )
    assert.deepEqual(
      commands.filter((command) => !rows(command, ({ json, lines }) => (json ?? lines) !== undefined)),
      [],
      'without a JSON row',
    )
    assert.deepEqual(
      STORY.map(({ command }) => command).filter((command) => !commands.includes(command)),
      [],
      'no such command',
    )
    for (const [id, { summary, description, examples }] of Object.entries<Facts>(manifest.commands)) {
      assert.ok(summary && description && Array.isArray(examples) && examples.length > 0, `${id} has its help`)
    }
  })

  for (const row of STORY) {
    const words = row.words
      .toString()
      .replace(/^\(\) => \[?|\]$/g, '')
      .replaceAll('...data', 'data')
    it(`p2pt ${row.command} ${words} ends with ${row.exit ?? 0}`, async () => {
      if (found.torrentFile === '' && row.command === 'client add') await writeTorrentFile()
      const forms = [...(row.text === undefined ? [] : [false]), ...((row.json ?? row.lines) === undefined ? [] : [true])]
      // c1 runs throughout, so both forms may ask it at the same time; two readers of a stopped log are in each other's way.
      const run = (json: boolean) => p2pt([...row.command.split(' '), ...row.words(), ...(json ? ['--json'] : [])])
      if (row.words().includes(at('c1')) && !row.command.endsWith('start')) {
        const runs = await Promise.all(forms.map(run))
        for (const [index, ended] of runs.entries()) check(row, ended, forms[index] === true)
      } else for (const json of forms) check(row, await run(json), json)
    })
  }

  it('says that a damaged log is damaged, with 4', async () => {
    const log = at('c2/log')
    const sizes = (await readdir(log)).map((name) => ({ name, size: statSync(join(log, name)).size }))
    // Of tables a start would mend it.
    const victim = sizes.filter(({ name }) => name.endsWith('.log')).sort((a, b) => b.size - a.size)[0]
    assert.ok(victim)
    const bytes = await readFile(join(log, victim.name))
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0xff
    await writeFile(join(log, victim.name), bytes)
    const ended = await p2pt(['log', 'verify', ...data('c2'), '--json'])
    assert.equal(ended.exit, 4, `${ended.stdout}${ended.stderr}`)
    const started = await p2pt(['client', 'start', ...data('c2'), ...network()])
    assert.equal(started.exit, 4, `${started.stdout}${started.stderr}`)
    assert.match(started.stderr, /events \d+ to \d+ .*run `p2pt log repair --data /)
    const repaired = await p2pt(['log', 'repair', ...data('c2')])
    assert.match(repaired.stdout, /^repaired: the log is usable[\s\S]*the damaged files are in .*damaged-1/)
    const [, from, to] = /^ {2}events? (\d+)(?: to (\d+))? gone/m.exec(repaired.stdout) ?? []
    assert.equal(repaired.exit, from === undefined ? 0 : 1, `${repaired.stdout}${repaired.stderr}`)
    const tail = await p2pt(['log', 'tail', '--lines', '100000', ...data('c2')])
    assert.equal(tail.exit, 0, tail.stderr)
    if (from !== undefined)
      assert.match(tail.stdout, new RegExp(to === undefined ? `event ${from} is not` : `events ${from} to ${to} are not`))
    const verified = await p2pt(['log', 'verify', ...data('c2')])
    assert.equal(verified.exit, 0, `${verified.stdout}${verified.stderr}`)
  })

  it('says that a log beside the key of another node is not to be used, with 4', async () => {
    const key = await readFile(at('c2/key.seed'))
    await writeFile(at('c2/key.seed'), await readFile(at('i1/key.seed')))
    const ended = await p2pt(['log', 'verify', ...data('c2'), '--json'])
    const { stdout } = await p2pt(['log', 'verify', ...data('c2')])
    await writeFile(at('c2/key.seed'), key)
    assert.equal(ended.exit, 4, `${ended.stdout}${ended.stderr}`)
    assert.match(
      (JSON.parse(ended.stdout) as { problems: string[] }).problems.join(),
      /^the log is of node .* is the key of node /,
    )
    assert.match(stdout, /^not to be used as it is:\n {2}the log is of node /)
  })

  it('prints usage errors of words that are no command, with 2', async () => {
    const ended = await p2pt(['client', 'nonsense'])
    assert.equal(ended.exit, 2)
    assert.match(ended.stderr, /^p2pt: there is no command `client nonsense`/)
  })

  it('imports until it is interrupted, and the same words go on', async () => {
    await mkdir(at('many'))
    const names = Array.from({ length: 900 }, (_, place) => `paper number ${place}.txt`)
    for (const name of names) await writeFile(at('many', name), name)
    // A second one would end it at once.
    let isAsked = false
    const words = ['client', 'import', at('many'), '--json', ...data('c1')]
    const stopped = await p2pt(words, {
      onOutput(text, child) {
        if (!isAsked && text.includes('\n')) child.kill('SIGINT')
        isAsked ||= text.includes('\n')
      },
    })
    assert.equal(stopped.exit, 130, stopped.stderr)
    assert.match(stopped.stderr, /^stopped: \d+ published, 0 unchanged, 0 failed\. The same command goes on: /m)
    assert.doesNotMatch(stopped.stdout, /summary/)
    const list = await p2pt(['client', 'publish', '--from', '-', '--json', ...data('c1')], {
      input: names
        .slice(0, 300)
        .map((name) => `${at('many', name)}\n`)
        .join(''),
    })
    const { event, unchanged, published, failed } = JSON.parse(list.stdout.trimEnd().split('\n').at(-1) ?? '') as Facts
    assert.deepEqual([event, failed, Number(unchanged) + Number(published)], ['summary', 0, 300], list.stderr)
    assert.ok(Number(unchanged) > 100, `${unchanged} were published before`)
    // Hundreds of seeds cost it nothing that its links would notice.
    const { node, torrents } = JSON.parse((await p2pt(['client', 'status', '--json', ...data('c1')])).stdout) as Facts
    assert.ok(Number((node as Facts).links) >= 1, JSON.stringify(node))
    const many = (torrents as Facts[]).filter(({ directory }) => directory === at('many'))
    assert.ok(many.length >= 300 && many.every(({ state }) => state === 'seeding'), `${many.length}`)
  })

  it('follows the log of a running node until it is interrupted', async () => {
    let banning: Promise<unknown> | undefined
    const ended = await p2pt(['log', 'tail', '--lines', '1', ...data('c1')], {
      onOutput(text, child) {
        banning ??= p2pt(['reputation', 'ban', 'ip:203.0.113.77', '--reason', 'tail', ...data('c1')])
        if (text.includes('operator.banned')) child.kill('SIGINT')
      },
    })
    await banning
    assert.match(ended.stdout, /operator\.banned {2}subject=ip:203\.0\.113\.77 reason=tail\n/)
  })

  it('answers a prompt that is piped in, errors and all, and ends with it', async () => {
    const { exit, stdout } = await p2pt(['client', 'start', '--prompt', ...data('c3'), ...network()], {
      input: 'help\nnonsense\nstatus\ncorrupt zz 1\nsearch "big buck" size:big\nadd "open\nquit\n',
    })
    assert.equal(exit, 0, stdout)
    for (const said of [
      /publish PATH/,
      /no command nonsense/,
      /no torrents/,
      /not an info hash/,
      /"size:big" is no size/,
      /quote " is not closed/,
      /stopping/,
    ])
      assert.match(stdout, said)
  })

  it('takes the only default data directory there is, and says so when there are several', async () => {
    const home = at('home')
    await mkdir(home)
    const ended = await p2pt(['node', 'status'], { environment: { XDG_DATA_HOME: home } })
    assert.equal(ended.exit, 3)
    assert.match(ended.stderr, /--data DIR/)
    for (const role of ['index', 'client']) await mkdir(join(home, 'p2pt', role), { recursive: true })
    const several = await p2pt(['node', 'status'], { environment: { XDG_DATA_HOME: home } })
    assert.equal(several.exit, 2)
    assert.match(several.stderr, /several nodes/)
    const given = await p2pt(['node', 'id'], { environment: { P2PT_DATA: at('c1') } })
    assert.equal(given.stdout.trim(), found.publisher)
  })

  for (const role of ['index', 'client', 'bootstrap'])
    it(`starts and stops a ${role} node: one line when it is ready, gone within 3 s of SIGTERM, and nothing left`, async () => {
      const node = await startNode([role, 'start', ...data(`s-${role}`), ...network()])
      assert.match(node.ready, new RegExp(`^${role} node [0-9a-f]{64} is ready at 127\\.0\\.0\\.1:\\d+/udp`))
      const askedAt = performance.now()
      node.child.kill(role === 'index' ? 'SIGINT' : 'SIGTERM')
      const { exit, stderr } = await node.ended
      assert.equal(exit, 0, stderr)
      assert.ok(performance.now() - askedAt < 4000, 'it took longer than 3 s and some scheduling')
      assert.deepEqual(
        (await readdir(at(`s-${role}`))).filter((name) => name === 'control.sock' || name.startsWith('.c')),
        [],
      )
    })
})

/** The metainfo of the album as the publisher's log has it. */
async function writeTorrentFile(): Promise<void> {
  const { stdout } = await p2pt([
    'log',
    'show',
    '--kind',
    'download.described',
    '--kind',
    'download.added',
    ...data('c1'),
    '--json',
  ])
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).event as Facts)
  const described = events.find(({ infoHash, torrentFile }) => infoHash === found.infoHash && torrentFile !== '')
  assert.ok(described, 'the log has the metainfo')
  found.torrentFile = at('album.torrent')
  await writeFile(found.torrentFile, Buffer.from(String(described.torrentFile), 'base64'))
}
