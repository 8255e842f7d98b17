#include "base/vocabulary_json.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "arrow/buffer.h"
#include "arrow/io/memory.h"
#include "arrow/ipc/dictionary.h"
#include "arrow/ipc/reader.h"
#include "arrow/ipc/writer.h"
#include "arrow/scalar.h"
#include "arrow/type.h"
#include "arrow/util/base64.h"
#include "arrow/util/key_value_metadata.h"
#include "base/json_reader.h"

namespace sluice {
namespace {

using nlohmann::json;

std::string_view BytesOf(const arrow::Scalar& scalar) {
  return static_cast<const arrow::BaseBinaryScalar&>(scalar).view();
}

json ScalarToJson(const arrow::Scalar& scalar) {
  json value = {{"type", scalar.type->ToString()}};
  if (!scalar.is_valid) return value;
  char text[32];
  switch (scalar.type->id()) {
    case arrow::Type::INT64:
      value["type"] = "int64";
      value["text"] =
          std::to_string(static_cast<const arrow::Int64Scalar&>(scalar).value);
      break;
    case arrow::Type::DOUBLE: {
      // The shortest text that reads back as the same double.
      double number = static_cast<const arrow::DoubleScalar&>(scalar).value;
      value["text"] =
          std::string(text, std::to_chars(text, text + sizeof text, number).ptr);
      value["type"] = "double";
      break;
    }
    case arrow::Type::STRING: {
      value["type"] = "utf8";
      auto encoded = JsonFromText(BytesOf(scalar));
      if (encoded.is_string()) {
        value["text"] = std::move(encoded);
      } else {
        value["base64"] = encoded["base64"];
      }
      break;
    }
    case arrow::Type::BINARY:
      value["type"] = "binary";
      value["base64"] = arrow::util::base64_encode(BytesOf(scalar));
      break;
    default:
      break;  // Without text or base64 it is refused when read: a key of this type has no
              // form.
  }
  return value;
}

template <typename T>
bool ReadAll(const std::string& text, T* value) {
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return code == std::errc() && end == text.data() + text.size();
}

Result<std::shared_ptr<arrow::Scalar>> ScalarFromJson(const json& value) {
  JsonReader reader(value, "key value");
  auto type = reader.Text("type");
  std::string bytes;
  if (reader.Has("base64")) {
    auto decoded = arrow::util::base64_decode(reader.Text("base64"));
    if (!decoded.ok()) reader.Refuse("base64", "base64");
    bytes = std::move(decoded).ValueOr("");
  } else {
    bytes = reader.Text("text");
  }
  ARROW_RETURN_NOT_OK(reader.status());
  if (type == "utf8") return std::make_shared<arrow::StringScalar>(std::move(bytes));
  if (type == "binary") {
    return std::make_shared<arrow::BinaryScalar>(
        arrow::Buffer::FromString(std::move(bytes)));
  }
  int64_t integer = 0;
  if (type == "int64" && ReadAll(bytes, &integer)) {
    return std::make_shared<arrow::Int64Scalar>(integer);
  }
  double number = 0;
  if (type == "double" && ReadAll(bytes, &number)) {
    return std::make_shared<arrow::DoubleScalar>(number);
  }
  return MalformedJson("key value", "int64, double, utf8 or binary with a text of it");
}

json SumToJson(const Sum128& sum) { return ToString(sum); }

bool ReadSum(const std::string& text, Sum128* sum) {
  if (text.empty() || text.size() > 39) return false;
  unsigned __int128 value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    unsigned __int128 next = 0;
    if (__builtin_mul_overflow(value, static_cast<unsigned __int128>(10), &next) ||
        __builtin_add_overflow(next, static_cast<unsigned __int128>(c - '0'), &value)) {
      return false;
    }
  }
  *sum = {static_cast<uint64_t>(value >> 64), static_cast<uint64_t>(value)};
  return true;
}

Sum128 TakeSum(JsonReader& reader, const char* name) {
  Sum128 sum;
  if (!ReadSum(reader.Text(name), &sum)) reader.Refuse(name, "a decimal sum below 2^128");
  return sum;
}

/// Null without a schema. Arrow's own message, so that field metadata survive to the
/// byte.
json SchemaToJson(const std::shared_ptr<arrow::Schema>& schema) {
  if (schema == nullptr) return nullptr;
  auto message = arrow::ipc::SerializeSchema(*schema);
  if (!message.ok()) return "unserializable: " + message.status().message();
  return arrow::util::base64_encode(std::string_view(**message));
}

Result<std::shared_ptr<arrow::Schema>> SchemaFromText(const std::string& text) {
  ARROW_ASSIGN_OR_RAISE(auto bytes, arrow::util::base64_decode(text));
  arrow::io::BufferReader stream(arrow::Buffer::FromString(std::move(bytes)));
  arrow::ipc::DictionaryMemo memo;
  return arrow::ipc::ReadSchema(&stream, &memo);
}

std::shared_ptr<arrow::Schema> TakeSchema(JsonReader& reader) {
  if (!reader.Has("schema")) return nullptr;
  auto schema = SchemaFromText(reader.Text("schema"));
  if (schema.ok()) return *schema;
  reader.Refuse("schema", "an Arrow schema message in base64");
  return nullptr;
}

/// Names and words of policies, types and columns come from files in UTF-8.
json PoliciesToJson(const Policies& policies) {
  json object = json::object();
  for (const auto& [name, word] : policies) object[name] = word;
  return object;
}

Result<Policies> PoliciesFromJson(const json& object) {
  Policies policies;
  if (object.is_null()) return policies;
  if (!object.is_object()) return MalformedJson("policies", "an object of words");
  JsonReader reader(object, "policies");
  for (const auto& [name, word] : object.items())
    policies[name] = reader.Text(name.c_str());
  ARROW_RETURN_NOT_OK(reader.status());
  return policies;
}

json PoliciesToJson(const std::map<std::string, Policies>& policies) {
  json object = json::object();
  for (const auto& [of, words] : policies) object[of] = PoliciesToJson(words);
  return object;
}

Result<std::map<std::string, Policies>> PoliciesByNameFromJson(const json& object) {
  std::map<std::string, Policies> policies;
  if (object.is_null()) return policies;
  if (!object.is_object()) return MalformedJson("policies", "an object by name");
  for (const auto& [of, words] : object.items()) {
    ARROW_ASSIGN_OR_RAISE(policies[of], PoliciesFromJson(words));
  }
  return policies;
}

/// crc32c is 32 bits wide; anything else is not a checksum.
uint32_t TakeCrc(JsonReader& reader) {
  int64_t crc = reader.Int("crc32c");
  if (crc < 0 || crc > UINT32_MAX) reader.Refuse("crc32c", "a 32-bit checksum");
  return static_cast<uint32_t>(crc);
}

Result<StagedObject> StagedObjectFromJson(const json& value) {
  JsonReader reader(value, "staged object");
  StagedObject object;
  object.path = reader.Text("path");
  object.attempt = reader.Text("attempt");
  object.token = reader.Text("token");
  object.size = reader.Int("size");
  object.crc32c = TakeCrc(reader);
  object.rows = reader.Int("rows");
  ARROW_RETURN_NOT_OK(reader.status());
  return object;
}

Result<ChunkCost> CostFromJson(const json& value) {
  JsonReader reader(value, "cost");
  ChunkCost cost;
  cost.rows = reader.Int("rows");
  cost.source_bytes = reader.Int("source_bytes");
  cost.encoded_bytes = reader.Int("encoded_bytes");
  cost.seconds = reader.Number("seconds");
  ARROW_RETURN_NOT_OK(reader.status());
  return cost;
}

Result<DigestKind> DigestKindFrom(std::string_view word) {
  for (auto kind : {DigestKind::kNone, DigestKind::kClient, DigestKind::kServer}) {
    if (word == ToString(kind)) return kind;
  }
  return MalformedJson("digest", "kind none, client or server");
}

json ListToJson(const auto& items) {
  json list = json::array();
  for (const auto& item : items) list.push_back(ToJson(item));
  return list;
}

}  // namespace

