/** What is found out about the applications of real programs' conversations, each with its real client and server. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { APPLICATION_FLAG } from '../../src/capture/layout.js';
import { temporaryDirectory } from '../temporary.js';
import {
  Child,
  eventually,
  makeNamespacePair,
  run,
  skipWithoutBpf,
  Tap,
  type Namespace,
  type NamespacePair,
  type Row,
} from './harness/index.js';
import { quicInitial } from './quic-initial.js';

const skip = await skipWithoutBpf('applications of real programs');
const directory = temporaryDirectory();

type Application = Partial<Row<'application'>>;

/** A server, a client that speaks with it, and what is to be found of their conversation. */
interface Case {
  readonly name: string;
  readonly program: string;
  /** Debian's package of the program. */
  readonly debian: string;
  readonly port: number;
  readonly server: (address: string, port: number) => Promise<readonly string[]>;
  readonly client: (address: string, port: number) => readonly string[];
  readonly expected: Application;
}

const CERTIFICATE = ['-key', join(directory, 'key.pem'), '-cert', join(directory, 'cert.pem')];
const SSH_BANNER = /^SSH-2\.0-OpenSSH/;
const DNS = { program: '/usr/sbin/dnsmasq', debian: 'dnsmasq-base', port: 53 };
const dnsServer = (address: string, port: number): Promise<string[]> =>
  Promise.resolve([
    ...[DNS.program, '--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--user=root'],
    ...[`--listen-address=${address}`, '--bind-interfaces', `--port=${port}`, '--pid-file='],
    ...['--address=/www.example.org/192.0.2.7', '--local=/nothing.test/'],
  ]);

const cases: Case[] = [
  {
    name: 'HTTP: nginx and curl',
    ...{ program: '/usr/sbin/nginx', debian: 'nginx-light', port: 8081 },
    server: (address, port) => Promise.resolve(['/usr/sbin/nginx', '-c', writeNginx(address, port)]),
    client: (address, port) => [
      ...['curl', '-sf', '-o', '/dev/null', '-A', 'procflow-test/1'],
      ...['--connect-to', `shop.example.org:80:${address}:${port}`, 'http://shop.example.org/'],
    ],
    expected: { protocol: 'HTTP', category: 'Web', httpHost: 'shop.example.org', httpUserAgent: 'procflow-test/1' },
  },
  {
    name: 'HTTP: a server that accepts when the first data is there',
    ...{ program: '/usr/sbin/nginx', debian: 'nginx-light', port: 8082 },
    server: (address, port) => Promise.resolve(['/usr/sbin/nginx', '-c', writeNginx(address, port, 'deferred')]),
    client: (address, port) => ['curl', '-sf', '-o', '/dev/null', '-A', 'deferred/1', `http://${address}:${port}/`],
    expected: { protocol: 'HTTP', httpUserAgent: 'deferred/1' },
  },
  {
    name: 'TLS 1.3: openssl and curl',
    ...{ program: '/usr/bin/openssl', debian: 'openssl', port: 8443 },
    server: tlsServer,
    client: (address, port) => [
      ...['curl', '-sfk', '-o', '/dev/null', '--connect-to', `shop.example.org:443:${address}:${port}`],
      'https://shop.example.org/',
    ],
    expected: {
      ...{ protocol: 'TLS', category: 'Web', serverName: 'shop.example.org' },
      ...{ alpn: 'h2,http/1.1', tlsVersion: 'TLSv1.3' },
    },
  },
  {
    name: 'TLS 1.2: openssl at both ends',
    ...{ program: '/usr/bin/openssl', debian: 'openssl', port: 8444 },
    server: tlsServer,
    client: (address, port) => [
      ...['sh', '-c', 'openssl s_client -connect "$0" -servername old.example.org -tls1_2 </dev/null'],
      `${address}:${port}`,
    ],
    expected: { protocol: 'TLS', serverName: 'old.example.org', alpn: null, tlsVersion: 'TLSv1.2' },
  },
  {
    name: 'DNS: dnsmasq and dig',
    ...DNS,
    server: dnsServer,
    client: (address) => ['dig', `@${address}`, '+tries=1', '+time=1', 'www.example.org'],
    expected: { protocol: 'DNS', category: 'Network', dnsQuery: 'www.example.org', dnsReplyCode: 0 },
  },
  {
    name: 'DNS: a name that does not exist',
    ...DNS,
    server: dnsServer,
    client: (address) => ['dig', `@${address}`, '+tries=1', '+time=1', 'nothing.test'],
    expected: { protocol: 'DNS', dnsQuery: 'nothing.test', dnsReplyCode: 3 },
  },
  {
    name: 'SSH: OpenSSH at both ends',
    ...{ program: '/usr/sbin/sshd', debian: 'openssh-server', port: 2222 },
    server: sshServer,
    client: (address, port) => [
      // It is not let in.
      ...['sh', '-c', 'ssh -F none "$@" true 2>&1 | grep -q "Permission denied"', 'sh', '-p', `${port}`],
      ...['-o', 'BatchMode=yes'],
      ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', `nobody@${address}`],
    ],
    expected: { protocol: 'SSH', category: 'RemoteAccess' },
  },
  {
    name: 'Redis',
    ...{ program: '/usr/bin/redis-server', debian: 'redis-server', port: 7000 },
    server: (address, port) =>
      Promise.resolve([
        ...['/usr/bin/redis-server', '--port', `${port}`, '--bind', address, '--protected-mode', 'no'],
        ...['--save', '', '--dir', directory],
      ]),
    client: (address, port) => ['redis-cli', '-e', '-h', address, '-p', `${port}`, 'set', 'key', 'value'],
    expected: { protocol: 'Redis', category: 'Database' },
  },
  {
    name: 'PostgreSQL',
    ...{ program: postgres('postgres'), debian: 'postgresql', port: 7001 },
    server: postgresServer,
    client: (address, port) => ['psql', '-h', address, '-p', `${port}`, '-U', 'tester', '-c', 'select 1', 'postgres'],
    expected: { protocol: 'PostgreSQL', category: 'Database' },
  },
  {
    name: 'MQTT: mosquitto',
    ...{ program: '/usr/sbin/mosquitto', debian: 'mosquitto', port: 7002 },
    server: (address, port) => {
      const config = join(directory, 'mosquitto.conf');
      writeFileSync(config, `listener ${port} ${address}\nallow_anonymous true\n`);
      return Promise.resolve(['/usr/sbin/mosquitto', '-c', config]);
    },
    client: (address, port) => ['mosquitto_pub', '-h', address, '-p', `${port}`, '-t', 'rooms/1', '-m', '21.5'],
    expected: { protocol: 'MQTT' },
  },
];

