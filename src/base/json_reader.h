/// \file
/// JSON from outside, taken apart without trust: numbers that keep 64 bits, text that
/// keeps bytes.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/error.h"

namespace sluice {

/// A number up to 2^53 in size, else a decimal string.
nlohmann::json JsonFromInt(int64_t value);
/// A string; {"base64": …} for bytes that are not UTF-8.
nlohmann::json JsonFromText(std::string_view text);
/// Object of numbers; a name that is not UTF-8, or begins with "base64:", goes as
/// "base64:…".
nlohmann::json JsonFromCounts(const std::map<std::string, int64_t>& counts);
nlohmann::json JsonFromTexts(const std::vector<std::string>& texts);

/// Takes the members of one object. The first wrong one is remembered, later calls return
/// empty values: read everything, then ask status(). The JSON outlives the reader.
class JsonReader {
 public:
  /// `what` names the object in messages: "chunk receipt".
  JsonReader(const nlohmann::json& json, std::string_view what);

  bool Has(const char* name) const;  ///< present and not null
  int64_t Int(const char* name);     ///< as JsonFromInt writes it
  double Number(const char* name);
  bool Flag(const char* name);
  std::string Text(const char* name);
  std::vector<std::string> Texts(const char* name);
  std::map<std::string, int64_t> Counts(const char* name);
  const nlohmann::json& Member(const char* name);  ///< of any type
  const nlohmann::json& List(const char* name);    ///< an array

  /// The value of `result`, which came from the member `name`.
  template <typename T>
  T Take(const char* name, Result<T> result) {
    if (result.ok()) return std::move(result).ValueUnsafe();
    Remember(InContext(result.status(), name));
    return T{};
  }
  /// Remembers that `name` is not `wanted`.
  void Refuse(const char* name, std::string_view wanted);
  const Status& status() const { return status_; }

 private:
  void Remember(Status status);
  const nlohmann::json& json_;
  std::string what_;
  Status status_;
};

/// kSource "json.malformed".
Status MalformedJson(std::string_view what, std::string_view wanted);

}  // namespace sluice
