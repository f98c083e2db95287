#include "flow_cookie.h"

namespace procflow {

std::uint64_t flow_cookie(const pf_socket& socket) {
  return socket.cookie + (static_cast<std::uint64_t>(socket.life) << PF_LIFE_SHIFT);
}

double row_cookie(std::uint64_t flow_cookie) {
  if (flow_cookie >> PF_LIFE_SHIFT == 0) return static_cast<double>(flow_cookie);
  std::uint64_t mixed = (flow_cookie ^ (flow_cookie >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return static_cast<double>((std::uint64_t{1} << 52) | ((mixed ^ (mixed >> 31)) >> 12));
}

}  // namespace procflow
