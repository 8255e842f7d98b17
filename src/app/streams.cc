#include "app/streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/nearest.h"

namespace sluice {
namespace {

std::vector<std::string> NamesOf(const std::vector<TableName>& tables) {
  std::vector<std::string> names;
  names.reserve(tables.size());
  for (const TableName& table : tables) names.push_back(table.table);
  return names;
}

class Chooser {
 public:
  Chooser(const Job& job, std::vector<TableName> base, std::vector<TableName> all,
          Session& session)
      : job_(job), base_(std::move(base)), all_(std::move(all)), session_(session) {
    for (const TableName& table : all_) by_name_.emplace(table.table, &table);
  }

  Status Exclude(const StreamEntry& entry) {
    if (const TableName* table = FindExact(entry.pattern)) {
      excluded_.insert(*table);
      return Status::OK();
    }
    if (!IsGlob(entry.pattern)) return NoSuchTable(entry);
    for (const TableName& table : all_) {
      if (Matches(entry, table)) excluded_.insert(table);
    }
    return Status::OK();
  }

  Status TakeQuery(const StreamEntry& entry, const std::string& schema) {
    return Take(entry, {schema, entry.pattern});
  }

  Status TakeExact(const StreamEntry& entry, bool* taken) {
    const TableName* table = FindExact(entry.pattern);
    *taken = table != nullptr;
    if (table != nullptr) return Take(entry, *table);
    if (IsGlob(entry.pattern)) return Status::OK();
    ARROW_RETURN_NOT_OK(AskForUnlisted(entry.pattern));
    return NoSuchTable(entry);
  }

  Status TakeGlob(const StreamEntry& entry) {
    bool matched = false, taken = false;
    for (const TableName& table : base_) {
      if (!Matches(entry, table)) continue;
      matched = true;
      if (excluded_.contains(table)) continue;
      taken = true;
      chosen_.emplace(table, entry);  // What was chosen before stays.
    }
    if (taken) return Status::OK();
    if (matched) {
      return AboutEntry(job_, entry, "job.empty-glob",
                        "every table that matches is excluded: " + entry.pattern,
                        "remove the glob, or exclude less");
    }
    return AboutEntry(job_, entry, "job.empty-glob", "no table matches " + entry.pattern,
                      "sluice discover lists the tables of a source");
  }

  /// Queries that are called like no table come last.
  std::vector<ChosenStream> InSourceOrder() {
    std::map<std::string, int> schemas;
    for (const TableName& table : all_) ++schemas[table.table];
    std::vector<ChosenStream> streams;
    for (const TableName& table : all_) {
      const auto found = chosen_.find(table);
      if (found == chosen_.end()) continue;
      const bool unique = schemas[table.table] == 1 || !found->second.sql.empty();
      streams.push_back({unique ? table.table : ToString(table), table, found->second});
      chosen_.erase(found);
    }
    for (const auto& [table, entry] : chosen_)
      streams.push_back({table.table, table, entry});
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

  const TableName* FindExact(const std::string& name) const {
    if (const auto found = by_name_.find(name); found != by_name_.end())
      return found->second;
    const std::vector<std::string> parts = SplitTableName(name);
    if (parts.size() == 1) {
      const auto found = by_name_.find(parts[0]);
      return found == by_name_.end() ? nullptr : found->second;
    }
    for (const TableName& table : all_) {
      if (parts.size() == 2 && table.schema == parts[0] && table.table == parts[1])
        return &table;
    }
    return nullptr;
  }

  static bool Matches(const StreamEntry& entry, const TableName& table) {
    return MatchesGlob(entry.pattern, table.table) ||
           MatchesGlob(entry.pattern, table.schema + "." + table.table);
  }

  Status NoSuchTable(const StreamEntry& entry) const {
    std::string hint = DidYouMean(entry.pattern, NamesOf(all_));
    if (hint.empty()) hint = "sluice discover lists the tables of a source";
    return AboutEntry(job_, entry, "source.no-such-table",
                      "no such table: " + entry.pattern, std::move(hint));
  }

  Status Take(const StreamEntry& entry, const TableName& table) {
    if (excluded_.contains(table) && entry.sql.empty()) {
      return AboutEntry(
          job_, entry, "job.table-twice",
          fmt::format("the table {} is named, and excluded too", ToString(table)),
          "remove one of the two");
    }
    if (chosen_.emplace(table, entry).second) return Status::OK();
    return AboutEntry(job_, entry, "job.table-twice",
                      fmt::format("the table {} is named twice", ToString(table)),
                      "remove one of the two");
  }

  const Job& job_;
  std::vector<TableName> base_, all_;
  std::multimap<std::string, const TableName*>
      by_name_;  // the first of a name comes first
  Session& session_;
  std::set<TableName> excluded_;
  std::map<TableName, StreamEntry> chosen_;
};

}  // namespace

bool IsGlob(std::string_view pattern) {
  return pattern.find_first_of("*?") != std::string_view::npos;
}

Status AboutEntry(const Job& job, const StreamEntry& entry, std::string_view id,
                  std::string message, std::string hint) {
  if (!job.file.name.empty())
    return ErrorAt(job.file, entry.place, id, message, std::move(hint));
  return Error(ErrorKind::kUsage, id, std::move(message), std::move(hint));
}

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

Result<std::vector<ChosenStream>> ChooseStreams(const Job& job, const std::string& schema,
                                                Session& session) {
  const std::vector<StreamEntry>& entries = job.streams;
  ARROW_ASSIGN_OR_RAISE(const std::vector<TableName> base,
                        session.List({"*", /*views=*/false}));
  ARROW_ASSIGN_OR_RAISE(const std::vector<TableName> all,
                        session.List({"*", /*views=*/true}));
  if (base.empty() && entries.empty()) {
    return Error(ErrorKind::kUsage, "source.no-tables", "the source has no tables",
                 all.empty() ? "" : "it has views: name one with --table");
  }
  Chooser chooser(job, base, all, session);
  std::vector<const StreamEntry*> globs;
  for (const StreamEntry& entry : entries) {
    if (entry.exclude) ARROW_RETURN_NOT_OK(chooser.Exclude(entry));
  }
  for (const StreamEntry& entry : entries) {
    if (entry.exclude) continue;
    bool taken = true;
    if (!entry.sql.empty()) {
      ARROW_RETURN_NOT_OK(chooser.TakeQuery(entry, schema));
    } else {
      ARROW_RETURN_NOT_OK(chooser.TakeExact(entry, &taken));
    }
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
