#include "state/load_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/printable.h"
#include "base/vocabulary_json.h"
#include "state/query.h"

namespace sluice::state {
namespace {

Status Contradiction(std::string_view id, std::string message) {
  return Error(ErrorKind::kFailed, id, std::move(message));
}

std::optional<std::string> KeyText(const std::optional<Key>& key) {
  if (!key) return std::nullopt;
  return DumpJson(ToJson(*key));
}

std::optional<std::string> PresentText(const std::string& text) { return text; }

bool MayFollow(Phase from, Phase to) {
  if (to == Phase::kDiscarded) return from < Phase::kCommitted;
  return to <= Phase::kCleaned && static_cast<int>(to) == static_cast<int>(from) + 1;
}

Status InsertTexts(Tables& tables, const char* sql, const std::string& load,
                   const std::vector<std::string>& texts) {
  int64_t number = 0;
  for (const std::string& text : texts) {
    ARROW_RETURN_NOT_OK(Run(tables, sql, {load, ++number, text}));
  }
  return Status::OK();
}

}  // namespace

Result<Phase> PhaseFrom(const std::string& word) {
  for (int i = 0; i <= static_cast<int>(Phase::kDiscarded); ++i) {
    if (word == ToString(static_cast<Phase>(i))) return static_cast<Phase>(i);
  }
  return Error(ErrorKind::kSource, "state.corrupt",
               "wanted a phase, found '" + word + "'");
}

Status InsertLoad(Tables& tables, const std::string& job, const LoadState& load) {
  const LoadSpec& spec = load.spec;
  if (spec.job != job) {
    return Contradiction(
        "state.load-not-new",
        fmt::format("load {} of job {} was to be opened under a lease of job {}",
                    spec.load, spec.job, job));
  }
  if (!load.chunks.empty() || !load.losers.empty() || load.phase != Phase::kCopying) {
    return Contradiction(
        "state.load-not-new",
        fmt::format("load {} was to be opened with chunks in it", spec.load));
  }
  const std::string spec_text = DumpJson(ToJson(spec));
  const std::string table_text = DumpJson(ToJson(load.table));
  ARROW_ASSIGN_OR_RAISE(
      Query known,
      Query::Make(tables,
                  "SELECT spec, table_info, definition FROM $loads WHERE `load` = ?",
                  {spec.load}));
  ARROW_ASSIGN_OR_RAISE(const bool is_known, known.Next());
  if (is_known && known.Text(0) == spec_text && known.Text(1) == table_text &&
      known.Text(2) == load.definition)
    return Status::OK();
  if (is_known) {
    return Contradiction("state.load-exists",
                         fmt::format("another load is known as {} already", spec.load));
  }
  const std::string insert = fmt::format(
      "INSERT INTO $loads (`load`, job, stream, run, phase, definition, spec, table_info, last_key, "
      "consistency, clock_micros, opened_millis, updated_millis) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {0}, {0})",
      tables.now_sql());
  ARROW_RETURN_NOT_OK(
      Run(tables, insert,
          {spec.load, spec.job, spec.stream, spec.run, ToString(load.phase),
           load.definition, spec_text, table_text, KeyText(load.last_key),
           ToString(load.consistency), load.clock_micros}));
  ARROW_RETURN_NOT_OK(InsertTexts(tables, "INSERT INTO $positions VALUES (?, ?, ?)",
                                  spec.load, load.positions));
  return InsertTexts(tables, "INSERT INTO $replaces VALUES (?, ?, ?)", spec.load,
                     load.replaces);
}

Result<LoadChange> LoadChange::Of(Tables& tables, const std::string& job,
                                  const std::string& load) {
  ARROW_ASSIGN_OR_RAISE(
      auto word, FindText(tables, "SELECT phase FROM $loads WHERE `load` = ? AND job = ?",
                          {load, job}));
  if (!word) {
    return Contradiction("state.no-load",
                         fmt::format("job {} has no load {}", job, load));
  }
  ARROW_ASSIGN_OR_RAISE(const Phase phase, PhaseFrom(*word));
  return LoadChange(tables, load, phase);
}

Status LoadChange::Touch() {
  return Run(
      *tables_,
      "UPDATE $loads SET updated_millis = " + tables_->now_sql() + " WHERE `load` = ?",
      {load_});
}

Status LoadChange::NeedsCopying(const char* act) const {
  if (phase_ == Phase::kCopying) return Status::OK();
  return Contradiction("state.phase",
                       fmt::format("to {} load {} wants phase {}, found {}", act, load_,
                                   ToString(Phase::kCopying), ToString(phase_)));
}

Result<std::optional<std::string>> LoadChange::StateOf(int64_t ordinal,
                                                       const std::string& attempt) const {
  return FindText(
      *tables_,
      "SELECT state FROM $attempts WHERE `load` = ? AND ordinal = ? AND attempt = ?",
      {load_, ordinal, attempt});
}

Result<int64_t> LoadChange::NextAttemptNumber() const {
  ARROW_ASSIGN_OR_RAISE(
      const auto newest,
      FindNumber(*tables_, "SELECT max(number) FROM $attempts WHERE `load` = ?",
                 {load_}));
  return newest.value_or(0) + 1;
}

Result<std::optional<std::string>> LoadChange::WinnerOf(int64_t ordinal) const {
  return FindText(*tables_,
                  "SELECT attempt FROM $attempts WHERE `load` = ? AND ordinal = ? AND "
                  "state = 'staged' ORDER BY number DESC LIMIT 1",
                  {load_, ordinal});
}

/// A new chunk begins where the newest one ends. Keys are compared as they were written: they
/// are the same key, or the plan has a hole.
Status LoadChange::CheckFollows(const Chunk& chunk,
                                const std::optional<std::string>& after) const {
  ARROW_ASSIGN_OR_RAISE(
      Query newest,
      Query::Make(*tables_,
                  "SELECT ordinal, upto_key, is_last FROM $chunks WHERE `load` = ? "
                  "ORDER BY ordinal DESC LIMIT 1",
                  {load_}));
  ARROW_ASSIGN_OR_RAISE(const bool found, newest.Next());
  const int64_t wanted = found ? newest.Number(0) + 1 : 1;
  if (found && newest.Number(2) != 0) {
    return Contradiction(
        "state.plan-complete",
        fmt::format("chunk {} was to follow the last chunk {} of load {}", chunk.ordinal,
                    wanted - 1, load_));
  }
  if (chunk.ordinal != wanted) {
    return Contradiction("state.chunk-order",
                         fmt::format("load {} wants chunk {} next, found {}", load_,
                                     wanted, chunk.ordinal));
  }
  if (found && newest.OptionalText(1) != after) {
    return Contradiction(
        "state.chunk-gap",
        fmt::format("chunk {} of load {} does not begin where the one before ends",
                    wanted, load_));
  }
  return Status::OK();
}

Status LoadChange::AddChunk(const Chunk& chunk) {
  const std::optional<std::string> after = KeyText(chunk.range.after);
  const std::optional<std::string> upto = KeyText(chunk.range.upto);
  ARROW_ASSIGN_OR_RAISE(Query known,
                        Query::Make(*tables_,
                                    "SELECT after_key, upto_key, is_last FROM $chunks "
                                    "WHERE `load` = ? AND ordinal = ?",
                                    {load_, chunk.ordinal}));
  ARROW_ASSIGN_OR_RAISE(const bool is_known, known.Next());
  if (is_known && known.OptionalText(0) == after && known.OptionalText(1) == upto &&
      (known.Number(2) != 0) == chunk.last)
    return Status::OK();
  if (is_known) {
    return Contradiction(
        "state.chunk-differs",
        fmt::format("chunk {} of load {} has other bounds, which never change",
                    chunk.ordinal, load_));
  }
  ARROW_RETURN_NOT_OK(NeedsCopying("add a chunk to"));
  ARROW_RETURN_NOT_OK(CheckFollows(chunk, after));
  return Run(*tables_, "INSERT INTO $chunks VALUES (?, ?, ?, ?, ?)",
             {load_, chunk.ordinal, after, upto, chunk.last});
}

Status LoadChange::BeginAttempt(int64_t ordinal, const std::string& attempt) {
  ARROW_RETURN_NOT_OK(NeedsCopying("begin an attempt of"));
  ARROW_ASSIGN_OR_RAISE(const auto state, StateOf(ordinal, attempt));
  if (state && *state == "begun") return Status::OK();
  if (state) {
    return Contradiction("state.attempt-ended",
                         fmt::format("attempt {} of chunk {} of load {} was {} already",
                                     attempt, ordinal, load_, *state));
  }
  ARROW_ASSIGN_OR_RAISE(
      const auto chunk,
      FindNumber(*tables_, "SELECT ordinal FROM $chunks WHERE `load` = ? AND ordinal = ?",
                 {load_, ordinal}));
  if (!chunk) {
    return Contradiction("state.no-chunk",
                         fmt::format("load {} has no chunk {}", load_, ordinal));
  }
  ARROW_ASSIGN_OR_RAISE(const int64_t number, NextAttemptNumber());
  return Run(*tables_, "INSERT INTO $attempts VALUES (?, ?, ?, ?, 'begun', NULL, NULL)",
             {load_, ordinal, attempt, number});
}

Status LoadChange::MarkStaged(const ChunkReceipt& receipt) {
  ARROW_RETURN_NOT_OK(NeedsCopying("stage a chunk of"));
  ARROW_ASSIGN_OR_RAISE(const auto state, StateOf(receipt.ordinal, receipt.attempt));
  const std::string text = DumpJson(ToJson(receipt));
  const std::string subject = fmt::format("attempt {} of chunk {} of load {}",
                                          receipt.attempt, receipt.ordinal, load_);
  if (!state)
    return Contradiction("state.no-attempt", subject + " was staged but never begun");
  if (*state == "failed") {
    return Contradiction("state.attempt-ended",
                         subject + " was staged after it had failed");
  }
  if (*state == "staged") {
    ARROW_ASSIGN_OR_RAISE(
        const auto known,
        FindText(
            *tables_,
            "SELECT receipt FROM $attempts WHERE `load` = ? AND ordinal = ? AND attempt = ?",
            {load_, receipt.ordinal, receipt.attempt}));
    if (known == PresentText(text)) return Status::OK();
    return Contradiction("state.attempt-differs",
                         subject + " was staged twice, differently");
  }
  ARROW_ASSIGN_OR_RAISE(const int64_t number, NextAttemptNumber());
  return Run(*tables_,
             "UPDATE $attempts SET state = 'staged', receipt = ?, number = ? "
             "WHERE `load` = ? AND ordinal = ? AND attempt = ?",
             {text, number, load_, receipt.ordinal, receipt.attempt});
}

Status LoadChange::FailAttempt(int64_t ordinal, const std::string& attempt,
                               const std::string& why) {
  ARROW_RETURN_NOT_OK(NeedsCopying("fail an attempt of"));
  ARROW_ASSIGN_OR_RAISE(const auto state, StateOf(ordinal, attempt));
  if (!state) {
    return Contradiction(
        "state.no-attempt",
        fmt::format("chunk {} of load {} has no attempt {}", ordinal, load_, attempt));
  }
  if (*state == "failed") return Status::OK();
  return Run(*tables_,
             "UPDATE $attempts SET state = 'failed', why = ? "
             "WHERE `load` = ? AND ordinal = ? AND attempt = ?",
             {Printable(why), load_, ordinal, attempt});
}

Status LoadChange::AddPosition(const std::string& position) {
  if (phase_ >= Phase::kCommitted) {
    return Contradiction(
        "state.phase",
        fmt::format("load {} is {}: nothing is read for it", load_, ToString(phase_)));
  }
  ARROW_ASSIGN_OR_RAISE(
      Query known,
      Query::Make(
          *tables_,
          "SELECT number, position FROM $positions WHERE `load` = ? ORDER BY number",
          {load_}));
  int64_t number = 1;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool more, known.Next());
    if (!more) break;
    if (known.Text(1) == position) return Status::OK();
    number = known.Number(0) + 1;
  }
  return Run(*tables_, "INSERT INTO $positions VALUES (?, ?, ?)",
             {load_, number, position});
}

