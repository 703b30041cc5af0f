import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { NodeId } from '../../../src/events/index.ts'
import type { Attack } from '../stage.ts'

const FAKES = 50
const AT_ONCE = 10

/** Somebody who has nothing to do with the network, and what comes to him. */
class ThirdParty implements AsyncDisposable {
  datagrams = 0
  bytes = 0
  readonly #socket: Socket
  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (message) => {
      this.datagrams++
      this.bytes += message.length
    })
  }

  static async listen(): Promise<ThirdParty> {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return new ThirdParty(socket)
  }

  get port(): number {
    return this.#socket.address().port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }
}

export const DATAGRAMS = 'datagrams at a third party'

/** Members that there are not, all said to be where a third party is. */
export const thirdPartyPings: Attack = async (stage) => {
  await using somebody = await ThirdParty.listen()
  const attackers = await stage.attackers()
  let said = 0
  await stage.again(500, async () => {
    for (const attacker of attackers) {
      await attacker.linkAll()
      if (said >= FAKES) continue
      const fakes = Array.from({ length: AT_ONCE }, () =>
        attacker.event({
          ...{ kind: 'member.alive', subject: randomBytes(32).toString('hex') as NodeId, incarnation: 1, role: 'index' },
          ...{ host: '127.0.0.1', port: somebody.port, dhtPort: somebody.port },
        }),
      )
      said += AT_ONCE
      attacker.push(fakes)
    }
  })
  stage.fact(DATAGRAMS, somebody.datagrams)
  stage.fact('bytes at a third party', somebody.bytes)
}
