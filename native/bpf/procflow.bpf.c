/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* All programs of procflow in one object. */
#include "lifetime.h"
#include "messages.h"
#include "packets.h"
#include "poll.h"
#include "processes.h"
#include "samples.h"
#include "tcp.h"

char LICENSE[] SEC("license") = "GPL";
