#include "cli/describe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/column_notes.h"
#include "app/quantity.h"
#include "arrow/type.h"
#include "arrow/util/key_value_metadata.h"
#include "base/redact.h"
#include "cli/console.h"

namespace sluice::cli {
namespace {

constexpr char kKeyNoteKey[] = "sluice.key_note";  // of the schema

/// Few words of what a reader might not expect, in brackets.
std::string NoteText(const TableInfo& table, const arrow::Field& field) {
  const auto notes = NotesOf(table.relation, field);
  return notes.empty() ? "" : fmt::format("({})", fmt::join(notes, "; "));
}

bool IsKey(const TableInfo& table, const std::string& column) {
  return std::find(table.key.begin(), table.key.end(), column) != table.key.end();
}

}  // namespace

nlohmann::ordered_json ColumnsJson(const TableInfo& table) {
  auto columns = nlohmann::ordered_json::array();
  for (const auto& field : table.schema->fields()) {
    columns.push_back({{"name", field->name()},
                       {"source_type", SourceTypeOf(*field)},
                       {"type", field->type()->ToString()},
                       {"nullable", field->nullable()},
                       {"key", IsKey(table, field->name())},
                       {"notes", NotesOf(table.relation, *field)}});
  }
  return columns;
}

std::string ColumnLines(const TableInfo& table, std::string_view indent) {
  TextTable lines("lllll");
  for (const auto& field : table.schema->fields()) {
    const std::string source_type = SourceTypeOf(*field);
    lines.Add({Printable(field->name()),
               source_type.empty() ? "(no type)" : Printable(source_type),
               "-> " + field->type()->ToString() + (field->nullable() ? "" : " not null"),
               IsKey(table, field->name()) ? "key" : "",
               Printable(NoteText(table, *field))});
  }
  return lines.ToString(indent);
}

std::string KeyLine(const TableInfo& table) {
  if (table.key.empty()) {
    const auto& metadata = table.schema->metadata();
    const std::string note =
        metadata == nullptr ? "" : metadata->Get(kKeyNoteKey).ValueOr("");
    return "none, so one chunk" +
           (note.empty() ? "" : fmt::format(" ({})", Printable(note)));
  }
  std::string line;
  for (const std::string& column : table.key)
    line += fmt::format("{}{}", line.empty() ? "" : ", ", Printable(column));
  return line;
}

nlohmann::ordered_json ErrorJson(const Status& status) {
  if (status.ok()) return nullptr;
  return {{"id", std::string(IdOf(status))},
          {"message", Redact(status.message())},
          {"hint", Redact(HintOf(status))}};
}

nlohmann::ordered_json FindingJson(const Finding& finding) {
  return {{"name", finding.name},
          {"level", WordOf(finding.level)},
          {"detail", Redact(finding.detail)},
          {"hint", Redact(finding.hint)},
          {"error", ErrorJson(finding.status)}};
}

const char* WordOf(Level level) {
  switch (level) {
    case Level::kOk: return "ok";
    case Level::kUnknown: return "unknown";
    case Level::kWarning: return "warning";
    case Level::kFailed: return "failed";
  }
  return "unknown";
}

nlohmann::ordered_json ProbeJson(const ProbeVerdict& verdict) {
  return {{"create_only", verdict.create_only},
          {"atomic", verdict.atomic},
          {"durable", verdict.durable},
          {"detail", verdict.detail}};
}

ChunkCounts CountChunks(const LoadState& load) {
  ChunkCounts counts;
  counts.planned = static_cast<int64_t>(load.chunks.size());
  counts.all_planned = !load.chunks.empty() && load.chunks.back().chunk.last;
  for (const ChunkState& chunk : load.chunks) {
    if (!chunk.staged) continue;
    ++counts.staged;
    counts.rows += chunk.staged->rows;
  }
  return counts;
}

std::string ProgressOf(const LoadState& load) {
  const ChunkCounts counts = CountChunks(load);
  const std::string rows = FormatCount(counts.rows) + " rows";
  if (counts.all_planned && counts.staged == counts.planned) {
    return fmt::format("{} in {}", rows, Counted(counts.planned, "chunk"));
  }
  const std::string chunks = counts.all_planned
                                 ? fmt::format("{} of {}", FormatCount(counts.staged),
                                               Counted(counts.planned, "chunk"))
                                 : Counted(counts.staged, "chunk");
  return fmt::format("{} in {} staged", rows, chunks);
}

}  // namespace sluice::cli
