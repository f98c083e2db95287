import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What holds include/node of the node that runs us; Debian's libnode-dev puts it under /usr. */
export function headersPrefix() {
  return [dirname(dirname(process.execPath)), '/usr'].find((prefix) =>
    existsSync(join(prefix, 'include/node/node_api.h')),
  );
}