describe('applications', { skip }, () => {
  let tap: Tap;
  let pair: NamespacePair;

  before(async () => {
    chmodSync(directory, 0o755);
    tap = await Tap.start('capture.pollIntervalMs=250');
    pair = await makeNamespacePair();
    await run(
      ...['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=shop.example.org', '-days', '2'],
      ...['-keyout', join(directory, 'key.pem'), '-out', join(directory, 'cert.pem')],
    );
  });
  after(async () => {
    await tap.stop();
    await pair.remove();
  });

  for (const { name, program, debian, port, server, client, expected } of cases) {
    const missing = existsSync(program) ? false : `${program} is not installed: apt-get install ${debian}`;
    test(name, { skip: missing }, async () => {
      const address = pair.server.v4;
      const running = within(pair.server, await server(address, port));
      try {
        const [command = '', ...args] = inside(pair.client, client(address, port));
        await eventually(() => {
          assert.ok(running.isRunning, running.stderr);
          return run(command, ...args);
        });
        await assertFound({ remotePort: port }, expected);
        // The server's half has a namespace of its own, and is looked at by itself.
        await assertFound({ localPort: port }, expected);
        assert.deepEqual(secretsIn(tap.rows('application')), []);
      } finally {
        running.process.kill('SIGTERM');
        await running.ended;
      }
    });
  }

  test('SSH: who is the client and who the server is known, whoever speaks first', () => {
    const rows = [...applicationsOf({ remotePort: 2222 }), ...applicationsOf({ localPort: 2222 })];
    const banners = rows.filter(({ sshClient, sshServer }) => sshClient !== null && sshServer !== null);
    assert.ok(banners.length >= 2);
    for (const { sshClient, sshServer } of banners) {
      assert.match(sshClient ?? '', SSH_BANNER);
      assert.match(sshServer ?? '', SSH_BANNER);
    }
  });

  test('QUIC: the server name of a client’s first packet', async () => {
    const datagram = quicInitial('quic.example.org').toString('hex');
    const send = `import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(bytes.fromhex(sys.argv[1]), (sys.argv[2], 4433))`;
    const [command = '', ...args] = inside(pair.client, ['python3', '-c', send, datagram, pair.server.v4]);
    await run(command, ...args);
    await eventually(() => {
      const row = tap.rows('application', { peerPort: 4433 }).at(-1);
      assert.ok(row);
      assert.deepEqual([row.protocol, row.serverName], ['QUIC', 'quic.example.org']);
      assert.equal(row.flags & APPLICATION_FLAG.guessed, 0);
    });
  });

  test('what says nothing is guessed by its port, and marked as a guess', async () => {
    const server = `import socket
s = socket.create_server(('${pair.server.v4}', 5432))
print('ready', flush=True)
c, _ = s.accept()
c.recv(100), c.sendall(b'?')
c.recv(1)`;
    const client = `import socket, sys
s = socket.create_connection((sys.argv[1], 5432))
s.sendall(b'!'), s.recv(1)`;
    const running = within(pair.server, ['python3', '-c', server]);
    await running.lines().next();
    const [command = '', ...args] = inside(pair.client, ['python3', '-c', client, pair.server.v4]);
    await run(command, ...args);
    await running.ended;
    await assertFound({ remotePort: 5432 }, { protocol: 'PostgreSQL', confidence: 1 }, APPLICATION_FLAG.guessed);
  });

  test('with both ends on one interface each packet is taken once, and one row names the application', async () => {
    const port = 8085;
    const inLoopback = writeNginx('127.0.0.1', port);
    const running = within(pair.server, ['/usr/sbin/nginx', '-c', inLoopback]);
    try {
      const [command = '', ...args] = inside(pair.server, ['curl', '-sf', `http://127.0.0.1:${port}/`]);
      await eventually(() => run(command, ...args));
      await eventually(() => {
        const both = [...applicationsOf({ remotePort: port }), ...applicationsOf({ localPort: port })];
        const final = both.filter(({ flags }) => (flags & APPLICATION_FLAG.final) !== 0);
        assert.deepEqual(
          final.map(({ protocol, httpHost }) => [protocol, httpHost]),
          [['HTTP', '127.0.0.1']],
        );
      });
    } finally {
      running.process.kill('SIGTERM');
      await running.ended;
    }
  });

  test('only the server is captured: what comes from its client is taken there', async () => {
    await withFilteredNginx('keep', 8086, async (alone) => {
      await eventually(() => {
        const [row] = alone
          .rows('socket', { localPort: 8086 })
          .flatMap(({ cookie }) => alone.rows('application', { cookie }));
        assert.ok(row);
        assert.deepEqual([row.protocol, row.httpHost], ['HTTP', '127.0.0.1']);
        assert.deepEqual(alone.rows('socket', { remotePort: 8086 }), []);
      });
    });
  });

  test('the server is left out: its client has the application, and the server has no row', async () => {
    await withFilteredNginx('drop', 8087, async (alone) => {
      const client = await eventually(() => {
        const [row] = alone
          .rows('socket', { remotePort: 8087 })
          .flatMap(({ cookie }) => alone.rows('application', { cookie }));
        assert.ok(row);
        return row;
      });
      assert.equal(client.protocol, 'HTTP');
      const rows = alone.rows('application').filter(({ httpUserAgent }) => httpUserAgent === 'filter-drop');
      assert.deepEqual([...new Set(rows.map(({ cookie }) => cookie))], [client.cookie]);
    });
  });

  /** nginx on loopback in a namespace where nobody else is, asked once by curl, seen by a tap that filters for nginx. */
  async function withFilteredNginx(
    list: 'keep' | 'drop',
    port: number,
    body: (tap: Tap) => Promise<void>,
  ): Promise<void> {
    const running = within(pair.server, ['/usr/sbin/nginx', '-c', writeNginx('127.0.0.1', port)]);
    const alone = await Tap.start(`capture.filter.${list}.processes=nginx`, 'capture.pollIntervalMs=250');
    try {
      const [command = '', ...args] = inside(pair.server, [
        'curl',
        '-sfA',
        `filter-${list}`,
        `http://127.0.0.1:${port}/`,
      ]);
      await eventually(() => run(command, ...args));
      await body(alone);
    } finally {
      running.process.kill('SIGTERM');
      await running.ended;
      await alone.stop();
    }
  }

  function applicationsOf(where: { readonly localPort?: number; readonly remotePort?: number }): Row<'application'>[] {
    // A listener's row has no peer; an unconnected UDP socket's neither, so it is known by what it exchanged.
    const peers = where.remotePort === undefined ? [] : tap.rows('peer', { peerPort: where.remotePort });
    const cookies = new Set([...tap.rows('socket', where), ...peers].map(({ cookie }) => cookie));
    return [...cookies].flatMap((cookie) => tap.rows('application', { cookie }));
  }

  async function assertFound(
    where: { readonly localPort?: number; readonly remotePort?: number },
    expected: Application,
    flags = 0,
  ): Promise<void> {
    await eventually(() => {
      const all = applicationsOf(where);
      const row = all.findLast(({ flags }) => (flags & APPLICATION_FLAG.final) !== 0);
      assert.ok(row, `a last row has come: ${JSON.stringify([all, ...tap.losses])}`);
      const shown = Object.fromEntries(Object.keys(expected).map((key) => [key, row[key as keyof typeof row]]));
      assert.deepEqual(shown, expected, JSON.stringify([where, all, ...tap.losses]));
      assert.equal(row.flags & APPLICATION_FLAG.guessed, flags);
    });
  }
});

