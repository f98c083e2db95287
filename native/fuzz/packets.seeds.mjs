// Conversations to begin with: who says what. 'c' is the client, 's' the server.

const hex = (text) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const text = (value) => Buffer.from(value, 'latin1');
const u16 = (value) => Buffer.from([value >> 8, value & 255]);
const withLength = (body) => Buffer.concat([u16(body.length), body]);

function extension(type, body) {
  return Buffer.concat([u16(type), withLength(body)]);
}

function tlsRecord(type, body) {
  const handshake = Buffer.concat([Buffer.from([type, 0]), withLength(body)]);
  return Buffer.concat([hex('160301'), withLength(handshake)]);
}

const random = Buffer.alloc(32, 0x5a);
const clientHello = tlsRecord(
  1,
  Buffer.concat([
    ...[hex('0303'), random, hex('00'), withLength(hex('130113021303c02b')), hex('0100')],
    withLength(
      Buffer.concat([
        extension(0, withLength(Buffer.concat([hex('00'), withLength(text('shop.example.org'))]))),
        extension(43, hex('0403040303')),
        extension(10, hex('0002001d')),
        extension(13, hex('000404030804')),
        extension(16, withLength(text('\x02h2\x08http/1.1'))),
      ]),
    ),
  ]),
);
const serverHello = tlsRecord(
  2,
  Buffer.concat([hex('0303'), random, hex('00'), hex('130100'), withLength(extension(43, hex('0304')))]),
);
const certificate = tlsRecord(
  11,
  Buffer.concat([hex('000020'), hex('00001d'), hex('301b300d06092a864886f70d01010b'), Buffer.alloc(14)]),
);

const name = (labels) =>
  Buffer.concat([...labels.map((label) => text(String.fromCharCode(label.length) + label)), hex('00')]);
const dnsName = name(['www', 'example', 'org']);
const dnsQuery = Buffer.concat([hex('1234 0100 0001 0000 0000 0000'), dnsName, hex('0001 0001')]);
const dnsAnswer = Buffer.concat([
  ...[hex('1234 8180 0001 0001 0000 0000'), dnsName, hex('0001 0001')],
  hex('c00c 0001 0001 0000003c 0004 c0000207'),
]);

