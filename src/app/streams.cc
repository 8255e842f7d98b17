#include "app/streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/nearest.h"

namespace sluice {
namespace {

bool IsGlob(std::string_view pattern) {
  return pattern.find_first_of("*?") != std::string_view::npos;
}

Status About(const StreamEntry& entry, const std::string& job_file, std::string_view id,
             std::string message, std::string hint = {}) {
  if (!job_file.empty())
    return ErrorAt(job_file, entry.place, id, message, std::move(hint));
  return Error(ErrorKind::kUsage, id, std::move(message), std::move(hint));
}

const TableName* FindExact(const std::vector<TableName>& tables, std::string_view name) {
  for (const TableName& table : tables) {
    if (table.table == name) return &table;
  }
  const std::vector<std::string> parts = SplitTableName(name);
  for (const TableName& table : tables) {
    if (parts.size() == 1 && table.table == parts[0]) return &table;
    if (parts.size() == 2 && table.schema == parts[0] && table.table == parts[1])
      return &table;
  }
  return nullptr;
}

std::vector<std::string> NamesOf(const std::vector<TableName>& tables) {
  std::vector<std::string> names;
  names.reserve(tables.size());
  for (const TableName& table : tables) names.push_back(table.table);
  return names;
}

class Chooser {
 public:
  Chooser(const std::string& job_file, std::vector<TableName> base,
          std::vector<TableName> all, Session& session)
      : job_file_(job_file),
        base_(std::move(base)),
        all_(std::move(all)),
        session_(session) {}

  Status TakeExact(const StreamEntry& entry, bool* taken) {
    const TableName* table = FindExact(all_, entry.pattern);
    *taken = table != nullptr;
    if (table == nullptr) {
      if (IsGlob(entry.pattern)) return Status::OK();
      ARROW_RETURN_NOT_OK(AskForUnlisted(entry.pattern));
      std::string hint = DidYouMean(entry.pattern, NamesOf(all_));
      if (hint.empty()) hint = "sluice discover lists the tables of a source";
      return About(entry, job_file_, "source.no-such-table",
                   "no such table: " + entry.pattern, std::move(hint));
    }
    if (!chosen_.emplace(*table, entry).second) {
      return About(entry, job_file_, "job.table-twice",
                   fmt::format("the table {} is named twice", ToString(*table)));
    }
    return Status::OK();
  }

  Status TakeGlob(const StreamEntry& entry) {
    bool matched = false;
    for (const TableName& table : base_) {
      if (!MatchesGlob(entry.pattern, table.table) &&
          !MatchesGlob(entry.pattern, table.schema + "." + table.table)) {
        continue;
      }
      matched = true;
      chosen_.emplace(table, entry);  // What was chosen before stays.
    }
    if (matched) return Status::OK();
    return About(entry, job_file_, "job.empty-glob", "no table matches " + entry.pattern,
                 "sluice discover lists the tables of a source");
  }

  std::vector<ChosenStream> InSourceOrder() const {
    std::map<std::string, int> schemas;
    for (const TableName& table : all_) ++schemas[table.table];
    std::vector<ChosenStream> streams;
    for (const TableName& table : all_) {
      const auto found = chosen_.find(table);
      if (found == chosen_.end()) continue;
      streams.push_back({schemas[table.table] == 1 ? table.table : ToString(table), table,
                         found->second});
    }
    return streams;
  }

 private:
  /// A server lists only tables of which the account has some right. That one is missing is not
  /// what the user asked for wrongly: the source says which.
  Status AskForUnlisted(const std::string& name) {
    const std::vector<std::string> parts = SplitTableName(name);
    if (parts.empty() || parts.size() > 2 || all_.empty()) return Status::OK();
    Relation relation;
    relation.name = {parts.size() == 2 ? parts[0] : all_.front().schema, parts.back()};
    const Status status = session_.Describe(relation).status();
    return KindOf(status) == ErrorKind::kSource ? status : Status::OK();
  }

  const std::string& job_file_;
  std::vector<TableName> base_, all_;
  Session& session_;
  std::map<TableName, StreamEntry> chosen_;
};

}  // namespace

bool MatchesGlob(std::string_view pattern, std::string_view text) {
  // Greedy with one step back: linear in both for any number of stars.
  size_t p = 0, t = 0, star = std::string_view::npos, from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = t;
    } else if (p < pattern.size() && (pattern[p] == text[t] || pattern[p] == '?')) {
      const bool any = pattern[p] == '?';
      ++p;
      ++t;
      // One character of UTF-8, not one byte.
      while (any && t < text.size() &&
             (static_cast<unsigned char>(text[t]) & 0xC0) == 0x80)
        ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<std::string> SplitTableName(std::string_view text) {
  std::vector<std::string> parts(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"' && parts.back().empty()) {
      for (++i; i < text.size(); ++i) {
        if (text[i] != '"') {
          parts.back().push_back(text[i]);
        } else if (i + 1 < text.size() && text[i + 1] == '"') {
          parts.back().push_back(text[i++]);
        } else {
          break;
        }
      }
    } else if (text[i] == '.') {
      parts.emplace_back();
    } else {
      parts.back().push_back(text[i]);
    }
  }
  return parts;
}

Result<std::vector<ChosenStream>> ChooseStreams(const std::vector<StreamEntry>& entries,
                                                const std::string& job_file,
                                                Session& session) {
  ARROW_ASSIGN_OR_RAISE(const std::vector<TableName> base,
                        session.List({"*", /*views=*/false}));
  ARROW_ASSIGN_OR_RAISE(const std::vector<TableName> all,
                        session.List({"*", /*views=*/true}));
  if (base.empty() && entries.empty()) {
    return Error(ErrorKind::kUsage, "source.no-tables", "the source has no tables",
                 all.empty() ? "" : "it has views: name one with --table");
  }
  Chooser chooser(job_file, base, all, session);
  std::vector<const StreamEntry*> globs;
  for (const StreamEntry& entry : entries) {
    bool taken = false;
    ARROW_RETURN_NOT_OK(chooser.TakeExact(entry, &taken));
    if (!taken) globs.push_back(&entry);
  }
  for (const StreamEntry* entry : globs) ARROW_RETURN_NOT_OK(chooser.TakeGlob(*entry));
  if (entries.empty()) {
    StreamEntry every;
    every.pattern = "*";
    ARROW_RETURN_NOT_OK(chooser.TakeGlob(every));
  }
  return chooser.InSourceOrder();
}

Result<std::vector<ChosenStream>> KeepStreams(std::vector<ChosenStream> streams,
                                              const std::vector<std::string>& only) {
  if (only.empty()) return streams;
  std::vector<std::string> names;
  names.reserve(streams.size());
  for (const ChosenStream& stream : streams) names.push_back(stream.name);
  for (const std::string& name : only) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    std::string hint = DidYouMean(name, names);
    return Error(ErrorKind::kUsage, "job.no-such-stream", "the job has no stream " + name,
                 std::move(hint));
  }
  std::vector<ChosenStream> kept;
  for (ChosenStream& stream : streams) {
    if (std::find(only.begin(), only.end(), stream.name) != only.end())
      kept.push_back(std::move(stream));
  }
  return kept;
}

}  // namespace sluice