/** What the clients above sent besides what is to be found. */
function secretsIn(rows: readonly Row<'application'>[]): string[] {
  const texts = rows.flatMap((row) => Object.values(row).filter((value) => typeof value === 'string'));
  return texts.filter((text) => /21\.5|select 1|rooms\/1|tester/.test(text));
}

function inside({ name }: Namespace, command: readonly string[]): string[] {
  return ['ip', 'netns', 'exec', name, ...command];
}

function within(namespace: Namespace, command: readonly string[]): Child {
  const [program = '', ...args] = inside(namespace, command);
  return new Child(program, args);
}

function tlsServer(address: string, port: number): Promise<string[]> {
  const accept = `${address}:${port}`;
  return Promise.resolve(['/usr/bin/openssl', 's_server', '-accept', accept, '-www', '-quiet', ...CERTIFICATE]);
}

async function sshServer(address: string, port: number): Promise<string[]> {
  const key = join(directory, 'hostkey');
  if (!existsSync(key)) await run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key);
  // Debian makes it at boot.
  mkdirSync('/run/sshd', { recursive: true });
  const options = [`ListenAddress=${address}`, `Port=${port}`, `HostKey=${key}`, 'PidFile=none', 'UsePAM=no'];
  return ['/usr/sbin/sshd', '-D', '-e', '-f', '/dev/null', ...options.flatMap((option) => ['-o', option])];
}

