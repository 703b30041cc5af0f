import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Rc4 } from '../../../src/torrent/encryption/rc4.ts'

/** RFC 6229: the keystream by key and place, of all places behind the 1,024 bytes that MSE throws away. */
const PLACES = [1024, 1520, 1536, 2032, 2048, 3056, 3072, 4080, 4096]
const VECTORS: Record<string, string> = {
  '0102030405': `30abbcc7c20b01609f23ee2d5f6bb7df 3294f744d8f9790507e70f62e5bbceea d8729db41882259bee4f825325f5a130
    1eb14a0c13b3bf47fa2a0ba93ad45b8b cc582f8ba9f265e2b1be9112e975d2d7 f2e30f9bd102ecbf75aaade9bc35c43c
    ec0e11c479dc329dc8da7968fe965681 068326a2118416d21f9d04b2cd1ca050 ff25b58995996707e51fbdf08b34d875`,
  '01020304050607': `8ecb67a9ba1f55a5a067e2b026a3676f d2aa902bd42d0d7cfd340cd45810529f 78b272c96e42eab4c60bd914e39d06e3
    f4332fd31a079396ee3cee3f2a4ff049 05459781d41fda7f30c1be7e1246c623 adfd3868b8e51485d5e610017e3dd609
    ad26581c0c5be45f4cea01db2f3805d5 f3172ceffc3b3d997c85ccd5af1a950c e74b0b9731227fd37c0ec08a47ddd8b8`,
  '0102030405060708090a0b0c0d0e0f10': `bdf0324e6083dcc6d3cedd3ca8c53c16 b40110c4190b5622a96116b0017ed297
    ffa0b514647ec04f6306b892ae661181 d03d1bc03cd33d70dff9fa5d71963ebd 8a44126411eaa78bd51e8d87a8879bf5
    fabeb76028ade2d0e48722e46c4615a3 c05d88abd50357f935a63c59ee537623 ff38265c1642c1abe8d3c2fe5e572bf8
    a36a4c301ae8ac13610ccbc12256cacc`,
  '0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20': `7fec5bfd9f9b89ce6548309092d7e958
    40f250b26d1f096a4afd4c340a588815 3e34135c79db010200767651cf263073 f656abccf88dd827027b2ce917d464ec
    18b62503bfbc077fbabb98f20d98ab34 8aed95ee5b0dcbfbef4eb21d3a3f52f9 625a1ab00ee39a5327346bddb01a9c18
    a13a7c79c7e119b5ab0296ab28c300b9 f3e4c0a2e02d1d01f7f0a74618af2b48`,
  ebb46227c6cc8b37641910833222772a: `b515a8c5011754f59003058bdb81514e 3c70047e8cbc038e3b9820db601da495
    1175da6ee756de46a53e2b075660b770 00a542bba02111cc2c65b38ebdba587e 5865fdbb5b48064104e830b380f2aede
    34b21ad2ad44e999db2d7f0863f0d9b6 84a9218fc36e8a5f2ccfbeae53a27d25 a2221a11b833ccb498a59540f0545f4a
    5bbeb4787d59e5373fdbea6c6f75c29b`,
}

describe('RC4', () => {
  for (const [key, rows] of Object.entries(VECTORS)) {
    it(`makes the keystream of RFC 6229 for a key of ${key.length * 4} bits (${key.slice(0, 8)})`, () => {
      const keystream = new Rc4(Buffer.from(key, 'hex')).apply(new Uint8Array(4096))
      const found = PLACES.map((place) => Buffer.from(keystream.subarray(place - 1024, place - 1008)).toString('hex'))
      assert.deepEqual(found, rows.trim().split(/\s+/))
    })
  }

  it('gives back what was encrypted, in whatever pieces it is done', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 256, size: 'max' }),
        fc.array(fc.uint8Array({ maxLength: 300, size: 'max' })),
        (key, pieces) => {
          const encrypt = new Rc4(key)
          const encrypted = Buffer.concat(pieces.map((piece) => encrypt.apply(piece.slice())))
          assert.deepEqual(Buffer.from(new Rc4(key).apply(encrypted)), Buffer.concat(pieces))
        },
      ),
    )
  })
})
