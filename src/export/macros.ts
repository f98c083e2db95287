/** Groups of elements that a template may name with one word. */

const SIDES = ['SRC', 'DST'];

function bothSides(...names: readonly string[]): string {
  return SIDES.flatMap((side) => names.map((name) => `%${side}_${name}`)).join(' ');
}

/** The process at each end: who, whose, started by whom, and what it spent while the flow lasted. */
const PROCESS = bothSides(
  'PROC_PID',
  'PROC_NAME',
  'PROC_USER_NAME',
  'FATHER_PROC_PID',
  'FATHER_PROC_NAME',
  'PROC_ACTUAL_MEMORY',
  'PROC_PEAK_MEMORY',
  'PROC_AVERAGE_CPU_LOAD',
  'PROC_NUM_PAGE_FAULTS',
  'PROC_PCTG_IOWAIT',
);

export const MACROS: Readonly<Record<string, string>> = {
  PROCESS,
  CONTAINER: bothSides('PROC_CONTAINER_ID'),
  HTTP: '%HTTP_METHOD %HTTP_HOST %HTTP_URL %HTTP_RET_CODE %HTTP_USER_AGENT %APPL_LATENCY_MS',
  /** What ntopng makes use of, as nProbe sends it: a record tells both directions. */
  NTOPNG:
    '%IPV4_SRC_ADDR %IPV4_DST_ADDR %L4_SRC_PORT %L4_DST_PORT %IP_PROTOCOL_VERSION %PROTOCOL %L7_PROTO %L7_CONFIDENCE ' +
    '%IN_BYTES %IN_PKTS %OUT_BYTES %OUT_PKTS %FIRST_SWITCHED %LAST_SWITCHED %CLIENT_TCP_FLAGS %SERVER_TCP_FLAGS ' +
    '%EXPORTER_IPV4_ADDRESS %DIRECTION %NPROBE_IPV4_ADDRESS %NPROBE_INSTANCE_NAME %FLOW_SOURCE %UNIQUE_SOURCE_ID ' +
    '%CLIENT_NW_LATENCY_MS %SERVER_NW_LATENCY_MS %APPL_LATENCY_MS %RETRANSMITTED_IN_PKTS %RETRANSMITTED_OUT_PKTS ' +
    '%L7_INFO %DNS_QUERY %DNS_RET_CODE %HTTP_URL %HTTP_SITE %HTTP_METHOD %HTTP_RET_CODE %HTTP_USER_AGENT %TLS_SERVER_NAME',
};

/** What is exported when nothing else is asked for. */
export const DEFAULT_TEMPLATE =
  '%IPV4_SRC_ADDR %IPV4_DST_ADDR %L4_SRC_PORT %L4_DST_PORT %PROTOCOL %IP_PROTOCOL_VERSION %IN_BYTES %IN_PKTS ' +
  '%FIRST_SWITCHED %LAST_SWITCHED %TCP_FLAGS %FLOW_END_REASON %DIRECTION %L7_PROTO @PROCESS@';

/** What ntopng is sent when nothing else is asked for. */
export const NTOPNG_TEMPLATE = `@NTOPNG@ @PROCESS@ @CONTAINER@ ${bothSides(
  'PROC_UID',
  'PROC_CMDLINE',
  'FATHER_PROC_UID',
  'FATHER_PROC_USER_NAME',
)}`;
