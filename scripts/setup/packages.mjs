import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { nativeStep } from './native.mjs';
import { headersPrefix } from './node-headers.mjs';
import { say, SetupError } from './report.mjs';
import { runQuietly } from './run.mjs';

const BUILD = [
  ...['clang', 'llvm', 'libbpf-dev', 'libelf-dev', 'zlib1g-dev', 'libndpi-dev', 'pkg-config', 'g++', 'make', 'python3'],
];

/** What the system tests make their traffic with, and compare it with; and what the C++ tests are compiled with. */
const TESTS = [
  ...['nginx-light', 'curl', 'iproute2', 'tcpdump', 'ethtool', 'python3', 'apache2-utils'],
  ...['gcc', 'libc6-dev', 'liburing-dev', 'g++', 'make'],
  ...['openssl', 'dnsmasq-base', 'bind9-dnsutils', 'openssh-client', 'openssh-server', 'redis-server', 'redis-tools'],
  ...['postgresql', 'mosquitto', 'mosquitto-clients', 'util-linux'],
  // Readers of what is exported.
  ...['tshark', 'nfdump', 'pmacct', 'libfixbuf-tools'],
];

const BENCH = ['softflowd'];

/** Packages that exclude each other: any of them will do when this is there. */
const ENOUGH = { 'nginx-light': '/usr/sbin/nginx' };

/** The Debian packages of this run. Those for the build count only while there is something to build. */
export function packagesStep({ tests = false, bench = false }) {
  const building = nativeStep().due();
  const needed = building ? [...BUILD, ...(headersPrefix() === undefined ? ['libnode-dev'] : [])] : [];
  const useful = [...(tests ? TESTS : []), ...(bench ? BENCH : [])];
  return {
    due: () => missing([...needed, ...useful]).length > 0,
    run: () => obtain(missing(needed), missing(useful)),
  };
}

function missing(packages) {
  if (packages.length === 0) return [];
  const format = '${Package} ${db:Status-Status}\\n';
  const query = spawnSync('dpkg-query', ['--show', `--showformat=${format}`, ...packages], { encoding: 'utf8' });
  // Not Debian's kin: the build will name what it does not find.
  if (query.error !== undefined) return [];
  const installed = new Set(query.stdout.split('\n').filter((line) => line.endsWith(' installed')));
  return [...new Set(packages)].filter(
    (name) => !installed.has(`${name} installed`) && !(name in ENOUGH && existsSync(ENOUGH[name])),
  );
}

async function obtain(needed, useful) {
  const packages = [...new Set([...needed, ...useful])];
  const asRoot = waysToBeRoot();
  if (asRoot !== undefined) {
    say(`installing Debian packages: ${packages.join(' ')}`);
    const [command, ...args] = [...asRoot, 'sh', '-c', INSTALL, 'install', ...packages];
    await runQuietly('installing Debian packages', command, args);
    return;
  }
  const message = `Debian packages are missing, and only root can install them. Run:\n  sudo apt-get install ${packages.join(' ')}`;
  if (needed.length > 0) throw new SetupError(`${message}\nand start this again: there is no build without them.`);
  say(`${message}\nGoing on without them: what needs them will say so.`);
}

/** What to put before a command so that it runs as root; undefined when nothing would help. */
function waysToBeRoot() {
  if (process.geteuid() === 0) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined;
}

/**
 * Installs its arguments. That somebody runs our tests is no reason for a daemon among them to start: policy-rc.d says
 * so while this works. Lists that cannot be refreshed are no failure as long as the packages can be had.
 */
const INSTALL = `
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' INT TERM HUP
    printf '#!/bin/sh\\nexit 101\\n' >"$policy" && chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -q -o DPkg::Lock::Timeout=300 update
apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
`;
