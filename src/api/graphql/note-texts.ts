import type { ExchangeNoteCode } from '../../correlate/exchange.js';
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
  TCP_FLAGS_PARTIAL: 'Some packets were not seen: TCP flags may lack some.',
  APPLICATION_TIER_OFF: 'The packets tier is off: the application is not known.',
  APPLICATION_TIER_SHED:
    "The packets tier was put off to keep the agent's cost within its budget: the application is not known.",
  APPLICATION_UNDETECTED:
    'The application is not known: no packets with payload were looked at so far, or none that tell.',
  MESSAGES_TIER_SHED:
    "The messages tier was put off to keep the agent's cost within its budget: shares of processes and message counts are not known, or not of all of the flow.",
  RESOURCES_TIER_OFF: 'The resources tier was off when the flow began: what its processes spent is not known.',
  USAGE_START_UNKNOWN:
    'What a process had spent when it began to use the socket is not known: the socket is older than the agent, or the reading was lost.',
  USAGE_END_UNKNOWN:
    'What a process had spent when it ended to use the socket is not known: usage ends with its last sample, or is null when there was none.',
  IO_WAIT_NOT_ACCOUNTED:
    'The kernel does not account how long a process waits for I/O: it is older than kernel.task_delayacct was on, or that is off.',
  PEAK_MEMORY_UNKNOWN: 'The highest memory in a window of usage is not known.',
};

export const EXCHANGE_NOTE_TEXTS: Readonly<Record<ExchangeNoteCode, string>> = {
  SERVER_REMOTE: 'The server is not on this host: thread and usage are not known.',
  SERVER_NOT_SEEN: 'The server is on this host, and was not seen to take the request: thread and usage are not known.',
  CLIENT_NOT_SEEN: "The client is on this host, and was not seen to send the request: times are the server's.",
  USAGE_UNKNOWN: 'What the server spent could not be read.',
  THREAD_USAGE_UNKNOWN: 'Several threads served it: what each spent is not known.',
  PEAK_MEMORY_UNKNOWN: 'The highest memory in the window is not known.',
  IO_WAIT_NOT_ACCOUNTED:
    'The kernel does not account how long the server waits for I/O: it is older than kernel.task_delayacct was on, or that is off.',
  WINDOW_CUT: 'The window of usage does not reach over all of the exchange.',
  HEAD_CUT: "The request's head was longer than what is read of it: target and headers may be cut, or missing.",
  END_UNKNOWN: 'The end was not seen: events were lost, or the messages tier was put off.',
  MESSAGES_TIER_SHED:
    "The messages tier was put off, to keep the agent's cost within its budget, before the end was seen.",
  EVENTS_LOST: 'Events of the connection were lost: times and sizes may be wrong.',
};
