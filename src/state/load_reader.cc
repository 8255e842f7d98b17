#include "state/load_reader.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/vocabulary_json.h"
#include "state/load_table.h"
#include "state/query.h"

namespace sluice::state {
namespace {

Result<std::optional<Key>> KeyFrom(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const auto json, ParseJson(*text, "key"));
  ARROW_ASSIGN_OR_RAISE(Key key, KeyFromJson(json));
  return key;
}

Result<Consistency> ConsistencyFrom(const std::string& word) {
  for (Consistency each :
       {Consistency::kSnapshot, Consistency::kPerChunk, Consistency::kSnapshotStrict}) {
    if (word == ToString(each)) return each;
  }
  return Error(ErrorKind::kSource, "state.corrupt",
               "wanted a consistency, found '" + word + "'");
}

Status ReadChunks(Tables& tables, LoadState* state) {
  ARROW_ASSIGN_OR_RAISE(Query rows,
                        Query::Make(tables,
                                    "SELECT ordinal, after_key, upto_key, is_last FROM "
                                    "$chunks WHERE `load` = ? ORDER BY ordinal",
                                    {state->spec.load}));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool more, rows.Next());
    if (!more) return Status::OK();
    ChunkState chunk;
    chunk.chunk.ordinal = rows.Number(0);
    ARROW_ASSIGN_OR_RAISE(chunk.chunk.range.after, KeyFrom(rows.OptionalText(1)));
    ARROW_ASSIGN_OR_RAISE(chunk.chunk.range.upto, KeyFrom(rows.OptionalText(2)));
    chunk.chunk.last = rows.Number(3) != 0;
    const auto wanted = static_cast<int64_t>(state->chunks.size()) + 1;
    if (chunk.chunk.ordinal != wanted) {
      return Error(ErrorKind::kSource, "state.corrupt",
                   fmt::format("wanted chunk {}, found {}", wanted, chunk.chunk.ordinal));
    }
    state->chunks.push_back(std::move(chunk));
  }
}

Result<ChunkReceipt> ReceiptFrom(const Query& row, const std::string& load) {
  const std::optional<std::string> text = row.OptionalText(3);
  if (!text) {
    ChunkReceipt begun;
    begun.load = load;
    begun.ordinal = row.Number(0);
    begun.attempt = row.Text(1);
    return begun;
  }
  ARROW_ASSIGN_OR_RAISE(const auto json, ParseJson(*text, "receipt"));
  return ReceiptFromJson(json);
}

Status ReadAttempts(Tables& tables, LoadState* state) {
  ARROW_ASSIGN_OR_RAISE(
      Query rows, Query::Make(tables,
                              "SELECT ordinal, attempt, state, receipt FROM $attempts "
                              "WHERE `load` = ? ORDER BY ordinal, number",
                              {state->spec.load}));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool more, rows.Next());
    if (!more) return Status::OK();
    const int64_t ordinal = rows.Number(0);
    const std::string word = rows.Text(2);
    if (ordinal < 1 || ordinal > static_cast<int64_t>(state->chunks.size())) {
      return Error(ErrorKind::kSource, "state.corrupt",
                   fmt::format("an attempt at chunk {}, which is not there", ordinal));
    }
    ChunkState& chunk = state->chunks[ordinal - 1];
    if (word == "failed") ++chunk.failures;
    // Failed before it was staged: what it left is known by the load's name alone.
    if (word == "failed" && !rows.OptionalText(3)) continue;
    ARROW_ASSIGN_OR_RAISE(ChunkReceipt receipt, ReceiptFrom(rows, state->spec.load));
    if (word != "staged") {
      state->losers.push_back(std::move(receipt));
      continue;
    }
    if (chunk.staged) state->losers.push_back(*std::move(chunk.staged));
    chunk.staged = std::move(receipt);
  }
}

Result<std::vector<std::string>> ReadTexts(Tables& tables, const char* sql,
                                           const std::string& load) {
  ARROW_ASSIGN_OR_RAISE(Query rows, Query::Make(tables, sql, {load}));
  std::vector<std::string> texts;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool more, rows.Next());
    if (!more) return texts;
    texts.push_back(rows.Text(0));
  }
}

