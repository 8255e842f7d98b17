#include "driver/aws_signature.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <time.h>

#include <algorithm>

#include "base/sha256.h"

namespace sluice::aws {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         c == '-' || c == '_' || c == '.' || c == '~';
}

std::string Hmac(std::string_view key, std::string_view text) {
  std::string mac(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(mac.data()), &size);
  mac.resize(size);
  return mac;
}

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

/// Without blanks at the ends, runs of blanks as one.
std::string Collapsed(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool blank = c == ' ' || c == '\t';
    if (!blank) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != ' ') {
      out.push_back(' ');
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string CanonicalQuery(const Query& query) {
  // By encoded name, then value: "a" comes before "a-b", although "a=" would not.
  Query encoded;
  for (const auto& [name, value] : query) {
    encoded.emplace_back(UriEncode(name, Slash::kEncode),
                         UriEncode(value, Slash::kEncode));
  }
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [name, value] : encoded)
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
  return out;
}

}  // namespace

std::string UriEncode(std::string_view text, Slash slash) {
  std::string out;
  for (const char c : text) {
    if (IsUnreserved(c) || (c == '/' && slash == Slash::kKeep)) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string AmzDate(int64_t micros) {
  const std::time_t seconds = micros / 1'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                     parts.tm_sec);
}

int64_t MicrosOfHttpDate(std::string_view text) {
  std::tm parts{};
  const std::string date(text);
  const char* rest = strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S", &parts);
  return rest == nullptr ? 0 : int64_t{timegm(&parts)} * 1'000'000;
}

int64_t MicrosOfIsoTime(std::string_view text) {
  std::tm parts{};
  const std::string date(text);
  const char* rest = strptime(date.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return 0;
  int64_t micros = int64_t{timegm(&parts)} * 1'000'000;
  if (*rest != '.') return micros;
  int64_t scale = 100'000;
  for (++rest; *rest >= '0' && *rest <= '9'; ++rest, scale /= 10)
    micros += (*rest - '0') * scale;
  return micros;
}

Signed Sign(const Unsigned& request, const Credentials& credentials, const Scope& scope) {
  const std::string path = UriEncode(request.path, Slash::kKeep);
  const std::string query = CanonicalQuery(request.query);
  Signed out;
  out.url = fmt::format("{}://{}{}{}{}", request.scheme, request.host, path,
                        query.empty() ? "" : "?", query);
  out.headers = request.headers;
  out.headers.push_back({"host", request.host});
  if (credentials.anonymous()) return out;

  const std::string now = AmzDate(scope.now_micros);
  const std::string day = now.substr(0, 8);
  out.headers.push_back({"x-amz-date", now});
  out.headers.push_back({"x-amz-content-sha256", request.payload_hash});
  if (!credentials.session_token.empty())
    out.headers.push_back({"x-amz-security-token", credentials.session_token});
  std::sort(out.headers.begin(), out.headers.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  std::string lines, names;
  for (const http::Header& header : out.headers) {
    lines += header.name + ":" + Collapsed(header.value) + "\n";
    names += (names.empty() ? "" : ";") + header.name;
  }
  const std::string canonical =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, path, query, lines, names,
                  request.payload_hash);
  const std::string reach =
      fmt::format("{}/{}/{}/aws4_request", day, scope.region, scope.service);
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}", kAlgorithm, now, reach, Sha256Hex(canonical));
  const std::string key = Hmac(
      Hmac(Hmac(Hmac("AWS4" + credentials.secret_key, day), scope.region), scope.service),
      "aws4_request");
  out.headers.push_back(
      {"authorization",
       fmt::format("{} Credential={}/{},SignedHeaders={},Signature={}", kAlgorithm,
                   credentials.access_key, reach, names, Hex(Hmac(key, to_sign)))});
  return out;
}

}  // namespace sluice::aws
