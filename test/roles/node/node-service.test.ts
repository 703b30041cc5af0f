import { deepEqual, equal, rejects } from 'node:assert/strict'
import {
  type AccessRevoked,
  type AppendOptions,
  type Draft,
  decodeGenesis,
  type Millis,
  type Signer,
  signRevocation,
} from '../../../src/events/index.ts'
import { createNodeService, type NodeParts } from '../../../src/roles/node/node-service.ts'
import { NoticeBoard } from '../../../src/roles/node/notices.ts'
import type { NodeService } from '../../../src/roles/services.ts'
import { foreign, signerOf } from '../../events/samples.ts'
import { TEST_GENESIS, TEST_OWNER, verifySignature } from '../../events/test-network.ts'
import { node } from '../../projections/envelopes.ts'
import { resultOf } from '../result-of.ts'
import { openSmallLog, type SmallLog } from '../small-log.ts'

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const revocationOf = (number: number, by: Signer = TEST_OWNER): AccessRevoked => {
  const { revocation, ownerSignature } = signRevocation({ key: signerOf(number).id, at: 1 as Millis, reason: '' }, by)
  return { kind: 'access.revoked', revocation: new Uint8Array(revocation), ownerSignature: new Uint8Array(ownerSignature) }
}

describe('what a running node can be asked', () => {
  let own: SmallLog
  let appended: { drafts: readonly Draft[]; durable: boolean | undefined }[]
  let stops: number
  let notices: NoticeBoard
  let service: NodeService
  beforeEach(async () => {
    own = await openSmallLog(1)
    appended = []
    stops = 0
    notices = new NoticeBoard(own.time)
    service = createNodeService({
      ...{ log: own.log, states: own.states, verify: verifySignature, notices },
      appender: {
        append(drafts: readonly Draft[], options?: AppendOptions) {
          appended.push({ drafts, durable: options?.durable })
          return own.log.append(drafts, options)
        },
      },
      admittance: {
        genesis: decodeGenesis(TEST_GENESIS),
        isRevoked: (id: string) => own.states.state('admissions').revoked.has(id as never),
      },
      queries: { network: async () => ({ revoked: [...own.states.state('admissions').revoked.keys()] }) },
      stop: () => void stops++,
      backUp: (directory: string) => [directory],
    } as unknown as NodeParts)
  })
  afterEach(() => own[Symbol.asyncDispose]())
  const revoke = (event: AccessRevoked) => service.revoke(base64(event.revocation), base64(event.ownerSignature))

  it('takes the word of the owner of its network, on the disk before it says so', async () => {
    const word = revocationOf(7)
    deepEqual((await revoke(word)).revoked, [signerOf(7).id])
    deepEqual(appended, [{ drafts: [{ event: word }], durable: true }])
  })

  it('refuses the word of anybody else, and says nothing of it to others', async () => {
    const refusal = {
      code: 'failed',
      message: 'the revocation is not signed by the owner of the network "test", to which this node belongs',
    }
    await rejects(revoke(revocationOf(7, signerOf(8))), refusal)
    await rejects(service.revoke('AAAA', 'AAAA'), refusal)
    deepEqual([appended, own.log.head], [[], 0])
  })

  it('says again what only one that is put out by it has said, on the disk too', async () => {
    const [earlier, word] = [revocationOf(7), revocationOf(2)]
    await own.log.ingest([foreign(signerOf(2), 1, 1, { stream: 'gossip', event: earlier })])
    await revoke(word)
    deepEqual(appended, [
      { drafts: [{ event: word }], durable: true },
      { drafts: [{ event: earlier }], durable: true },
    ])
    await revoke(revocationOf(9))
    equal(appended.length, 3, 'once')
  })

  it('records bans and their end on the disk before they hold', async () => {
    const peer = node('peer')
    equal((await service.ban(peer, 'a bot')).standing, 'banned')
    equal((await service.unban(peer, 'no bot')).standing, 'good')
    deepEqual(
      appended.map(({ drafts, durable }) => [drafts[0]?.event.kind, durable]),
      [
        ['operator.banned', true],
        ['operator.unbanned', true],
      ],
    )
    await rejects(service.ban('nobody', 'x'), { code: 'failed', message: /nothing is known of a peer nobody/ })
  })

  it('stops, is backed up, rebuilds and tells as it is asked', async () => {
    await service.stop()
    equal(stops, 1)
    deepEqual(service.backup({ directory: '/elsewhere' }), ['/elsewhere'])
    const { projections } = await resultOf(service.rebuild({ projections: ['liveness'] }))
    deepEqual(
      projections.map(({ name }) => name),
      ['liveness'],
    )
    notices.post('info', 'one', 'first')
    notices.post('info', 'two', 'second')
    for await (const { code } of service.notices({ last: 1 })) {
      equal(code, 'two')
      break
    }
    await own.log.append([{ event: { kind: 'node.stopped', reason: 'x' } }])
    for await (const { seq } of service.tail({ from: 0 })) {
      equal(seq, 1)
      break
    }
  })
})
