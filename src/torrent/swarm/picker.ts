// INTERIM: replaced by the real picker.
export type Block = { readonly index: number; readonly offset: number; readonly length: number }
const BLOCK_BYTES = 16_384
export class Picker<P> {
  readonly #o: { pieceCount: number; pieceBytes(index: number): number; random(): number }
  readonly #verified = new Set<number>()
  readonly #peers = new Map<P, { all: boolean; bits: Set<number>; owed: Map<string, Block> }>()
  readonly #got = new Map<number, Set<number>>()
  readonly #asked = new Map<string, number>()
  constructor(o: { pieceCount: number; pieceBytes(index: number): number; random(): number }) {
    this.#o = o
  }
  join(p: P) {
    this.#peers.set(p, { all: false, bits: new Set(), owed: new Map() })
  }
  leave(p: P) {
    this.releaseAll(p)
    this.#peers.delete(p)
  }
  has(p: P, i: number) {
    this.#peers.get(p)?.bits.add(i)
  }
  hasAll(p: P): Block[] {
    const s = this.#peers.get(p)
    if (s) s.all = true
    return []
  }
  hasBits(p: P, bits: Uint8Array): Block[] {
    const s = this.#peers.get(p)
    if (s) {
      s.all = false
      s.bits.clear()
      for (let i = 0; i < this.#o.pieceCount; i++) if (((bits[i >> 3] ?? 0) & (0x80 >> (i & 7))) !== 0) s.bits.add(i)
    }
    return []
  }
  lost(p: P, i: number): Block[] {
    const s = this.#peers.get(p)
    s?.bits.delete(i)
    return []
  }
  setVerified(i: number) {
    this.#verified.add(i)
    this.#got.delete(i)
  }
  isInteresting(p: P) {
    const s = this.#peers.get(p)
    if (!s) return false
    for (let i = 0; i < this.#o.pieceCount; i++) if (!this.#verified.has(i) && (s.all || s.bits.has(i))) return true
    return false
  }
  pick(p: P, count: number, mayAsk: (i: number) => boolean): Block[] {
    const s = this.#peers.get(p)
    if (!s) return []
    const out: Block[] = []
    for (const limit of [1, 3]) {
      for (let i = 0; i < this.#o.pieceCount && out.length < count; i++) {
        if (this.#verified.has(i) || !(s.all || s.bits.has(i))) continue
        const n = Math.ceil(this.#o.pieceBytes(i) / BLOCK_BYTES)
        if ((this.#got.get(i)?.size ?? 0) === n) continue
        let may: boolean | undefined
        for (let b = 0; b < n && out.length < count; b++) {
          const k = `${i}:${b}`
          if (this.#got.get(i)?.has(b) || s.owed.has(k) || (this.#asked.get(k) ?? 0) >= limit) continue
          may ??= mayAsk(i)
          if (!may) break
          const block = {
            index: i,
            offset: b * BLOCK_BYTES,
            length: Math.min(BLOCK_BYTES, this.#o.pieceBytes(i) - b * BLOCK_BYTES),
          }
          s.owed.set(k, block)
          this.#asked.set(k, (this.#asked.get(k) ?? 0) + 1)
          out.push(block)
        }
      }
      if (out.length > 0) break
    }
    return out
  }
  owed(p: P) {
    return this.#peers.get(p)?.owed.size ?? 0
  }
  received(
    p: P,
    i: number,
    offset: number,
    length: number,
  ): { what: 'new' | 'unwanted'; complete: boolean; others: readonly P[] } {
    const k = `${i}:${offset / BLOCK_BYTES}`
    const s = this.#peers.get(p)
    const b = s?.owed.get(k)
    if (!s || !b || b.length !== length || this.#verified.has(i)) {
      if (b) this.released(p, i, offset)
      return { what: 'unwanted', complete: false, others: [] }
    }
    const others: P[] = []
    for (const [q, t] of this.#peers) if (t.owed.delete(k) && q !== p) others.push(q)
    this.#asked.delete(k)
    let g = this.#got.get(i)
    if (!g) {
      g = new Set()
      this.#got.set(i, g)
    }
    g.add(offset / BLOCK_BYTES)
    return { what: 'new', complete: g.size === Math.ceil(this.#o.pieceBytes(i) / BLOCK_BYTES), others }
  }
  released(p: P, i: number, offset: number) {
    const k = `${i}:${offset / BLOCK_BYTES}`
    if (this.#peers.get(p)?.owed.delete(k)) {
      const n = (this.#asked.get(k) ?? 1) - 1
      if (n > 0) this.#asked.set(k, n)
      else this.#asked.delete(k)
    }
  }
  releaseAll(p: P): Block[] {
    const s = this.#peers.get(p)
    if (!s) return []
    const all = [...s.owed.values()]
    for (const b of all) this.released(p, b.index, b.offset)
    return all
  }
  failed(i: number) {
    this.#got.delete(i)
  }
  isUntouched(i: number) {
    if ((this.#got.get(i)?.size ?? 0) > 0) return false
    for (const k of this.#asked.keys()) if (k.startsWith(`${i}:`)) return false
    return true
  }
  drop(i: number): boolean {
    for (const k of this.#asked.keys()) if (k.startsWith(`${i}:`)) return false
    if (this.#verified.has(i) || this.#got.get(i)?.size === Math.ceil(this.#o.pieceBytes(i) / BLOCK_BYTES)) return false
    this.#got.delete(i)
    return true
  }
}
