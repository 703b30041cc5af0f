// protobufjs with 64 bit fields as plain numbers: every 64 bit field of ours is bounded by 2^53 - 1 before use,
// and a Long object costs 300 ns to turn into a number. Import generated codecs through a file that imports this first.
import protobuf from 'protobufjs/minimal.js'

protobuf.util.Long = undefined as unknown as typeof protobuf.util.Long
protobuf.configure()

export const { Reader, Writer } = protobuf
