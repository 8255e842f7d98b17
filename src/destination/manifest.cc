#include "destination/manifest.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "arrow/type.h"
#include "base/json_reader.h"
#include "base/vocabulary_json.h"
#include "destination/layout.h"
#include "sluice/version.h"

namespace sluice {
namespace {

using nlohmann::json;

Status Incomplete(std::string message) {
  return Error(ErrorKind::kFailed, "load.incomplete", std::move(message));
}

Status CheckComplete(const LoadSpec& spec, const std::vector<ChunkReceipt>& published,
                     const ManifestFacts& facts) {
  std::map<int64_t, const ChunkReceipt*> by_ordinal;
  for (const auto& receipt : published) {
    if (receipt.load != spec.load) {
      return Incomplete(fmt::format("wanted receipts of load {}, found one of load {}",
                                    spec.load, receipt.load));
    }
    if (receipt.objects.size() != receipt.staged.size()) {
      return Incomplete(fmt::format("chunk {} has {} staged and {} published objects",
                                    receipt.ordinal, receipt.staged.size(),
                                    receipt.objects.size()));
    }
    if (!by_ordinal.emplace(receipt.ordinal, &receipt).second) {
      return Incomplete(fmt::format("two receipts for chunk {}", receipt.ordinal));
    }
  }
  for (const auto& chunk : facts.chunks) {
    if (by_ordinal.erase(chunk.ordinal) == 0) {
      return Incomplete(fmt::format("no published receipt for chunk {}", chunk.ordinal));
    }
  }
  if (by_ordinal.empty() && !facts.chunks.empty()) return Status::OK();
  return Incomplete(fmt::format("{} receipts for {} planned chunks", published.size(),
                                facts.chunks.size()));
}

json DigestToJson(const Digest& digest) {
  if (digest.kind == DigestKind::kNone) return nullptr;
  return {{"version", digest.version},
          {"hashed", JsonFromInt(digest.hashed)},
          {"high", ToString(digest.high)},
          {"low", ToString(digest.low)}};
}

json ChunkToJson(const Chunk& chunk, const ChunkReceipt& receipt) {
  json objects = json::array();
  for (const auto& object : receipt.objects) objects.push_back(JsonFromText(object.path));
  return {{"ordinal", JsonFromInt(chunk.ordinal)},
          {"after", ToJson(chunk.range.after)},
          {"upto", ToJson(chunk.range.upto)},
          {"rows", JsonFromInt(receipt.rows)},
          {"digest", DigestToJson(receipt.digest)},
          {"digest_kind", ToString(receipt.digest.kind)},
          {"position", JsonFromText(receipt.position)},
          {"attempt", receipt.attempt},
          {"objects", std::move(objects)}};
}

json PlanToJson(const LoadSpec& spec) {
  json plan = {{"source", JsonFromText(spec.source)},
               {"relation", ToJson(spec.relation)}};
  if (!spec.path.empty()) plan["path"] = JsonFromText(spec.path);
  return plan;
}

json ObjectToJson(const TableName& table, const ObjectRef& object, int64_t rows) {
  auto entry = ToJson(object);
  entry["table"] = JsonFromText(ToString(table));
  entry["rows"] = JsonFromInt(rows);
  return entry;
}

}  // namespace

Result<std::string> CommittedSlot(const LoadSpec& spec,
                                  const std::vector<ChunkReceipt>& published,
                                  const ManifestFacts& facts, int64_t size_max) {
  ARROW_RETURN_NOT_OK(CheckComplete(spec, published, facts));
  std::map<int64_t, const ChunkReceipt*> by_ordinal;
  for (const auto& receipt : published) by_ordinal[receipt.ordinal] = &receipt;
  json chunks = json::array();
  json objects = json::array();
  std::map<std::string, int64_t> coerced;
  int64_t rows = 0;
  int64_t bytes = 0;
  for (const auto& chunk : facts.chunks) {
    const auto& receipt = *by_ordinal[chunk.ordinal];
    chunks.push_back(ChunkToJson(chunk, receipt));
    for (size_t i = 0; i < receipt.objects.size(); ++i) {
      objects.push_back(
          ObjectToJson(spec.relation.name, receipt.objects[i], receipt.staged[i].rows));
      bytes += receipt.objects[i].size;
    }
    rows += receipt.rows;
    for (const auto& [column, count] : receipt.coerced) coerced[column] += count;
  }
  json slot = {
      {"sluice_manifest", kManifestVersion},
      {"outcome", "committed"},
      {"load", spec.load},
      {"job", JsonFromText(spec.job)},
      {"run", spec.run},
      {"stream", JsonFromText(spec.stream)},
      {"mode", spec.mode},
      {"schema", spec.schema == nullptr ? json::array() : SchemaForPeople(*spec.schema)},
      {"types", kTypesVersion},
      {"key", JsonFromTexts(spec.key)},
      {"sql", spec.relation.sql.empty() ? json() : JsonFromText(spec.relation.sql)},
      {"consistency",
       {{"kind", ToString(facts.consistency)},
        {"mixed", facts.mixed},
        {"positions", JsonFromTexts(facts.positions)}}},
      {"chunks", std::move(chunks)},
      {"objects", std::move(objects)},
      {"predicate", JsonFromText(facts.predicate)},
      {"clock", JsonFromInt(facts.clock_micros)},
      {"plan", PlanToJson(spec)},
      {"retract", json::array()},
      {"coerced", JsonFromCounts(coerced)},
      {"rows", JsonFromInt(rows)},
      {"bytes", JsonFromInt(bytes)},
      {"replaces", JsonFromTexts(facts.replaces)},
      {"cursor", nullptr},
      {"timings", facts.timings},
      {"version", kVersion}};
  auto text = DumpJsonPretty(slot) + "\n";
  if (static_cast<int64_t>(text.size()) > size_max) {
    return Error(
        ErrorKind::kResource, "manifest.too-large",
        fmt::format("wanted a manifest of at most {} bytes, found {} for {} chunks",
                    size_max, text.size(), facts.chunks.size()),
        "use a larger --file-size: fewer chunks make a shorter manifest");
  }
  return text;
}

std::string DiscardedSlot(std::string_view load) {
  return DumpJson({{"sluice_manifest", kManifestVersion},
                   {"outcome", "discarded"},
                   {"load", std::string(load)},
                   {"version", kVersion}}) +
         "\n";
}

std::string DroppedMark(std::string_view load) {
  return DumpJson({{"sluice_manifest", kManifestVersion},
                   {"dropped", true},
                   {"load", std::string(load)},
                   {"version", kVersion}}) +
         "\n";
}

namespace {

Status Malformed(const std::string& path, const std::string& why) {
  return Error(ErrorKind::kMismatch, "slot.malformed",
               fmt::format("{} is not a slot that sluice wrote: {}", path, why),
               "nothing was changed; find out who wrote it, and move it away");
}

/// The slot's JSON, of a version that is known.
Result<json> ParseKnown(const std::string& path, const std::string& bytes) {
  auto parsed = ParseJson(bytes, "the slot");
  if (!parsed.ok()) return Malformed(path, parsed.status().message());
  JsonReader reader(*parsed, "the slot");
  auto version = reader.Int("sluice_manifest");
  if (!reader.status().ok()) return Malformed(path, reader.status().message());
  if (version > kManifestVersion) {
    return Error(
        ErrorKind::kUsage, "slot.newer",
        fmt::format("wanted a slot of version {} or before, found version {}: {}",
                    kManifestVersion, version, path),
        "a newer sluice wrote it: use that one");
  }
  if (version < 1) return Malformed(path, fmt::format("version {}", version));
  return parsed;
}

}  // namespace

Result<Slot> ParseSlot(const std::string& path, std::string_view load,
                       std::string bytes) {
  ARROW_ASSIGN_OR_RAISE(auto parsed, ParseKnown(path, bytes));
  JsonReader reader(parsed, "the slot");
  auto outcome = reader.Text("outcome");
  auto found = reader.Text("load");
  if (!reader.status().ok()) return Malformed(path, reader.status().message());
  if (found != load)
    return Malformed(path, "wanted load " + std::string(load) + ", found " + found);
  Slot slot;
  slot.path = path;
  if (outcome == "discarded") {
    slot.outcome = Outcome::kDiscarded;
    return slot;
  }
  if (outcome != "committed")
    return Malformed(path, "wanted an outcome, found " + outcome);
  slot.outcome = Outcome::kCommitted;
  slot.json = std::move(bytes);
  return slot;
}

namespace {

struct KnownObject {
  ObjectRef ref;
  int64_t rows = 0;
};

/// Numbers from outside are added with care.
Status AddTo(int64_t* sum, int64_t value) {
  if (value >= 0 && !__builtin_add_overflow(*sum, value, sum)) return Status::OK();
  return MalformedJson("the manifest", "counts of 0 or more that add up");
}

Digest TakeDigest(JsonReader& chunk, int64_t rows) {
  Digest digest;
  digest.rows = rows;
  if (!chunk.Has("digest")) return digest;
  // The shape of the vocabulary's digest, with the members that the chunk has anyway.
  auto whole = chunk.Member("digest");
  if (!whole.is_object()) {
    chunk.Refuse("digest", "an object");
    return digest;
  }
  whole["rows"] = JsonFromInt(rows);
  whole["kind"] = chunk.Text("digest_kind");
  return chunk.Take("digest", DigestFromJson(whole));
}

Result<ChunkReceipt> ReceiptOf(const json& value, const Manifest& manifest,
                               std::map<std::string, KnownObject>* objects) {
  JsonReader reader(value, "chunk");
  ChunkReceipt receipt;
  receipt.load = manifest.spec.load;
  receipt.ordinal = reader.Int("ordinal");
  receipt.rows = reader.Int("rows");
  receipt.attempt = reader.Text("attempt");
  receipt.position = reader.Text("position");
  receipt.digest = TakeDigest(reader, receipt.rows);
  int64_t rows = 0;
  for (const auto& path : reader.Texts("objects")) {
    auto known = objects->find(path);
    if (known == objects->end())
      return MalformedJson("chunk", "objects of the list, once each");
    const auto& [ref, object_rows] = known->second;
    receipt.staged.push_back(
        {ref.path, receipt.attempt, "", ref.size, ref.crc32c, object_rows});
    receipt.objects.push_back(ref);
    ARROW_RETURN_NOT_OK(AddTo(&rows, object_rows));
    objects->erase(known);
  }
  ARROW_RETURN_NOT_OK(reader.status());
  if (rows != receipt.rows) return MalformedJson("chunk", "the rows of its objects");
  return receipt;
}

Result<std::map<std::string, KnownObject>> ObjectsOf(JsonReader& reader,
                                                     const Manifest& manifest) {
  ARROW_ASSIGN_OR_RAISE(const auto layout, LoadLayout::Of(manifest.spec));
  std::map<std::string, KnownObject> objects;
  for (const auto& value : reader.List("objects")) {
    ARROW_ASSIGN_OR_RAISE(auto ref, ObjectRefFromJson(value));
    JsonReader object(value, "object");
    int64_t rows = object.Int("rows");
    ARROW_RETURN_NOT_OK(object.status());
    // A path from outside never leads out of the load's own folder.
    if (!layout.IsPart(ref.path))
      return MalformedJson("object", "a path below " + layout.folder());
    if (rows < 0 || ref.size < 0)
      return MalformedJson("object", "rows and size of 0 or more");
    auto path = ref.path;
    if (!objects.emplace(path, KnownObject{std::move(ref), rows}).second) {
      return MalformedJson("objects", "each path once");
    }
  }
  ARROW_RETURN_NOT_OK(reader.status());
  return objects;
}

Status ReadConsistency(const json& value, ManifestFacts* facts) {
  JsonReader reader(value, "consistency");
  auto kind = reader.Text("kind");
  facts->mixed = reader.Has("mixed") && reader.Flag("mixed");
  facts->positions = reader.Texts("positions");
  ARROW_RETURN_NOT_OK(reader.status());
  for (auto known :
       {Consistency::kSnapshot, Consistency::kPerChunk, Consistency::kSnapshotStrict}) {
    if (kind == ToString(known)) {
      facts->consistency = known;
      return Status::OK();
    }
  }
  return MalformedJson("consistency", "a known kind");
}

Status ReadPlan(const json& plan, LoadSpec* spec) {
  JsonReader reader(plan, "plan");
  spec->source = reader.Text("source");
  if (reader.Has("path")) spec->path = reader.Text("path");
  spec->relation = reader.Take("relation", RelationFromJson(reader.Member("relation")));
  return reader.status();
}

Status ReadChunks(JsonReader& reader, Manifest* manifest) {
  ARROW_ASSIGN_OR_RAISE(auto objects, ObjectsOf(reader, *manifest));
  const auto& chunks = reader.List("chunks");
  for (const auto& value : chunks) {
    ARROW_ASSIGN_OR_RAISE(auto receipt, ReceiptOf(value, *manifest, &objects));
    auto bounds = value;
    bounds["last"] = manifest->receipts.size() + 1 == chunks.size();
    ARROW_ASSIGN_OR_RAISE(auto chunk, ChunkFromJson(bounds));
    if (chunk.ordinal != static_cast<int64_t>(manifest->receipts.size()) + 1) {
      return MalformedJson("chunks", "ordinals from 1 without a gap");
    }
    ARROW_RETURN_NOT_OK(AddTo(&manifest->rows, receipt.rows));
    for (const auto& object : receipt.objects) {
      ARROW_RETURN_NOT_OK(AddTo(&manifest->bytes, object.size));
    }
    manifest->facts.chunks.push_back(std::move(chunk));
    manifest->receipts.push_back(std::move(receipt));
  }
  if (!objects.empty())
    return MalformedJson("objects", "no object that belongs to no chunk");
  return Status::OK();
}

Status ReadInto(const json& parsed, Manifest* manifest) {
  JsonReader reader(parsed, "the manifest");
  auto& spec = manifest->spec;
  spec.load = reader.Text("load");
  spec.job = reader.Text("job");
  spec.run = reader.Text("run");
  spec.stream = reader.Text("stream");
  spec.mode = reader.Text("mode");
  spec.key = reader.Texts("key");
  manifest->version = reader.Text("version");
  manifest->facts.predicate = reader.Text("predicate");
  manifest->facts.clock_micros = reader.Int("clock");
  manifest->facts.replaces = reader.Texts("replaces");
  auto rows = reader.Int("rows");
  auto bytes = reader.Int("bytes");
  const auto& plan = reader.Member("plan");
  const auto& consistency = reader.Member("consistency");
  ARROW_RETURN_NOT_OK(reader.status());
  ARROW_RETURN_NOT_OK(ReadPlan(plan, &spec));
  ARROW_RETURN_NOT_OK(ReadConsistency(consistency, &manifest->facts));
  ARROW_RETURN_NOT_OK(ReadChunks(reader, manifest));
  ARROW_RETURN_NOT_OK(reader.status());
  if (rows != manifest->rows) return MalformedJson("rows", "the sum over its chunks");
  if (bytes != manifest->bytes) return MalformedJson("bytes", "the sum over its objects");
  return Status::OK();
}

}  // namespace

Result<Manifest> ReadManifest(const Slot& slot) {
  if (slot.outcome != Outcome::kCommitted) {
    return Error(
        ErrorKind::kUsage, "slot.not-committed",
        fmt::format("wanted the slot of a committed load, found one that is {}: {}",
                    slot.outcome == Outcome::kDiscarded ? "discarded" : "not decided",
                    slot.path));
  }
  Manifest manifest;
  manifest.path = slot.path;
  ARROW_ASSIGN_OR_RAISE(auto parsed, ParseKnown(slot.path, slot.json));
  auto read = ReadInto(parsed, &manifest);
  if (!read.ok()) return Malformed(slot.path, read.message());
  return manifest;
}

}  // namespace sluice
