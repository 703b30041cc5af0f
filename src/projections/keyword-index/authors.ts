import type { NodeId } from '../../events/index.ts'
import { ByteReader, ByteWriter, key32 } from '../bytes.ts'
import type { RowTable } from '../row-table.ts'
import { OrdinalLists } from './ordinal-lists.ts'

/** Authors in a row. */
const AUTHORS_A_ROW = 128
const AUTHOR_BYTES = 32

/** Who says something of torrents, by number, in the order in which they came; and of which torrents each has said something. */
export class Authors {
  readonly #rows: RowTable
  readonly #torrents: OrdinalLists
  readonly #ids: NodeId[] = []
  readonly #counts: number[] = []
  readonly #numbers = new Map<NodeId, number>()
  readonly #changed = new Set<number>()

  constructor(rows: RowTable) {
    this.#rows = rows
    this.#torrents = new OrdinalLists(rows, 'a')
    for (let row = rows.get(`A${key32(0)}`); row !== undefined; row = rows.get(`A${key32(this.#ids.length / AUTHORS_A_ROW)}`)) {
      const reader = new ByteReader(row)
      while (!reader.isAtEnd) {
        const id = reader.hex(AUTHOR_BYTES) as NodeId
        this.#numbers.set(id, this.#ids.length)
        this.#ids.push(id)
        this.#counts.push(reader.number())
      }
      if (this.#ids.length % AUTHORS_A_ROW > 0) break
    }
  }

  get ids(): readonly NodeId[] {
    return this.#ids
  }

  numberOf(id: NodeId): number | undefined {
    return this.#numbers.get(id)
  }

  idOf(number: number): NodeId | undefined {
    return this.#ids[number]
  }

  /** @returns its number; it has one from now on */
  enter(id: NodeId): number {
    let number = this.#numbers.get(id)
    if (number === undefined) {
      number = this.#ids.length
      this.#numbers.set(id, number)
      this.#ids.push(id)
      this.#counts.push(0)
      this.#touch(number)
    }
    return number
  }

  /** Notes that an author has said something of a torrent of which it had not. */
  addTorrent(number: number, ordinal: number): void {
    const count = this.#counts[number] ?? 0
    this.#torrents.append(number, count, ordinal)
    this.#counts[number] = count + 1
    this.#touch(number)
  }

  torrentsOf(number: number): Generator<number> {
    return this.#torrents.ordinals(number, () => this.#counts[number] ?? 0)
  }

  countOf(number: number): number {
    return this.#counts[number] ?? 0
  }

  /** It has said nothing; its number stays its own. */
  forget(number: number): void {
    this.#torrents.remove(number, this.#counts[number] ?? 0)
    this.#counts[number] = 0
    this.#touch(number)
  }

  #touch(number: number): void {
    this.#changed.add(Math.floor(number / AUTHORS_A_ROW))
  }

  flush(): void {
    this.#torrents.flush((number) => this.#counts[number] ?? 0)
    for (const row of this.#changed) {
      const writer = new ByteWriter(AUTHORS_A_ROW * (AUTHOR_BYTES + 3))
      const end = Math.min(this.#ids.length, (row + 1) * AUTHORS_A_ROW)
      for (let number = row * AUTHORS_A_ROW; number < end; number++) {
        writer.hex(this.#ids[number] as NodeId)
        writer.number(this.#counts[number] as number)
      }
      this.#rows.put(`A${key32(row)}`, writer.take())
    }
    this.#changed.clear()
  }
}
