#include "base/path_name.h"

#include <cstdint>

#include "base/sha256.h"
#include "sluice/error.h"

namespace sluice {
namespace {

constexpr size_t kSegmentBytesMax = 200;
constexpr size_t kDigestDigits = 16;
constexpr char kUpperHex[] = "0123456789ABCDEF";

uint8_t ByteAt(std::string_view text, size_t at) {
  return static_cast<uint8_t>(text[at]);
}

/// Bytes of the UTF-8 character above 0x7F that starts at `at`; 0 if there is none
/// (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
size_t WideCharacterAt(std::string_view text, size_t at) {
  const uint8_t lead = ByteAt(text, at);
  const size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || at + size > text.size()) return 0;
  const uint8_t second = ByteAt(text, at + 1);
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (second < low || second > high) return 0;
  for (size_t i = 2; i < size; ++i) {
    if ((ByteAt(text, at + i) & 0xC0) != 0x80) return 0;
  }
  return size;
}

bool StaysAsItIs(uint8_t byte, bool leads) {
  if (byte <= 0x20 || byte >= 0x7F) return false;
  if (leads && (byte == '_' || byte == '.')) return false;
  return std::string_view("%/\\=:*?\"<>|~").find(static_cast<char>(byte)) ==
         std::string_view::npos;
}

int UpperHexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Status NotOurs(std::string_view segment) {
  return Error(
      ErrorKind::kFailed, "path.not-encoded",
      "wanted a path segment that stands for one name, found: " + std::string(segment));
}

}  // namespace

std::string EncodePathSegment(std::string_view name) {
  if (name.empty()) return "%";
  constexpr size_t kCutAt = kSegmentBytesMax - kDigestDigits - 1;
  std::string segment;
  size_t cut = 0;  // end of the last character that still fits before a digest
  for (size_t at = 0; at < name.size();) {
    const size_t wide = WideCharacterAt(name, at);
    const uint8_t byte = ByteAt(name, at);
    if (wide > 0) {
      segment.append(name.substr(at, wide));
    } else if (StaysAsItIs(byte, at == 0)) {
      segment += static_cast<char>(byte);
    } else {
      segment += '%';
      segment += kUpperHex[byte >> 4];
      segment += kUpperHex[byte & 0xF];
    }
    at += wide > 0 ? wide : 1;
    if (segment.size() <= kCutAt) cut = segment.size();
    if (segment.size() > kSegmentBytesMax) {
      return segment.substr(0, cut) + '~' + Sha256Hex(name).substr(0, kDigestDigits);
    }
  }
  return segment;
}

Result<std::string> DecodePathSegment(std::string_view segment) {
  if (segment == "%") return std::string();
  std::string name;
  for (size_t at = 0; at < segment.size(); ++at) {
    if (segment[at] != '%') {
      name += segment[at];
      continue;
    }
    if (at + 2 >= segment.size()) return NotOurs(segment);
    const int high = UpperHexValue(segment[at + 1]), low = UpperHexValue(segment[at + 2]);
    if (high < 0 || low < 0) return NotOurs(segment);
    name += static_cast<char>(high * 16 + low);
    at += 2;
  }
  // One name, one segment: whatever else would decode to it is refused ('~' among them).
  if (EncodePathSegment(name) != segment) return NotOurs(segment);
  return name;
}

std::string TableFolder(const TableName& name) {
  return EncodePathSegment(name.schema) + '/' + EncodePathSegment(name.table);
}

}  // namespace sluice
