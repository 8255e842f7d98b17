/// \file
/// The vocabulary of include/sluice as JSON: for the state, for slots, across processes. Integers
/// beyond 2^53 and digest sums are strings; keys are {"type","text"} or {"type","base64"}.
/// From… functions return kSource "json.malformed" naming the member that is wrong.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "sluice/error.h"
#include "sluice/receipt.h"
#include "sluice/state_store.h"

namespace sluice {

/// Types of key scalars: int64, double, utf8, binary. Text that is not UTF-8 goes as base64.
nlohmann::json ToJson(const Key& key);
nlohmann::json ToJson(const std::optional<Key>& key);  ///< null when absent
nlohmann::json ToJson(const Relation& relation);
nlohmann::json ToJson(const TableInfo& table);
nlohmann::json ToJson(const Chunk& chunk);
nlohmann::json ToJson(const Digest& digest);
nlohmann::json ToJson(const StagedObject& object);
nlohmann::json ToJson(const ObjectRef& object);
nlohmann::json ToJson(const ChunkReceipt& receipt);
nlohmann::json ToJson(const LoadSpec& spec);
nlohmann::json ToJson(const ProbeVerdict& verdict);
/// Field by field, for people and manifests: name, type, nullable, metadata.
nlohmann::json SchemaForPeople(const arrow::Schema& schema);

Result<Key> KeyFromJson(const nlohmann::json& json);
Result<std::optional<Key>> OptionalKeyFromJson(const nlohmann::json& json);
Result<Relation> RelationFromJson(const nlohmann::json& json);
Result<TableInfo> TableInfoFromJson(const nlohmann::json& json);
Result<Chunk> ChunkFromJson(const nlohmann::json& json);
Result<Digest> DigestFromJson(const nlohmann::json& json);
Result<ObjectRef> ObjectRefFromJson(const nlohmann::json& json);
Result<ChunkReceipt> ReceiptFromJson(const nlohmann::json& json);
Result<LoadSpec> LoadSpecFromJson(const nlohmann::json& json);
Result<ProbeVerdict> ProbeVerdictFromJson(const nlohmann::json& json);

/// Parses text that came from outside; kSource "json.malformed" with `what` in the message.
Result<nlohmann::json> ParseJson(std::string_view text, std::string_view what);
/// Compact, invalid UTF-8 replaced.
std::string DumpJson(const nlohmann::json& json);
std::string DumpJsonPretty(const nlohmann::json& json);

const char* ToString(DigestKind kind);
const char* ToString(Consistency consistency);
const char* ToString(OnTypeMismatch policy);
Result<OnTypeMismatch> OnTypeMismatchFrom(std::string_view word);

}  // namespace sluice
