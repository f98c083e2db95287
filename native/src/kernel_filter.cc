#include "kernel_filter.h"

#include <bpf/bpf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "errno_text.h"

namespace procflow {
namespace {

bool is_mapped(const Address& address) {
  for (std::size_t i = 0; i < 10; i++)
    if (address[i] != 0) return false;
  return address[10] == 0xff && address[11] == 0xff;
}

void clear_map(int map, std::size_t key_bytes) {
  std::vector<std::uint8_t> key(key_bytes);
  while (bpf_map_get_next_key(map, nullptr, key.data()) == 0 && bpf_map_delete_elem(map, key.data()) == 0) {
  }
}

}  // namespace

void add_filter_entry(int set, pf_filter_kind kind, const void* value, std::size_t size, std::uint32_t list) {
  pf_filter_key key{};
  key.kind = kind;
  std::memcpy(key.value, value, size);
  std::uint32_t lists = 0;
  bpf_map_lookup_elem(set, &key, &lists);
  lists |= list;
  if (bpf_map_update_elem(set, &key, &lists, BPF_ANY) != 0)
    throw std::runtime_error(with_errno("cannot write the filter into the kernel", errno));
}

pf_settings fill_filter(int set, int prefixes, const Filter& filter, pf_settings settings) {
  clear_map(set, sizeof(pf_filter_key));
  clear_map(prefixes, sizeof(pf_prefix_key));
  settings.keep_kinds = settings.drop_kinds = 0;
  std::map<std::string, std::uint32_t> prefix_lists;

  const auto write = [&](const FilterLists& lists, std::uint32_t list, std::uint32_t& kinds) {
    const auto put = [&](pf_filter_kind kind, const void* value, std::size_t size) {
      add_filter_entry(set, kind, value, size, list);
      kinds |= 1u << kind;
    };
    for (const auto port : lists.ports) put(PF_FILTER_PORT, &port, sizeof port);
    for (const auto protocol : lists.protocols) put(PF_FILTER_PROTOCOL, &protocol, sizeof protocol);
    for (const auto cgroup : lists.cgroups) put(PF_FILTER_CGROUP, &cgroup, sizeof cgroup);
    for (const auto uid : lists.uids) put(PF_FILTER_USER, &uid, sizeof uid);
    for (const auto& process : lists.processes) {
      char comm[16]{};
      process.copy(comm, sizeof comm - 1);
      put(PF_FILTER_PROCESS, comm, sizeof comm);
    }
    for (const auto& prefix : lists.addresses) {
      pf_prefix_key key{};
      key.family = prefix.bits >= 96 && is_mapped(prefix.address) ? 4 : 6;
      key.bits = PF_FAMILY_BITS + prefix.bits;
      std::memcpy(key.address, prefix.address.data(), sizeof key.address);
      prefix_lists[std::string(reinterpret_cast<const char*>(&key), sizeof key)] |= list;
      kinds |= 1u << PF_FILTER_ADDRESS;
    }
  };
  write(filter.keep, PF_FILTER_KEEP, settings.keep_kinds);
  write(filter.drop, PF_FILTER_DROP, settings.drop_kinds);

  // The longest prefix answers alone, so it must know what the shorter ones around it say.
  for (auto& [bytes, lists] : prefix_lists) {
    pf_prefix_key key;
    std::memcpy(&key, bytes.data(), sizeof key);
    std::uint32_t all = lists;
    for (const auto& [other_bytes, other_lists] : prefix_lists) {
      pf_prefix_key other;
      std::memcpy(&other, other_bytes.data(), sizeof other);
      if (other.bits >= key.bits) continue;
      bool covers = other.family == key.family;
      for (std::uint32_t bit = 0; covers && bit < other.bits - PF_FAMILY_BITS; bit++) {
        const auto mask = static_cast<std::uint8_t>(0x80 >> (bit % 8));
        covers = (other.address[bit / 8] & mask) == (key.address[bit / 8] & mask);
      }
      if (covers) all |= other_lists;
    }
    if (bpf_map_update_elem(prefixes, &key, &all, BPF_ANY) != 0)
      throw std::runtime_error(with_errno("cannot write the filter's prefixes into the kernel", errno));
  }

  settings.drop_loopback = filter.loopback ? 0 : 1;
  settings.agent_pid = static_cast<std::uint32_t>(getpid());
  settings.own_pid = filter.own_traffic ? 0 : static_cast<std::uint32_t>(getpid());
  struct stat own{};
  settings.own_netns = stat("/proc/self/ns/net", &own) == 0 ? static_cast<std::uint32_t>(own.st_ino) : 0;
  std::memset(settings.own_ports, 0, sizeof settings.own_ports);
  for (std::size_t i = 0; i < filter.own_ports.size() && i < 4; i++) settings.own_ports[i] = filter.own_ports[i];
  return settings;
}

}  // namespace procflow
