import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

// Damages of a log's files, as disks, people and half copies make them. Files of the log may be links that others share: each
// is made a file of its own before it is touched.

export type Scene = {
  /** The data directory. */
  readonly directory: string
  /** The same log as it was some thousand events before. */
  readonly older: string
  /** The log of another node. */
  readonly foreign: string
  random(): number
}

/** Does the damage, and says what it was. */
export type Damage = (scene: Scene) => string

const filesOf = (directory: string, ending: string): string[] =>
  readdirSync(join(directory, 'log')).filter((name) => name.endsWith(ending) && statSync(join(directory, 'log', name)).size > 0)

function pick<T>(list: readonly T[], random: () => number): T {
  const one = list[Math.floor(random() * list.length)]
  if (one === undefined) throw new Error('a log has more files')
  return one
}

/** Changes one file whose name ends so. */
const changing =
  (what: string, ending: string, change: (bytes: Buffer, at: number, random: () => number) => Buffer): Damage =>
  ({ directory, random }) => {
    const name = pick(
      ending === 'MANIFEST'
        ? readdirSync(join(directory, 'log')).filter((each) => each.startsWith(ending))
        : filesOf(directory, ending),
      random,
    )
    const path = join(directory, 'log', name)
    const bytes = readFileSync(path)
    const at = Math.floor(random() * bytes.length)
    rmSync(path)
    writeFileSync(path, change(bytes, at, random))
    return `${what} ${name} at ${at}`
  }

const removing =
  (ending: string): Damage =>
  ({ directory, random }) => {
    const names = readdirSync(join(directory, 'log')).filter((name) => name.endsWith(ending) || name.startsWith(ending))
    const name = pick(names, random)
    rmSync(join(directory, 'log', name))
    return `removed ${name}`
  }

const flip = (bytes: Buffer, at: number, random: () => number): Buffer => {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8))
  return bytes
}
const zero =
  (count: number) =>
  (bytes: Buffer, at: number): Buffer =>
    bytes.fill(0, at, Math.min(bytes.length, at + count))
const cut = (bytes: Buffer, at: number): Buffer => bytes.subarray(0, at)

/** Whole tables of another log under the names of ours. */
const replacing =
  (what: string, from: (scene: Scene) => string): Damage =>
  (scene) => {
    const source = pick(filesOf(from(scene), '.ldb'), scene.random)
    const target = pick(filesOf(scene.directory, '.ldb'), scene.random)
    const path = join(scene.directory, 'log', target)
    const bytes = readFileSync(join(from(scene), 'log', source))
    // The same table would be no damage.
    if (bytes.equals(readFileSync(path))) return replacing(what, from)(scene)
    rmSync(path)
    writeFileSync(path, bytes)
    return `${target} replaced by ${source} of ${what}`
  }

const swapped: Damage = ({ directory, random }) => {
  const tables = filesOf(directory, '.ldb')
  const a = pick(tables, random)
  const b = pick(
    tables.filter((name) => name !== a),
    random,
  )
  const [pathA, pathB] = [join(directory, 'log', a), join(directory, 'log', b)]
  renameSync(pathA, `${pathA}.away`)
  renameSync(pathB, pathA)
  renameSync(`${pathA}.away`, pathB)
  return `swapped ${a} and ${b}`
}

export const DAMAGES: Readonly<Record<string, Damage>> = {
  'a bit of a table flipped': changing('a bit flipped in', '.ldb', flip),
  'a bit of the log file flipped': changing('a bit flipped in', '.log', flip),
  'a bit of the MANIFEST flipped': changing('a bit flipped in', 'MANIFEST', flip),
  'sixteen bytes of a table zeroed': changing('16 bytes zeroed in', '.ldb', zero(16)),
  'a disk block of a table zeroed': changing('4096 bytes zeroed in', '.ldb', (bytes, at) =>
    zero(4096)(bytes, at - (at % 4096)),
  ),
  '64 KiB of a table zeroed': changing('65536 bytes zeroed in', '.ldb', zero(65_536)),
  'a disk block of the log file zeroed': changing('4096 bytes zeroed in', '.log', (bytes, at) =>
    zero(4096)(bytes, Math.min(at - (at % 4096), bytes.length - 8192)),
  ),
  'noise in a table': changing('100 bytes of noise in', '.ldb', (bytes, at, random) => {
    for (let place = at; place < Math.min(bytes.length, at + 100); place++) bytes[place] = Math.floor(random() * 256)
    return bytes.length - at < 2 ? flip(bytes, at, random) : bytes
  }),
  'bytes put into a table': changing('77 bytes put into', '.ldb', (bytes, at) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.alloc(77, 1), bytes.subarray(at)]),
  ),
  'bytes taken out of a table': changing('77 bytes taken out of', '.ldb', (bytes, at) =>
    Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 77)]),
  ),
  'a table cut': changing('cut', '.ldb', cut),
  "a table's last byte gone": changing('the last byte gone of', '.ldb', (bytes) => bytes.subarray(0, -1)),
  'a table emptied': changing('emptied', '.ldb', () => Buffer.alloc(0)),
  'a table gone': removing('.ldb'),
  'two tables swapped': swapped,
  'a table replaced by an older one': replacing('an older log', ({ older }) => older),
  "a table replaced by another node's": replacing('another node', ({ foreign }) => foreign),
  'the log file cut': changing('cut', '.log', (bytes, at) => cut(bytes, Math.min(at, bytes.length - 2_000))),
  'the log file gone': removing('.log'),
  'records of the log file twice': changing('records twice in', '.log', (bytes) =>
    Buffer.concat([bytes, bytes.subarray(0, bytes.length - (bytes.length % 32_768) || bytes.length)]),
  ),
  'CURRENT gone': removing('CURRENT'),
  'CURRENT without its newline': ({ directory }) => {
    const path = join(directory, 'log', 'CURRENT')
    truncateSync(path, statSync(path).size - 1)
    return 'CURRENT without its newline'
  },
  'the MANIFEST gone': removing('MANIFEST'),
  'the MANIFEST cut': changing('cut', 'MANIFEST', (bytes, at) => cut(bytes, Math.min(at, bytes.length - 2))),
  'the log gone back in time': ({ directory, older }) => {
    rmSync(join(directory, 'log'), { recursive: true })
    linkFolder(join(older, 'log'), join(directory, 'log'))
    return 'the log gone back in time, the head file not'
  },
  'the head file gone': ({ directory }) => {
    rmSync(join(directory, 'head'))
    return 'the head file gone'
  },
}

function linkFolder(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to)
  for (const name of readdirSync(from)) if (name !== 'LOCK') copyFileSync(join(from, name), join(to, name))
}
