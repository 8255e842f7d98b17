#include "base/json_reader.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "arrow/util/base64.h"
#include "arrow/util/utf8.h"

namespace sluice {
namespace {

using nlohmann::json;

constexpr int64_t kExactInDouble = int64_t{1} << 53;
constexpr std::string_view kBase64Prefix = "base64:";

bool IsUtf8(std::string_view text) {
  static const bool ready = (arrow::util::InitializeUTF8(), true);
  return ready && arrow::util::ValidateUTF8(text);
}

const json& Nothing() {
  static const json nothing;
  return nothing;
}

const json& EmptyList() {
  static const json list = json::array();
  return list;
}

bool ReadInt(const json& member, int64_t* value) {
  if (member.is_number_unsigned() && member.get<uint64_t>() > INT64_MAX) return false;
  if (member.is_number_integer()) {
    *value = member.get<int64_t>();
    return true;
  }
  if (!member.is_string()) return false;
  const auto& text = member.get_ref<const std::string&>();
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return code == std::errc() && end == text.data() + text.size();
}

bool ReadBase64(std::string_view text, std::string* value) {
  auto decoded = arrow::util::base64_decode(text);
  if (!decoded.ok()) return false;
  *value = std::move(decoded).ValueUnsafe();
  return true;
}

bool ReadText(const json& member, std::string* value) {
  if (member.is_string()) {
    *value = member.get_ref<const std::string&>();
    return true;
  }
  if (!member.is_object() || member.size() != 1) return false;
  auto it = member.find("base64");
  return it != member.end() && it->is_string() &&
         ReadBase64(it->get_ref<const std::string&>(), value);
}

}  // namespace

Status MalformedJson(std::string_view what, std::string_view wanted) {
  return Error(ErrorKind::kSource, "json.malformed",
               std::string(what) + ": wanted " + std::string(wanted));
}

json JsonFromInt(int64_t value) {
  if (value >= -kExactInDouble && value <= kExactInDouble) return value;
  return std::to_string(value);
}

json JsonFromText(std::string_view text) {
  if (IsUtf8(text)) return std::string(text);
  return json{{"base64", arrow::util::base64_encode(text)}};
}

json JsonFromTexts(const std::vector<std::string>& texts) {
  json list = json::array();
  for (const auto& text : texts) list.push_back(JsonFromText(text));
  return list;
}

json JsonFromCounts(const std::map<std::string, int64_t>& counts) {
  json object = json::object();
  for (const auto& [name, count] : counts) {
    bool plain = IsUtf8(name) && !name.starts_with(kBase64Prefix);
    auto key =
        plain ? name : std::string(kBase64Prefix) + arrow::util::base64_encode(name);
    object[key] = JsonFromInt(count);
  }
  return object;
}

JsonReader::JsonReader(const json& json, std::string_view what)
    : json_(json), what_(what) {
  if (!json_.is_object()) Remember(MalformedJson(what_, "an object"));
}

void JsonReader::Remember(Status status) {
  if (status_.ok()) status_ = std::move(status);
}

void JsonReader::Refuse(const char* name, std::string_view wanted) {
  Remember(MalformedJson(what_, std::string(wanted) + " as member " + name));
}

bool JsonReader::Has(const char* name) const {
  if (!json_.is_object()) return false;
  auto it = json_.find(name);
  return it != json_.end() && !it->is_null();
}

const json& JsonReader::Member(const char* name) {
  if (json_.is_object()) {
    auto it = json_.find(name);
    if (it != json_.end()) return *it;
  }
  Refuse(name, "a value");
  return Nothing();
}

const json& JsonReader::List(const char* name) {
  const auto& member = Member(name);
  if (member.is_array()) return member;
  Refuse(name, "an array");
  return EmptyList();
}

int64_t JsonReader::Int(const char* name) {
  int64_t value = 0;
  if (!ReadInt(Member(name), &value)) {
    Refuse(name, "a 64-bit integer");
    return 0;
  }
  return value;
}

double JsonReader::Number(const char* name) {
  const auto& member = Member(name);
  if (member.is_number()) return member.get<double>();
  Refuse(name, "a number");
  return 0;
}

bool JsonReader::Flag(const char* name) {
  const auto& member = Member(name);
  if (member.is_boolean()) return member.get<bool>();
  Refuse(name, "true or false");
  return false;
}

std::string JsonReader::Text(const char* name) {
  std::string value;
  if (!ReadText(Member(name), &value)) {
    Refuse(name, "a string");
    return {};
  }
  return value;
}

std::vector<std::string> JsonReader::Texts(const char* name) {
  std::vector<std::string> texts;
  for (const auto& item : List(name)) {
    if (!ReadText(item, &texts.emplace_back())) {
      Refuse(name, "an array of strings");
      return {};
    }
  }
  return texts;
}

std::map<std::string, int64_t> JsonReader::Counts(const char* name) {
  std::map<std::string, int64_t> counts;
  const auto& member = Member(name);
  if (!member.is_object()) Refuse(name, "an object of integers");
  if (!member.is_object()) return counts;
  for (const auto& [key, value] : member.items()) {
    std::string decoded = key;
    int64_t count = 0;
    bool plain = !key.starts_with(kBase64Prefix);
    if (!ReadInt(value, &count) ||
        !(plain ||
          ReadBase64(std::string_view(key).substr(kBase64Prefix.size()), &decoded))) {
      Refuse(name, "an object of integers");
      return {};
    }
    counts[decoded] = count;
  }
  return counts;
}

}  // namespace sluice
