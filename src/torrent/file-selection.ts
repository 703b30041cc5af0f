import type { FilePriority, FileSelection, PieceRange } from '../events/index.ts'
import { layoutOf } from './file-layout.ts'
import type { Metainfo } from './metainfo.ts'
import { rangesOf } from './piece-ranges.ts'

// Which pieces follow from the files that a person wants.

/** @param file its place in the torrent, from 0 */
export function priorityOfFile(selection: FileSelection | undefined, file: number): FilePriority {
  if (selection === undefined) return 2
  const digit = selection.priorities[file]
  return digit === undefined ? selection.others : (Number(digit) as FilePriority)
}

/** By piece: the highest of the files that have bytes in it; padding is no reason to want one. */
export function piecePriorities(
  metainfo: Pick<Metainfo, 'files' | 'pieceLengthBytes' | 'pieceCount'>,
  selection: FileSelection | undefined,
): Uint8Array {
  const layout = layoutOf(metainfo)
  const priorities = new Uint8Array(metainfo.pieceCount)
  for (const file of layout.files) {
    const pieces = layout.piecesOf(file)
    const priority = priorityOfFile(selection, file.index)
    if (pieces === undefined || file.padding || priority === 0) continue
    for (let index = pieces.first; index <= pieces.last; index++) {
      if ((priorities[index] ?? 0) < priority) priorities[index] = priority
    }
  }
  return priorities
}

export const wantedPieces = (priorities: Uint8Array): PieceRange[] =>
  rangesOf([...priorities.keys()].filter((index) => priorities[index] !== 0))
