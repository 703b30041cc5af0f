import { admissionContract } from './contract/admission.ts'
import { aria2Contract } from './contract/aria2.ts'
import { atRestContract } from './contract/at-rest.ts'
import { bansContract } from './contract/bans.ts'
import { changedFilesContract } from './contract/changed-files.ts'
import { dialledPeersContract } from './contract/dialled-peers.ts'
import { discoveryContract } from './contract/discovery.ts'
import { firstBytesContract } from './contract/first-bytes.ts'
import { hostilePeersContract } from './contract/hostile-peers.ts'
import { limitsContract } from './contract/limits.ts'
import { madeConnectionsContract } from './contract/made-connections.ts'
import { oddTorrentsContract } from './contract/odd-torrents.ts'
import { placesContract } from './contract/places.ts'
import { repeatedBitfieldContract } from './contract/repeated-bitfield.ts'
import { samePathContract } from './contract/same-path.ts'
import { transferContract } from './contract/transfer.ts'
import { wantedFilesContract } from './contract/wanted-files.ts'
import type { EngineName } from './engine-fixture.ts'

// What every engine does, whatever moves its pieces.

export function engineContract(engine: EngineName): void {
  describe(`an engine on ${engine}`, () => {
    admissionContract(engine)
    aria2Contract(engine)
    atRestContract(engine)
    bansContract(engine)
    changedFilesContract(engine)
    dialledPeersContract(engine)
    discoveryContract(engine)
    transferContract(engine)
    firstBytesContract(engine)
    hostilePeersContract(engine)
    limitsContract(engine)
    madeConnectionsContract(engine)
    oddTorrentsContract(engine)
    placesContract(engine)
    repeatedBitfieldContract(engine)
    samePathContract(engine)
    wantedFilesContract(engine)
  })
}
