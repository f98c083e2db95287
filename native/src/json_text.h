// Text of ours as JSON.
#pragma once

#include <string>

namespace procflow {

// Null for no text. What would have to be escaped becomes a space: it is for people to read.
inline std::string json_text(const std::string& text) {
  if (text.empty()) return "null";
  std::string safe = "\"";
  for (const char c : text) safe += (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) ? ' ' : c;
  return safe + "\"";
}

}  // namespace procflow