json ToJson(const Key& key) {
  json list = json::array();
  for (const auto& scalar : key) list.push_back(ScalarToJson(*scalar));
  return list;
}

json ToJson(const std::optional<Key>& key) { return key ? ToJson(*key) : json(nullptr); }

json ToJson(const Relation& relation) {
  json object = {{"schema", JsonFromText(relation.name.schema)},
                 {"table", JsonFromText(relation.name.table)},
                 {"columns", JsonFromTexts(relation.columns)},
                 {"where", JsonFromText(relation.where)},
                 {"on_type_mismatch", ToString(relation.on_type_mismatch)}};
  if (!relation.sql.empty()) object["sql"] = JsonFromText(relation.sql);
  if (!relation.policies.empty()) object["policies"] = PoliciesToJson(relation.policies);
  if (!relation.type_policies.empty())
    object["type_policies"] = PoliciesToJson(relation.type_policies);
  if (!relation.column_policies.empty())
    object["column_policies"] = PoliciesToJson(relation.column_policies);
  return object;
}

json ToJson(const TableInfo& table) {
  return {{"relation", ToJson(table.relation)},
          {"schema", SchemaToJson(table.schema)},
          {"fingerprint", JsonFromText(table.fingerprint)},
          {"key", JsonFromTexts(table.key)},
          {"key_is_integer", table.key_is_integer},
          {"estimated_rows", JsonFromInt(table.estimated_rows)},
          {"estimated_bytes", JsonFromInt(table.estimated_bytes)},
          {"detail", JsonFromText(table.detail)}};
}

