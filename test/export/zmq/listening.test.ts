import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listeningPorts, ownNamespace } from '../../../src/export/zmq/listening.js';
import { Stage } from '../../correlate/dsl.js';

const OURS = 4026531840;
const EPHEMERAL = { first: 32_768, last: 60_999 };

test('the ports that others can reach, each with its process', () => {
  const stage = new Stage().batch((story) =>
    story
      .seen(100, 'nginx', { exe: '/usr/sbin/nginx' })
      .seen(200, 'named')
      .seen(300, 'dig')
      .opened(1, { from: '0.0.0.0:80', listener: true, creator: 100 })
      .opened(2, { from: '10.0.0.1:80', listener: true, creator: 100 })
      .opened(3, { from: '[::]:443', listener: true, creator: 100 })
      .opened(4, { from: '127.0.0.1:9000', listener: true, creator: 100 })
      .opened(5, { from: '0.0.0.0:8080', listener: true, creator: 100, netns: 4026532000 })
      .opened(6, { protocol: 17, from: '0.0.0.0:53', listener: true, creator: 200 })
      .opened(7, { protocol: 17, from: '0.0.0.0:40000', listener: true, creator: 300 })
      .opened(8, { from: '0.0.0.0:22', listener: true }),
  );
  const ports = listeningPorts(stage.correlator.listeningSockets(), OURS, EPHEMERAL);
  assert.deepEqual(
    ports.map(({ protocol, ipVersion, port, process }) => `${protocol}${ipVersion} ${port} ${process ?? '?'}`),
    ['tcp4 22 ?', 'udp4 53 named', 'tcp4 80 /usr/sbin/nginx', 'tcp6 443 /usr/sbin/nginx'],
  );
  stage.batch((story) => story.ended(8, { from: '0.0.0.0:22', listener: true }));
  assert.equal(listeningPorts(stage.correlator.listeningSockets(), OURS, EPHEMERAL).length, 3);
});

test('this process is in a network namespace', () => {
  assert.ok(ownNamespace() > 0);
});