/** A program of the newest version of PostgreSQL that is installed. */
function postgres(program: string): string {
  const versions = '/usr/lib/postgresql';
  const newest = existsSync(versions)
    ? readdirSync(versions)
        .sort((a, b) => Number(a) - Number(b))
        .at(-1)
    : undefined;
  return join(versions, newest ?? 'none', 'bin', program);
}

async function postgresServer(address: string, port: number): Promise<string[]> {
  const data = join(directory, 'postgres');
  // It refuses to be root.
  const asOther = process.getuid?.() === 0 ? ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups'] : [];
  const [command = '', ...args] = [
    ...['sh', '-c', `install -d ${asOther.length > 0 ? '-o nobody' : ''} "$0" && exec "$@"`, data, ...asOther],
    ...[postgres('initdb'), '-D', data, '-U', 'tester', '-A', 'trust', '--no-sync'],
  ];
  if (!existsSync(data)) await run(command, ...args);
  writeFileSync(join(data, 'pg_hba.conf'), 'host all all all trust\n');
  return [...asOther, postgres('postgres'), '-D', data, '-p', `${port}`, '-h', address, '-k', ''];
}

function writeNginx(address: string, port: number, options = ''): string {
  const config = join(directory, `nginx-${port}.conf`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(directory, name)};`)
    .join(' ');
  writeFileSync(
    config,
    `daemon off; worker_processes 1; pid ${join(directory, `nginx-${port}.pid`)}; error_log stderr; events {}
     http { access_log off; ${temporary} server { listen ${address}:${port} ${options}; return 200 hello; } }`,
  );
  return config;
}