json ToJson(const Chunk& chunk) {
  return {{"ordinal", JsonFromInt(chunk.ordinal)},
          {"after", ToJson(chunk.range.after)},
          {"upto", ToJson(chunk.range.upto)},
          {"last", chunk.last}};
}

json ToJson(const Digest& digest) {
  return {{"rows", JsonFromInt(digest.rows)}, {"hashed", JsonFromInt(digest.hashed)},
          {"high", SumToJson(digest.high)},   {"low", SumToJson(digest.low)},
          {"version", digest.version},        {"kind", ToString(digest.kind)}};
}

json ToJson(const StagedObject& object) {
  return {{"path", JsonFromText(object.path)},
          {"attempt", object.attempt},
          {"token", JsonFromText(object.token)},
          {"size", JsonFromInt(object.size)},
          {"crc32c", object.crc32c},
          {"rows", JsonFromInt(object.rows)}};
}

json ToJson(const ObjectRef& object) {
  return {{"path", JsonFromText(object.path)},
          {"version_id", JsonFromText(object.version_id)},
          {"size", JsonFromInt(object.size)},
          {"crc32c", object.crc32c}};
}

json ToJson(const ChunkReceipt& receipt) {
  return {{"load", receipt.load},
          {"ordinal", JsonFromInt(receipt.ordinal)},
          {"attempt", receipt.attempt},
          {"rows", JsonFromInt(receipt.rows)},
          {"digest", ToJson(receipt.digest)},
          {"cost",
           {{"rows", JsonFromInt(receipt.cost.rows)},
            {"source_bytes", JsonFromInt(receipt.cost.source_bytes)},
            {"encoded_bytes", JsonFromInt(receipt.cost.encoded_bytes)},
            {"seconds", receipt.cost.seconds}}},
          {"position", JsonFromText(receipt.position)},
          {"coerced", JsonFromCounts(receipt.coerced)},
          {"staged", ListToJson(receipt.staged)},
          {"objects", ListToJson(receipt.objects)}};
}

json ToJson(const LoadSpec& spec) {
  return {{"load", spec.load},
          {"job", JsonFromText(spec.job)},
          {"run", spec.run},
          {"stream", JsonFromText(spec.stream)},
          {"epoch", JsonFromInt(spec.epoch)},
          {"mode", spec.mode},
          {"relation", ToJson(spec.relation)},
          {"key", JsonFromTexts(spec.key)},
          {"schema", SchemaToJson(spec.schema)},
          {"source", JsonFromText(spec.source)},
          {"compression", spec.compression},
          {"compression_level", spec.compression_level},
          {"file_size", JsonFromInt(spec.file_size)},
          {"attempt_names", spec.attempt_names},
          {"path", JsonFromText(spec.path)}};
}