/** [protocol, server's port, what is said] */
export const conversations = [
  [
    'tcp',
    80,
    ['c', text('GET /a?b=c HTTP/1.1\r\nHost: shop.example.org\r\nUser-Agent: test/1\r\nCookie: a=b\r\n\r\n')],
    ['s', text('HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi')],
  ],
  [
    'tcp',
    8080,
    [
      'c',
      text('POST /u HTTP/1.1\r\nHost: 192.0.2.1:8080\r\nContent-Length: 3\r\nX-Forwarded-For: 10.1.1.1\r\n\r\nabc'),
    ],
    ['s', text('HTTP/1.1 404 Not Found\r\n\r\n')],
  ],
  [
    'tcp',
    3128,
    ['c', text('CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n')],
    ['s', text('HTTP/1.1 200 Connection established\r\n\r\n')],
  ],
  ['tcp', 443, ['c', clientHello], ['s', serverHello], ['s', certificate]],
  [
    'tcp',
    443,
    ['c', clientHello.subarray(0, 60)],
    ['c', clientHello.subarray(60)],
    ['s', Buffer.concat([serverHello, certificate])],
  ],
  [
    'tcp',
    25,
    ['s', text('220 mail.example.org ESMTP\r\n')],
    ['c', text('EHLO x\r\n')],
    ['s', text('250-mail\r\n250 STARTTLS\r\n')],
    ['c', text('STARTTLS\r\n')],
    ['s', text('220 go\r\n')],
    ['c', clientHello],
  ],
  [
    'tcp',
    22,
    ['s', text('SSH-2.0-OpenSSH_9.2\r\n')],
    ['c', text('SSH-2.0-x\r\n')],
    ['c', Buffer.concat([hex('000001fc0614'), Buffer.alloc(16, 1), withLength(Buffer.alloc(40, 0x61))])],
  ],
  ['tcp', 6379, ['c', text('*3\r\n$3\r\nset\r\n$1\r\na\r\n$1\r\nb\r\n')], ['s', text('+OK\r\n')]],
  [
    'tcp',
    5432,
    ['c', hex('0000000804d2162f')],
    ['s', text('N')],
    ['c', Buffer.concat([hex('0000001500030000'), text('user\0me\0\0\0\0')])],
    ['s', hex('5200000008000000005300000016')],
  ],
  [
    'tcp',
    1883,
    ['c', Buffer.concat([hex('101000044d515454'), hex('0402003c'), withLength(text('test'))])],
    ['s', hex('20020000')],
  ],
  [
    'tcp',
    3306,
    ['s', Buffer.concat([hex('4a0000000a'), text('8.0.36\0'), Buffer.alloc(60, 0x41)])],
    ['c', hex('200000018da60f00')],
  ],
  [
    'tcp',
    21,
    ['s', text('220 FTP\r\n')],
    ['c', text('USER me\r\n')],
    ['s', text('331 pw\r\n')],
    ['c', text('PASS secret\r\n')],
    ['s', text('230 ok\r\n')],
  ],
  [
    'tcp',
    110,
    ['s', text('+OK POP3\r\n')],
    ['c', text('USER me\r\n')],
    ['s', text('+OK\r\n')],
    ['c', text('PASS x\r\n')],
  ],
  ['tcp', 143, ['s', text('* OK IMAP4rev1\r\n')], ['c', text('a1 LOGIN me x\r\n')], ['s', text('a1 OK\r\n')]],
  [
    'tcp',
    23,
    ['s', hex('fffd18fffd20')],
    ['c', hex('fffb18')],
    ['s', text('login: ')],
    ['c', text('me\r\n')],
    ['s', text('Password: ')],
    ['c', text('x\r\n')],
  ],
  ['tcp', 6881, ['c', Buffer.concat([text('\x13BitTorrent protocol'), Buffer.alloc(48, 7)])]],
  ['tcp', 445, ['c', hex('00000054ff534d4272000000001843c8')], ['s', hex('00000054fe534d4240000000')]],
  [
    'tcp',
    3389,
    ['c', hex('030000130ee000000000000100080003000000')],
    ['s', hex('030000130ed000001234000200080002000000')],
  ],
  ['tcp', 88, ['c', hex('0000006a6a81673081a4a103020105a20302010a')]],
  ['tcp', 389, ['c', hex('300c020101600702010304008000')], ['s', hex('300c02010161070a010004000400')]],
  [
    'tcp',
    5222,
    ['c', text("<?xml version='1.0'?><stream:stream to='example.org' xmlns='jabber:client'>")],
    ['s', text('<stream:stream>')],
  ],
  ['tcp', 1080, ['c', hex('050100')], ['s', hex('0500')]],
  [
    'tcp',
    554,
    ['c', text('OPTIONS rtsp://example.org/a RTSP/1.0\r\nCSeq: 1\r\n\r\n')],
    ['s', text('RTSP/1.0 200 OK\r\n')],
  ],
  ['tcp', 27017, ['c', hex('3a000000 01000000 00000000 d4070000')]],
  ['tcp', 9200, ['c', Buffer.alloc(1600, 0x61)], ['s', Buffer.alloc(1600, 0)]],
  ['udp', 53, ['c', dnsQuery], ['s', dnsAnswer]],
  ['udp', 5353, ['c', dnsQuery], ['s', dnsAnswer]],
  [
    'udp',
    123,
    ['c', Buffer.concat([hex('23000000'), Buffer.alloc(44)])],
    ['s', Buffer.concat([hex('24020000'), Buffer.alloc(44)])],
  ],
  [
    'udp',
    5060,
    ['c', text('INVITE sip:a@example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n\r\n')],
    ['s', text('SIP/2.0 100 Trying\r\n\r\n')],
  ],
  [
    'udp',
    3478,
    ['c', hex('000100002112a442000102030405060708090a0b')],
    ['s', hex('0101000c2112a442000102030405060708090a0b002000080001a147e112a643')],
  ],
  [
    'udp',
    67,
    ['c', Buffer.concat([hex('01010600'), Buffer.alloc(232), hex('63825363350101370401031c060c0474657374ff')])],
  ],
  ['udp', 161, ['c', hex('302602010104067075626c6963a019020401020304020100020100300b300906052b060102010500')]],
  ['udp', 443, ['c', Buffer.concat([hex('c300000001088394c8f03e5157080000449e'), Buffer.alloc(1180, 0x33)])]],
  [
    'udp',
    51820,
    ['c', Buffer.concat([hex('01000000'), Buffer.alloc(144, 9)])],
    ['s', Buffer.concat([hex('02000000'), Buffer.alloc(88, 8)])],
  ],
  ['udp', 1900, ['c', text('M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nST: ssdp:all\r\n\r\n')]],
  [
    'udp',
    137,
    [
      'c',
      Buffer.concat([hex('000101100001000000000000'), text(' FHEPFCELEHFCEPFFFACACACACACACAAA\0'), hex('00200001')]),
    ],
  ],
  ['udp', 1194, ['c', hex('3800000000000000000000000000')], ['s', hex('400000000000000000')]],
  ['udp', 4500, ['c', Buffer.concat([hex('00000000'), Buffer.alloc(16, 5), hex('21202208'), Buffer.alloc(200, 1)])]],
  ['udp', 2055, ['c', hex('00050001000000000000000000000000')]],
];

/** As the target reads them, each over IPv4 and IPv6, seen by the client's socket. */
export function* seeds() {
  for (const [protocol, port, ...said] of conversations) {
    for (const v6 of [0, 2]) {
      const head = Buffer.from([(protocol === 'udp' ? 1 : 0) | v6, 0x40, 0x9c, port & 255, port >> 8]);
      const steps = said.map(([who, payload]) =>
        Buffer.concat([Buffer.from([who === 'c' ? 0 : 0x20, payload.length & 255, payload.length >> 8]), payload]),
      );
      yield Buffer.concat([head, ...steps]);
    }
  }
}
