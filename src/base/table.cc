#include "sluice/table.h"

#include <algorithm>

#include "sluice/state_store.h"

namespace sluice {
namespace {

std::string Part(const std::string& name) {
  bool plain =
      !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return c > ' ' && c != 0x7F && c != '.' && c != '"' && c != '\'' && c != '`';
      });
  if (plain) return name;
  std::string quoted = "\"";
  constexpr char kHex[] = "0123456789abcdef";
  for (unsigned char c : name) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += static_cast<char>(c);
    } else if (c < ' ' || c == 0x7F) {
      // A line break in a name must not break a line of the log.
      quoted += {'\\', 'x', kHex[c >> 4], kHex[c & 15]};
    } else {
      quoted += static_cast<char>(c);
    }
  }
  return quoted + '"';
}

}  // namespace

std::string ToString(const TableName& name) {
  return name.schema.empty() ? Part(name.table)
                             : Part(name.schema) + "." + Part(name.table);
}

std::string ToString(const Sum128& sum) {
  unsigned __int128 rest = (static_cast<unsigned __int128>(sum.high) << 64) | sum.low;
  std::string digits;
  do {
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest != 0);
  std::reverse(digits.begin(), digits.end());
  return digits;
}

void Digest::Add(const Digest& other) {
  if (hashed == 0 && kind == DigestKind::kNone) {
    // Nothing was digested before: the empty sum takes the kind of what comes.
    kind = other.kind;
    version = other.version;
  } else if (other.hashed != 0 && (kind != other.kind || version != other.version)) {
    // Sums of two forms mean nothing; without a kind nobody compares them.
    kind = DigestKind::kNone;
    version = 0;
  }
  rows += other.rows;
  hashed += other.hashed;
  high.Add(other.high);
  low.Add(other.low);
}

const char* ToString(Phase phase) {
  switch (phase) {
    case Phase::kCopying: return "copying";
    case Phase::kPublishing: return "publishing";
    case Phase::kPublished: return "published";
    case Phase::kVerified: return "verified";
    case Phase::kCommitted: return "committed";
    case Phase::kCleaned: return "cleaned";
    case Phase::kDiscarded: return "discarded";
  }
  return "unknown";
}

}  // namespace sluice
