#include "store/s3_token.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "arrow/util/base64.h"
#include "base/crc32c.h"
#include "base/json_reader.h"

namespace sluice {
namespace {

using nlohmann::json;

std::string BigEndian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string XmlText(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out.push_back(c);
    }
  }
  return out;
}

}  // namespace

std::string ToText(const S3Token& token) {
  json parts = json::array();
  for (const S3Part& part : token.parts) parts.push_back({part.etag, part.crc32c});
  return json{{"upload", token.upload}, {"nonce", token.nonce}, {"parts", parts}}.dump();
}

Result<S3Token> ParseS3Token(const std::string& text) {
  const json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  JsonReader reader(parsed, "token of a staged upload");
  S3Token token;
  token.upload = reader.Text("upload");
  token.nonce = reader.Text("nonce");
  for (const json& part : reader.List("parts")) {
    if (!part.is_array() || part.size() != 2 || !part[0].is_string() ||
        !part[1].is_number_unsigned()) {
      reader.Refuse("parts", "pairs of ETag and checksum");
      break;
    }
    token.parts.push_back({part[0].get<std::string>(), part[1].get<uint32_t>()});
  }
  if (reader.status().ok()) return token;
  return Error(
      ErrorKind::kDestination, "store.bad-token",
      fmt::format("not the token of an upload to S3: {}", reader.status().message()));
}

std::string Base64Crc(uint32_t crc32c) {
  return arrow::util::base64_encode(BigEndian(crc32c));
}

std::optional<uint32_t> CrcFromBase64(std::string_view text) {
  constexpr size_t kTextSize = 8;
  if (text.size() != kTextSize) return std::nullopt;
  const auto bytes = arrow::util::base64_decode(text);
  if (!bytes.ok()) return std::nullopt;
  uint32_t value = 0;
  for (const char c : *bytes) value = value << 8 | static_cast<unsigned char>(c);
  if (Base64Crc(value) != text) return std::nullopt;
  return value;
}

std::string CompositeCrc(const std::vector<S3Part>& parts) {
  std::string sums;
  for (const S3Part& part : parts) sums += BigEndian(part.crc32c);
  return fmt::format("{}-{}", Base64Crc(ExtendCrc32c(0, sums)), parts.size());
}

std::string CompleteDocument(const std::vector<S3Part>& parts) {
  std::string document =
      "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (size_t i = 0; i < parts.size(); ++i) {
    document += fmt::format(
        "<Part><PartNumber>{}</PartNumber><ETag>{}</ETag><ChecksumCRC32C>{}"
        "</ChecksumCRC32C></Part>",
        i + 1, XmlText(parts[i].etag), Base64Crc(parts[i].crc32c));
  }
  return document + "</CompleteMultipartUpload>";
}

}  // namespace sluice
