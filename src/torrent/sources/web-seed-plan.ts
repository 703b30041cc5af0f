import { layoutOf } from '../file-layout.ts'
import type { Metainfo } from '../metainfo.ts'
import type { NamedBlock } from '../wire/messages.ts'

// Which bytes of which files a web seed (BEP 19) is asked for, so that blocks come of few requests.

/** Bytes of one request; what comes after it is asked for when it is through. */
const REQUEST_BYTES_MAX = 4 * 1024 * 1024

/** Part of one file. `url` undefined: padding, which is zeros and stands nowhere. */
export type WebRange = { readonly url: string | undefined; readonly from: number; readonly length: number }

/**
 * The first of these blocks with those that follow it without a gap.
 * @param blocks not empty, in the order in which they were asked for
 */
export function firstRun(metainfo: Metainfo, blocks: readonly NamedBlock[]): NamedBlock[] {
  const placeOf = ({ index, offset }: NamedBlock): number => index * metainfo.pieceLengthBytes + offset
  const byPlace = new Map(blocks.map((block) => [placeOf(block), block]))
  const run: NamedBlock[] = []
  let bytes = 0
  for (let block = blocks[0]; block !== undefined && bytes + block.length <= REQUEST_BYTES_MAX; ) {
    run.push(block)
    bytes += block.length
    block = byPlace.get(placeOf(block) + block.length)
  }
  return run
}

/** The parts of files that a run of blocks stands in, in its order. */
export function rangesOfRun(metainfo: Metainfo, run: readonly NamedBlock[], webSeed: string): WebRange[] {
  const ranges: WebRange[] = []
  for (const { index, offset, length } of run) {
    for (const { file, fileOffset, length: bytes } of layoutOf(metainfo).spans(index, offset, length)) {
      const url = file.padding ? undefined : urlOf(metainfo, file.ownPath, webSeed)
      const last = ranges.at(-1)
      if (last !== undefined && last.url === url && (url === undefined || last.from + last.length === fileOffset))
        ranges[ranges.length - 1] = { ...last, length: last.length + bytes }
      else ranges.push({ url, from: fileOffset, length: bytes })
    }
  }
  return ranges
}

/** A folder of files, or one file whose name may be left out (BEP 19). */
function urlOf(metainfo: Metainfo, path: readonly string[], webSeed: string): string {
  const isOneFile = metainfo.files.length === 1 && path.length === 1
  if (isOneFile && !webSeed.endsWith('/')) return webSeed
  const folder = webSeed.endsWith('/') ? webSeed : `${webSeed}/`
  return folder + path.map(encodeURIComponent).join('/')
}
