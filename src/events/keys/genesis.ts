// First: the setting for plain 64 bit numbers must be in force before the generated codec loads.
import '../codec/protobuf.ts'

import { Writer } from '../codec/protobuf.ts'
import { p2pt } from '../generated/events.js'
import { fromHex, toHex } from '../model/hex.ts'
import type { Millis, NetworkId, NodeId } from '../model/ids.ts'
import { GENESIS_BYTES_MAX, NAME_BYTES_MAX } from './bounds.ts'
import { fields, printable, timeOf } from './fields.ts'

export const NONCE_BYTES = 16

/** What a network is: who owns it and whom it lets in. Never changes, since the network's id is the hash of it. */
export type Genesis = {
  readonly name: string
  /** The key that invites and revokes. */
  readonly owner: NodeId
  readonly createdAt: Millis
  /** True: clients need no invitation. Members always do. */
  readonly open: boolean
  /** 16 random bytes: two networks of one owner and one name are two. */
  readonly nonce: Uint8Array
}

export type Sha256 = (bytes: Uint8Array) => Uint8Array

export function encodeGenesis({ name, owner, createdAt, open, nonce }: Genesis): Uint8Array {
  return p2pt.events.Genesis.encode({ name, owner: fromHex(owner), createdAt, open, nonce }, Writer.create()).finish()
}

/** @throws CredentialError `malformed` */
export function decodeGenesis(bytes: Uint8Array): Genesis {
  const message = fields.message(
    p2pt.events.Genesis,
    fields.bytesUpTo(bytes, GENESIS_BYTES_MAX, 'a genesis record'),
    'a genesis record',
  )
  return {
    name: printable(message.name, NAME_BYTES_MAX, "a network's name"),
    owner: fields.node(message.owner, "an owner's key"),
    createdAt: timeOf(message.createdAt),
    open: message.open ?? false,
    nonce: new Uint8Array(fields.bytes(message.nonce, NONCE_BYTES, 'a nonce')),
  }
}

export const networkIdOf = (genesis: Uint8Array, sha256: Sha256): NetworkId => toHex(sha256(genesis)) as NetworkId
