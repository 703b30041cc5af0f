import { type ClientLimits, ServiceError, type TorrentLimits } from '../../roles/index.ts'
import { parseRateLimit } from './byte-rate.ts'
import { spanOf } from './time-span.ts'

// What `client limit` was told, as a change of settings.

export type LimitFlags = {
  down?: string | undefined
  up?: string | undefined
  'local-down'?: string | undefined
  'local-up'?: string | undefined
  'remote-down'?: string | undefined
  'remote-up'?: string | undefined
  ratio?: string | undefined
  'seed-time'?: string | undefined
  connections?: string | undefined
  slots?: string | undefined
  downloads?: string | undefined
  seeds?: string | undefined
  at?: string[] | undefined
}
type ClientSettings = ClientLimits['settings']

const CLASS_RATES = {
  'local-down': 'localDownloadBytesPerSecond',
  'local-up': 'localUploadBytesPerSecond',
  'remote-down': 'remoteDownloadBytesPerSecond',
  'remote-up': 'remoteUploadBytesPerSecond',
} as const
type ClassFlag = keyof typeof CLASS_RATES
const CLASS_FLAGS = Object.keys(CLASS_RATES) as ClassFlag[]

/** More times its size than anybody means. */
const RATIO_MAX = 1_000_000

/** @throws ServiceError `usage` */
export function clientChange(flags: LimitFlags): Partial<ClientSettings> {
  const { connections, slots, downloads, seeds, at } = flags
  return {
    ...commonChange(flags),
    ...classChange(flags),
    ...(connections === undefined ? {} : { connectionsMax: countOf('--connections', connections) }),
    ...(slots === undefined ? {} : { uploadSlots: countOf('--slots', slots) }),
    ...(downloads === undefined ? {} : { downloadsMax: countOf('--downloads', downloads) }),
    ...(seeds === undefined ? {} : { seedsMax: countOf('--seeds', seeds) }),
    ...(at === undefined ? {} : { schedule: scheduleOf(at) }),
  }
}

/** @throws ServiceError `usage`, also for what only the client as a whole has */
export function torrentChange(flags: LimitFlags): Partial<TorrentLimits> {
  for (const name of [...CLASS_FLAGS, 'connections', 'slots', 'downloads', 'seeds', 'at'] as const) {
    if (flags[name] !== undefined) throw new ServiceError('usage', `--${name} is of the client as a whole: leave INFOHASH out`)
  }
  return commonChange(flags)
}

function commonChange({ down, up, ratio, 'seed-time': time }: LimitFlags): Partial<TorrentLimits> {
  return {
    ...(down === undefined ? {} : { downloadBytesPerSecond: parseRateLimit(down) }),
    ...(up === undefined ? {} : { uploadBytesPerSecond: parseRateLimit(up) }),
    ...(ratio === undefined ? {} : { ratioGoalPercent: ratioOf(ratio) }),
    ...(time === undefined ? {} : { seedGoalMs: isNone(time) ? 0 : spanOf('--seed-time', time) }),
  }
}

function classChange(flags: LimitFlags): Partial<ClientSettings> {
  const given = CLASS_FLAGS.flatMap((flag) => {
    const text = flags[flag]
    return text === undefined ? [] : [[CLASS_RATES[flag], parseRateLimit(text)] as const]
  })
  return Object.fromEntries(given)
}

const isNone = (text: string): boolean => /^none$/i.test(text.trim())

function countOf(flag: string, text: string): number {
  if (isNone(text)) return 0
  if (/^[1-9]\d{0,8}$/.test(text.trim())) return Number(text)
  throw new ServiceError('usage', `${flag} ${text} is no number from 1 on, and not none`)
}

function ratioOf(text: string): number {
  if (isNone(text)) return 0
  const percent = /^\d+(\.\d+)?$/.test(text.trim()) ? Math.round(Number(text) * 100) : 0
  if (percent >= 1 && percent <= RATIO_MAX * 100) return percent
  throw new ServiceError('usage', `--ratio ${text} is no number such as 1.5, and not none`)
}

function scheduleOf(texts: readonly string[]): ClientSettings['schedule'] {
  if (texts.length === 1 && isNone(texts[0] ?? '')) return []
  return texts.map((text) => {
    const [, when = '', down = '', up = ''] = /^([^=]+)=([^/]+)\/([^/]+)$/.exec(text) ?? []
    if (when === '') throw new ServiceError('usage', `--at ${text} is not PATTERN=DOWN/UP, as in '0 8 * * 1-5=500kB/100kB'`)
    return { when: when.trim(), downloadBytesPerSecond: parseRateLimit(down), uploadBytesPerSecond: parseRateLimit(up) }
  })
}