json ToJson(const ProbeVerdict& verdict) {
  return {{"create_only", verdict.create_only},
          {"atomic", verdict.atomic},
          {"durable", verdict.durable},
          {"detail", JsonFromText(verdict.detail)}};
}

json SchemaForPeople(const arrow::Schema& schema) {
  json fields = json::array();
  for (const auto& field : schema.fields()) {
    json entry = {{"name", JsonFromText(field->name())},
                  {"type", field->type()->ToString()},
                  {"nullable", field->nullable()}};
    if (field->HasMetadata()) {
      json metadata = json::object();
      for (const auto& [name, value] : field->metadata()->sorted_pairs()) {
        metadata[name] = JsonFromText(value);
      }
      entry["metadata"] = std::move(metadata);
    }
    fields.push_back(std::move(entry));
  }
  return fields;
}

Result<Key> KeyFromJson(const json& value) {
  if (!value.is_array() || value.empty())
    return MalformedJson("key", "an array of values");
  Key key;
  for (const auto& item : value) {
    ARROW_ASSIGN_OR_RAISE(auto scalar, ScalarFromJson(item));
    key.push_back(std::move(scalar));
  }
  return key;
}

Result<std::optional<Key>> OptionalKeyFromJson(const json& value) {
  if (value.is_null()) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(auto key, KeyFromJson(value));
  return key;
}

Result<Relation> RelationFromJson(const json& value) {
  JsonReader reader(value, "relation");
  Relation relation;
  relation.name = {reader.Text("schema"), reader.Text("table")};
  relation.columns = reader.Texts("columns");
  relation.where = reader.Text("where");
  auto policy = OnTypeMismatchFrom(reader.Text("on_type_mismatch"));
  if (!policy.ok()) reader.Refuse("on_type_mismatch", "error, null or string");
  relation.on_type_mismatch = policy.ValueOr(OnTypeMismatch::kError);
  if (reader.Has("sql")) relation.sql = reader.Text("sql");
  const auto words = [&reader](const char* name) -> const json& {
    static const json none;
    return reader.Has(name) ? reader.Member(name) : none;
  };
  relation.policies = reader.Take("policies", PoliciesFromJson(words("policies")));
  relation.type_policies =
      reader.Take("type_policies", PoliciesByNameFromJson(words("type_policies")));
  relation.column_policies =
      reader.Take("column_policies", PoliciesByNameFromJson(words("column_policies")));
  ARROW_RETURN_NOT_OK(reader.status());
  return relation;
}

Result<TableInfo> TableInfoFromJson(const json& value) {
  JsonReader reader(value, "table");
  TableInfo table;
  table.relation = reader.Take("relation", RelationFromJson(reader.Member("relation")));
  table.schema = TakeSchema(reader);
  table.fingerprint = reader.Text("fingerprint");
  table.key = reader.Texts("key");
  table.key_is_integer = reader.Flag("key_is_integer");
  table.estimated_rows = reader.Int("estimated_rows");
  table.estimated_bytes = reader.Int("estimated_bytes");
  table.detail = reader.Text("detail");
  ARROW_RETURN_NOT_OK(reader.status());
  return table;
}

Result<Chunk> ChunkFromJson(const json& value) {
  JsonReader reader(value, "chunk");
  Chunk chunk;
  chunk.ordinal = reader.Int("ordinal");
  chunk.range.after = reader.Take("after", OptionalKeyFromJson(reader.Member("after")));
  chunk.range.upto = reader.Take("upto", OptionalKeyFromJson(reader.Member("upto")));
  chunk.last = reader.Flag("last");
  ARROW_RETURN_NOT_OK(reader.status());
  return chunk;
}

Result<Digest> DigestFromJson(const json& value) {
  JsonReader reader(value, "digest");
  Digest digest;
  digest.rows = reader.Int("rows");
  digest.hashed = reader.Int("hashed");
  digest.high = TakeSum(reader, "high");
  digest.low = TakeSum(reader, "low");
  digest.version = static_cast<int>(reader.Int("version"));
  digest.kind = reader.Take("kind", DigestKindFrom(reader.Text("kind")));
  ARROW_RETURN_NOT_OK(reader.status());
  return digest;
}

