import type { MemberRow, NodeService } from '../../roles/index.ts'

const MEMBER_KINDS = ['member.alive', 'member.suspect', 'member.dead', 'member.refuted', 'member.left']

/**
 * Members as they change, for as long as somebody reads: each row that is new, or whose state or incarnation is another.
 * @param first rows that are told already, read after event `from`
 */
export async function* memberChanges(
  node: Pick<NodeService, 'members' | 'tail'>,
  first: readonly MemberRow[],
  from: number,
): AsyncGenerator<MemberRow> {
  const told = new Map(first.map((row) => [row.id, row]))
  for await (const _event of node.tail({ from, kinds: MEMBER_KINDS })) {
    for (const row of await node.members()) {
      const before = told.get(row.id)
      if (before?.state === row.state && before.incarnation === row.incarnation) continue
      told.set(row.id, row)
      yield row
    }
  }
}
