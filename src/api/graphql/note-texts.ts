import type { FlowNoteCode } from '../../correlate/model.js';

/** The notes as sentences for people. */
export const NOTE_TEXTS: Readonly<Record<FlowNoteCode, string>> = {
  COUNTERS_SINCE_AGENT_START:
    "The flow is older than the agent and the kernel keeps no counters for it: they count from the agent's start.",
  START_TIME_UNKNOWN:
    'The flow is older than the agent and its start is not known: startTime is when it was first seen.',
  PEER_UNKNOWN: "The other end's address is not known.",
  LOCAL_ADDRESS_UNKNOWN: 'The local address is not known: the socket is bound to any.',
  OWNER_UNKNOWN: 'No process could be bound to a local end.',
  OWNER_FROM_LISTENER: 'The process is taken from the listening socket: nobody has moved bytes yet.',
  MESSAGES_TIER_OFF: 'The messages tier is off: payload per process and message counts are not known.',
  TCP_FLAGS_TIER_OFF: 'No tier saw packets: TCP flags are not known.',
  OCTETS_UNKNOWN: 'Octets at the IP layer are not known for this protocol in the present tiers.',
  EVENTS_LOST: 'Events of this flow were lost: counters may be low.',
  PROCESS_NOT_VISIBLE: 'A process exists that the agent may not see: it lacks privileges.',
  RESOURCES_TIER_OFF: 'The resources tier was off when the flow began: what its processes spent is not known.',
  USAGE_START_UNKNOWN:
    'What a process had spent when it began to use the socket is not known: the socket is older than the agent, or the reading was lost.',
  USAGE_END_UNKNOWN:
    'What a process had spent when it ended to use the socket is not known: usage ends with its last sample, or is null when there was none.',
  IO_WAIT_NOT_ACCOUNTED:
    'The kernel does not account how long a process waits for I/O: it is older than kernel.task_delayacct was on, or that is off.',
  PEAK_MEMORY_UNKNOWN: 'The highest memory in a window of usage is not known.',
};
