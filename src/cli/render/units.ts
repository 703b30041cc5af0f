// Numbers for people.

import { bytes } from '../../roles/byte-size.ts'

export { bytes }

export const rate = (bytesPerSecond: number): string => `${bytes(bytesPerSecond)}/s`

export const percent = (part: number, whole: number): string => (whole > 0 ? `${Math.floor((100 * part) / whole)} %` : '0 %')

export const count = (value: number): string => value.toLocaleString('en')

/** `1 torrent`, `2 torrents`. */
export const counted = (value: number, noun: string, plural = `${noun}s`): string =>
  `${count(value)} ${value === 1 ? noun : plural}`

/** Two units at most: `350 ms`, `12 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`
}

/** A time as UTC: `2026-11-23 09:00:28.123Z`. A claim out of a date's range is shown as its number. */
export function time(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString().replace('T', ' ')
}

/** The first 16 digits of a node id are enough for a person, and commands take them; addresses stay whole. */
export const shortPeer = (peer: string): string => (peer.startsWith('ip:') ? peer : peer.slice(0, 16))