Status LoadChange::Freeze(const std::vector<std::string>& replaces) {
  ARROW_ASSIGN_OR_RAISE(
      const auto complete,
      FindNumber(
          *tables_,
          "SELECT count(*) = max(ordinal) AND sum(is_last) = 1 FROM $chunks WHERE `load` = ?",
          {load_}));
  if (complete.value_or(0) == 0) {
    return Contradiction(
        "state.plan-incomplete",
        fmt::format("load {} was to be published before its last chunk is planned",
                    load_));
  }
  ARROW_ASSIGN_OR_RAISE(
      const auto missing,
      FindNumber(
          *tables_,
          "SELECT ordinal FROM $chunks c WHERE `load` = ? AND NOT EXISTS (SELECT 1 FROM "
          "$attempts a WHERE a.`load` = c.`load` AND a.ordinal = c.ordinal AND "
          "a.state = 'staged') ORDER BY ordinal LIMIT 1",
          {load_}));
  if (missing) {
    return Contradiction(
        "state.not-staged",
        fmt::format("load {} was to be published before its chunk {} is staged", load_,
                    *missing));
  }
  ARROW_RETURN_NOT_OK(Run(*tables_, "DELETE FROM $replaces WHERE `load` = ?", {load_}));
  return InsertTexts(*tables_, "INSERT INTO $replaces VALUES (?, ?, ?)", load_, replaces);
}

