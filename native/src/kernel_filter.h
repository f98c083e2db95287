// Brings what is to be captured, or looked at, into the maps by which the kernel programs judge sockets.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../bpf/wire.h"
#include "source.h"

namespace procflow {

// Adds a value to a set, as one of `list`. Throws std::runtime_error.
void add_filter_entry(int set, pf_filter_kind kind, const void* value, std::size_t size, std::uint32_t list);

// Fills both maps anew; returns `settings` with what goes with them. Throws std::runtime_error.
pf_settings fill_filter(int set, int prefixes, const Filter& filter, pf_settings settings);

}  // namespace procflow