Result<LoadState> LoadFrom(Tables& tables, const Query& row) {
  LoadState state;
  ARROW_ASSIGN_OR_RAISE(const auto spec, ParseJson(row.Text(1), "load"));
  ARROW_ASSIGN_OR_RAISE(state.spec, LoadSpecFromJson(spec));
  ARROW_ASSIGN_OR_RAISE(const auto table, ParseJson(row.Text(2), "table"));
  ARROW_ASSIGN_OR_RAISE(state.table, TableInfoFromJson(table));
  if (state.spec.load != row.Text(0)) {
    return Error(ErrorKind::kSource, "state.corrupt",
                 fmt::format("it is load {} by its row and {} by its content",
                             row.Text(0), state.spec.load));
  }
  state.definition = row.Text(3);
  ARROW_ASSIGN_OR_RAISE(state.last_key, KeyFrom(row.OptionalText(4)));
  ARROW_ASSIGN_OR_RAISE(state.phase, PhaseFrom(row.Text(5)));
  ARROW_ASSIGN_OR_RAISE(state.consistency, ConsistencyFrom(row.Text(6)));
  state.clock_micros = row.Number(7);
  state.updated_millis = row.Number(8);
  const std::string& load = state.spec.load;
  ARROW_ASSIGN_OR_RAISE(
      state.positions,
      ReadTexts(tables,
                "SELECT position FROM $positions WHERE `load` = ? ORDER BY number",
                load));
  ARROW_ASSIGN_OR_RAISE(
      state.replaces,
      ReadTexts(tables, "SELECT replaced FROM $replaces WHERE `load` = ? ORDER BY number",
                load));
  ARROW_RETURN_NOT_OK(ReadChunks(tables, &state));
  ARROW_RETURN_NOT_OK(ReadAttempts(tables, &state));
  return state;
}

Result<std::vector<LoadState>> Select(Tables& tables, const std::string& condition,
                                      std::initializer_list<Value> values) {
  ARROW_ASSIGN_OR_RAISE(
      Query rows,
      Query::Make(
          tables,
          "SELECT `load`, spec, table_info, definition, last_key, phase, consistency, "
          "clock_micros, updated_millis FROM $loads WHERE " +
              condition,
          values));
  std::vector<LoadState> loads;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool more, rows.Next());
    if (!more) return loads;
    auto load = LoadFrom(tables, rows);
    if (!load.ok()) return InContext(load.status(), "load " + rows.Text(0));
    loads.push_back(*std::move(load));
  }
}

std::optional<LoadState> OnlyOne(std::vector<LoadState> loads) {
  if (loads.empty()) return std::nullopt;
  return std::move(loads.front());
}

}  // namespace

Result<std::optional<LoadState>> ReadLoad(Tables& tables, const std::string& load) {
  ARROW_ASSIGN_OR_RAISE(auto loads, Select(tables, "`load` = ?", {load}));
  return OnlyOne(std::move(loads));
}

Result<std::optional<LoadState>> ReadOpenLoad(Tables& tables, const std::string& job,
                                              const std::string& stream) {
  ARROW_ASSIGN_OR_RAISE(
      auto loads,
      Select(tables,
             "job = ? AND stream = ? AND phase NOT IN (?, ?) "
             "ORDER BY number DESC LIMIT 1",
             {job, stream, ToString(Phase::kCleaned), ToString(Phase::kDiscarded)}));
  return OnlyOne(std::move(loads));
}

Result<std::vector<LoadState>> ReadLoads(Tables& tables, const std::string& job,
                                         int count) {
  const int most = std::max(count, 0);
  if (job.empty()) return Select(tables, "1 = 1 ORDER BY number DESC LIMIT ?", {most});
  return Select(tables, "job = ? ORDER BY number DESC LIMIT ?", {job, most});
}

}  // namespace sluice::state