Status LoadChange::TakePublished(const std::vector<ChunkReceipt>& published) {
  ARROW_ASSIGN_OR_RAISE(
      const auto chunks,
      FindNumber(*tables_, "SELECT count(*) FROM $chunks WHERE `load` = ?", {load_}));
  std::map<int64_t, const ChunkReceipt*> by_ordinal;
  for (const ChunkReceipt& receipt : published) by_ordinal[receipt.ordinal] = &receipt;
  const auto found = static_cast<int64_t>(by_ordinal.size());
  if (found != *chunks || by_ordinal.size() != published.size()) {
    return Contradiction(
        "state.receipts",
        fmt::format("load {} wants one published receipt for each of {} chunks, "
                    "found {} for {}",
                    load_, *chunks, published.size(), found));
  }
  for (const auto& [ordinal, receipt] : by_ordinal) {
    ARROW_ASSIGN_OR_RAISE(const auto winner, WinnerOf(ordinal));
    if (receipt->load != load_ || winner != PresentText(receipt->attempt)) {
      return Contradiction(
          "state.receipts",
          fmt::format("chunk {} of load {} was won by attempt {}, found {} of {}",
                      ordinal, load_, winner.value_or("(none)"), receipt->attempt,
                      receipt->load));
    }
    ARROW_RETURN_NOT_OK(Run(
        *tables_,
        "UPDATE $attempts SET receipt = ? WHERE `load` = ? AND ordinal = ? AND attempt = ?",
        {DumpJson(ToJson(*receipt)), load_, ordinal, receipt->attempt}));
  }
  return Status::OK();
}

Status LoadChange::Advance(Phase from, Phase to,
                           const std::vector<ChunkReceipt>& published,
                           const std::vector<std::string>& replaces) {
  if (phase_ == to) return Status::OK();
  if (phase_ != from || !MayFollow(from, to)) {
    return Contradiction(
        "state.phase", fmt::format("load {} was to go from {} to {}, found it {}", load_,
                                   ToString(from), ToString(to), ToString(phase_)));
  }
  if (to == Phase::kPublishing) ARROW_RETURN_NOT_OK(Freeze(replaces));
  if (to == Phase::kPublished) ARROW_RETURN_NOT_OK(TakePublished(published));
  ARROW_RETURN_NOT_OK(Run(*tables_, "UPDATE $loads SET phase = ? WHERE `load` = ?",
                          {ToString(to), load_}));
  phase_ = to;
  return Status::OK();
}

}  // namespace sluice::state
