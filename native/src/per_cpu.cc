#include "per_cpu.h"

#include <cstring>
#include <optional>

namespace procflow {
namespace {

// Where a variable lies in the section of them all.
std::optional<std::int64_t> offset_of(const btf* kernel, const PerCpuVariable& variable) {
  const auto found = btf__find_by_name_kind(kernel, ".data..percpu", BTF_KIND_DATASEC);
  if (found < 0) return std::nullopt;
  const btf_type* section = btf__type_by_id(kernel, static_cast<std::uint32_t>(found));
  const btf_var_secinfo* each = btf_var_secinfos(section);
  for (int left = btf_vlen(section); left > 0; left--, each++) {
    const btf_type* var = btf__type_by_id(kernel, each->type);
    if (std::strcmp(btf__name_by_offset(kernel, var->name_off), variable.name) != 0) continue;
    const btf_type* type = btf__type_by_id(kernel, var->type);
    if (btf_is_struct(type) && std::strcmp(btf__name_by_offset(kernel, type->name_off), variable.type) == 0)
      return each->offset;
  }
  return std::nullopt;
}

}  // namespace

std::int32_t per_cpu_distance(const btf* kernel, const PerCpuVariable& from, const PerCpuVariable& to) {
  if (kernel == nullptr) return 0;
  const auto begin = offset_of(kernel, from), end = offset_of(kernel, to);
  if (!begin || !end) return 0;
  const std::int64_t distance = *end - *begin;
  if (distance != static_cast<std::int32_t>(distance)) return 0;
  return static_cast<std::int32_t>(distance);
}

}  // namespace procflow
