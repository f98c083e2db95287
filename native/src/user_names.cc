#include "user_names.h"

#include <pwd.h>
#include <unistd.h>

#include <cerrno>

namespace procflow {
namespace {

constexpr std::size_t kFirstBuffer = 1024;
constexpr std::size_t kMaxBuffer = 1 << 20;

}  // namespace

std::vector<std::optional<std::string>> resolve(const std::vector<uid_t>& uids) {
  std::vector<std::optional<std::string>> names;
  names.reserve(uids.size());
  std::vector<char> buffer(kFirstBuffer);
  for (const uid_t uid : uids) {
    passwd entry{};
    passwd* found = nullptr;
    int error;
    while ((error = getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found)) == EINTR ||
           (error == ERANGE && buffer.size() < kMaxBuffer))
      if (error == ERANGE) buffer.resize(buffer.size() * 2);
    if (error == 0 && found != nullptr && found->pw_name != nullptr && found->pw_name[0] != '\0')
      names.emplace_back(found->pw_name);
    else
      names.emplace_back(std::nullopt);
  }
  return names;
}

}  // namespace procflow