Result<ObjectRef> ObjectRefFromJson(const json& value) {
  JsonReader reader(value, "object");
  ObjectRef object;
  object.path = reader.Text("path");
  object.version_id = reader.Text("version_id");
  object.size = reader.Int("size");
  object.crc32c = TakeCrc(reader);
  ARROW_RETURN_NOT_OK(reader.status());
  return object;
}

Result<ChunkReceipt> ReceiptFromJson(const json& value) {
  JsonReader reader(value, "chunk receipt");
  ChunkReceipt receipt;
  receipt.load = reader.Text("load");
  receipt.ordinal = reader.Int("ordinal");
  receipt.attempt = reader.Text("attempt");
  receipt.rows = reader.Int("rows");
  receipt.digest = reader.Take("digest", DigestFromJson(reader.Member("digest")));
  receipt.cost = reader.Take("cost", CostFromJson(reader.Member("cost")));
  receipt.position = reader.Text("position");
  receipt.coerced = reader.Counts("coerced");
  for (const auto& item : reader.List("staged")) {
    receipt.staged.push_back(reader.Take("staged", StagedObjectFromJson(item)));
  }
  for (const auto& item : reader.List("objects")) {
    receipt.objects.push_back(reader.Take("objects", ObjectRefFromJson(item)));
  }
  ARROW_RETURN_NOT_OK(reader.status());
  return receipt;
}

Result<LoadSpec> LoadSpecFromJson(const json& value) {
  JsonReader reader(value, "load");
  LoadSpec spec;
  spec.load = reader.Text("load");
  spec.job = reader.Text("job");
  spec.run = reader.Text("run");
  spec.stream = reader.Text("stream");
  spec.epoch = reader.Int("epoch");
  spec.mode = reader.Text("mode");
  spec.relation = reader.Take("relation", RelationFromJson(reader.Member("relation")));
  spec.key = reader.Texts("key");
  spec.schema = TakeSchema(reader);
  spec.source = reader.Text("source");
  spec.compression = reader.Text("compression");
  spec.compression_level = static_cast<int>(reader.Int("compression_level"));
  spec.file_size = reader.Int("file_size");
  spec.attempt_names = reader.Flag("attempt_names");
  if (reader.Has("path")) spec.path = reader.Text("path");
  ARROW_RETURN_NOT_OK(reader.status());
  return spec;
}

Result<ProbeVerdict> ProbeVerdictFromJson(const json& value) {
  JsonReader reader(value, "probe verdict");
  ProbeVerdict verdict;
  verdict.create_only = reader.Flag("create_only");
  verdict.atomic = reader.Flag("atomic");
  verdict.durable = reader.Flag("durable");
  verdict.detail = reader.Text("detail");
  ARROW_RETURN_NOT_OK(reader.status());
  return verdict;
}

Result<json> ParseJson(std::string_view text, std::string_view what) {
  auto value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return MalformedJson(what, "JSON");
  return value;
}

std::string DumpJson(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string DumpJsonPretty(const json& value) {
  return value.dump(2, ' ', false, json::error_handler_t::replace);
}

const char* ToString(DigestKind kind) {
  switch (kind) {
    case DigestKind::kNone: return "none";
    case DigestKind::kClient: return "client";
    case DigestKind::kServer: return "server";
  }
  return "unknown";
}

const char* ToString(Consistency consistency) {
  switch (consistency) {
    case Consistency::kSnapshot: return "snapshot";
    case Consistency::kPerChunk: return "per-chunk";
    case Consistency::kSnapshotStrict: return "snapshot-strict";
  }
  return "unknown";
}

const char* ToString(OnTypeMismatch policy) {
  switch (policy) {
    case OnTypeMismatch::kError: return "error";
    case OnTypeMismatch::kNull: return "null";
    case OnTypeMismatch::kString: return "string";
  }
  return "unknown";
}

Result<OnTypeMismatch> OnTypeMismatchFrom(std::string_view word) {
  for (auto policy :
       {OnTypeMismatch::kError, OnTypeMismatch::kNull, OnTypeMismatch::kString}) {
    if (word == ToString(policy)) return policy;
  }
  return Error(ErrorKind::kUsage, "option.on-type-mismatch",
               "wanted error, null or string, found " + std::string(word));
}

}  // namespace sluice
