import assert from 'node:assert/strict';
import test from 'node:test';
import { CgroupReader, readCgroup } from '../../src/correlate/cgroup.js';

const ID = '0123456789abcdef'.repeat(4);
const POD = 'f9e8d7c6-1234-4abc-8def-0123456789ab';
const POD_ = POD.replaceAll('-', '_');

/** path, container "runtime id pod" or null, unit */
const CASES: [string, [string | null, string, string | null] | null, string | null][] = [
  ['', null, null],
  ['/', null, null],
  ['/init.scope', null, 'init.scope'],
  ['/system.slice/nginx.service', null, 'nginx.service'],
  ['/system.slice/system-getty.slice/getty@tty1.service', null, 'getty@tty1.service'],
  ['/system.slice/docker.service', null, 'docker.service'],
  ['/system.slice/foo.service/workers', null, 'foo.service'],
  ['/user.slice/user-1000.slice/session-3.scope', null, 'session-3.scope'],
  ['/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-term-42.scope', null, 'app-gnome-term-42.scope'],
  ['/user.slice/user-1000.slice/user@1000.service', null, 'user@1000.service'],
  [`/docker/${ID}`, ['docker', ID, null], null],
  [`/docker/${ID}/init.scope`, ['docker', ID, null], 'init.scope'],
  [`/docker/${ID}/system.slice/nginx.service`, ['docker', ID, null], 'nginx.service'],
  [`/docker/buildkit/${ID}`, ['docker', ID, null], null],
  [`/system.slice/docker-${ID}.scope`, ['docker', ID, null], `docker-${ID}.scope`],
  [`/docker/${'f'.repeat(64)}/docker/${ID}`, ['docker', ID, null], null],
  [`/machine.slice/libpod-${ID}.scope`, ['podman', ID, null], `libpod-${ID}.scope`],
  [`/machine.slice/libpod-${ID}.scope/container`, ['podman', ID, null], `libpod-${ID}.scope`],
  [
    `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container`,
    ['podman', ID, null],
    `libpod-${ID}.scope`,
  ],
  [`/machine.slice/libpod-conmon-${ID}.scope`, null, `libpod-conmon-${ID}.scope`],
  [`/libpod_parent/libpod-${ID}`, ['podman', ID, null], null],
  [`/kubepods/burstable/pod${POD}/${ID}`, [null, ID, POD], null],
  [`/kubepods/pod${POD}/${ID}`, [null, ID, POD], null],
  [`/kubepods/besteffort/pod${'0123456789abcdef'.repeat(2)}/${ID}`, [null, ID, '0123456789abcdef'.repeat(2)], null],
  [
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${POD_}.slice/cri-containerd-${ID}.scope`,
    ['containerd', ID, POD],
    `cri-containerd-${ID}.scope`,
  ],
  [`/kubepods.slice/kubepods-pod${POD_}.slice/crio-${ID}.scope`, ['cri-o', ID, POD], `crio-${ID}.scope`],
  [`/kubepods.slice/kubepods-pod${POD_}.slice/crio-conmon-${ID}.scope`, null, `crio-conmon-${ID}.scope`],
  [
    `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${POD_}.slice/docker-${ID}.scope`,
    ['docker', ID, POD],
    `docker-${ID}.scope`,
  ],
  [
    `/system.slice/containerd.service/kubepods-burstable-pod${POD_}.slice:cri-containerd:${ID}`,
    ['containerd', ID, POD],
    'containerd.service',
  ],
  [`/kubelet/kubepods/burstable/pod${POD}/${ID}`, [null, ID, POD], null],
  [`/ecs/0123abcd/${ID}`, [null, ID, null], null],
  [`/default/${ID}`, ['containerd', ID, null], null],
  [`/system.slice/nerdctl-${ID}.scope`, ['containerd', ID, null], `nerdctl-${ID}.scope`],
  ['/lxc/web1', ['lxc', 'web1', null], null],
  ['/lxc.payload.web1', ['lxc', 'web1', null], null],
  ['/lxc.payload.web1/system.slice/cron.service', ['lxc', 'web1', null], 'cron.service'],
  ['/lxc.payload/web1', ['lxc', 'web1', null], null],
  ['/lxc.monitor.web1', null, null],
  [
    '/machine.slice/systemd-nspawn@debian.service/payload',
    ['systemd-nspawn', 'debian', null],
    'systemd-nspawn@debian.service',
  ],
  ['/machine.slice/machine-my\\x2dbox.scope', ['systemd-nspawn', 'my-box', null], 'machine-my\\x2dbox.scope'],
  ['/machine.slice/machine-qemu\\x2d1\\x2dvm.scope', null, 'machine-qemu\\x2d1\\x2dvm.scope'],
  ['/system.slice/_memory.service', null, 'memory.service'],
  [`/weird-${ID}.scope`, null, `weird-${ID}.scope`],
];

test('containers, pods and units are read from the paths that runtimes make', () => {
  for (const [path, container, unit] of CASES) {
    const facts = readCgroup(path);
    const read = facts.container && [facts.container.runtime, facts.container.id, facts.container.podUid];
    assert.deepEqual(read, container, path);
    assert.equal(facts.unit, unit, path);
  }
});

test('processes of one container share one object', () => {
  const reader = new CgroupReader();
  assert.equal(reader.read(`/docker/${ID}`), reader.read(`/docker/${ID}`));
});
