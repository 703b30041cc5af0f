import type { NodeId } from '../../src/events/index.ts'
import type { SimNode, Simulation } from './simulation.ts'

/** Events of these authors that a running node lacks of what any running node holds, over all nodes; 0: they hold the same set. */
export function missingEvents(sim: Simulation, isCounted: (author: NodeId) => boolean = () => true): number {
  const union = new Map<NodeId, number>()
  const vectors = sim.running.map(({ log }) => log.versionVector())
  for (const vector of vectors) {
    for (const [author, head] of vector) if (isCounted(author)) union.set(author, Math.max(head, union.get(author) ?? 0))
  }
  let missing = 0
  for (const vector of vectors) for (const [author, head] of union) missing += head - (vector.get(author) ?? 0)
  return missing
}

export const holdTheSame = (sim: Simulation): boolean => missingEvents(sim) === 0

/** How many running nodes believe this of a member. */
export function believers(sim: Simulation, subject: SimNode, states: readonly string[]): number {
  let count = 0
  for (const node of sim.running) {
    if (node.id === subject.id) continue
    const state = node.overlay.member(subject.id)?.state
    if (states.includes(state ?? 'unknown')) count++
  }
  return count
}

/** Every running node believes it of the member. */
export function allBelieve(sim: Simulation, subject: SimNode, ...states: string[]): boolean {
  const others = sim.running.filter(({ id }) => id !== subject.id).length
  return believers(sim, subject, states) === others
}

/** Every running node believes every running member alive, and knows of all. */
export function allAlive(sim: Simulation): boolean {
  const members = sim.running.filter(({ role }) => role !== 'client')
  return sim.running.every((node) => members.every(({ id }) => id === node.id || node.overlay.member(id)?.state === 'alive'))
}

/** `member.dead` events in the log of a node. */
export async function deathsIn(node: SimNode): Promise<{ subject: NodeId; by: NodeId }[]> {
  const deaths: { subject: NodeId; by: NodeId }[] = []
  for await (const { event, author } of node.log.read({ kinds: ['member.dead'] })) {
    if (event.kind === 'member.dead') deaths.push({ subject: event.subject, by: author })
  }
  return deaths
}
