#include "cli/stream_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "app/column_notes.h"
#include "app/quantity.h"
#include "cli/console.h"
#include "cli/describe.h"

namespace sluice::cli {
namespace {

const char* NextWord(NextStep next) {
  switch (next) {
    case NextStep::kNewLoad: return "new";
    case NextStep::kResume: return "resume";
    case NextStep::kRefuseChanged: return "changed";
  }
  return "new";
}

std::string NextText(const StreamPlan& stream) {
  if (!stream.unfinished) return "a new load";
  const LoadState& load = *stream.unfinished;
  const std::string what = fmt::format("load {} ({}, {})", load.spec.load,
                                       ToString(load.phase), ProgressOf(load));
  if (stream.next == NextStep::kRefuseChanged)
    return fmt::format("stops: the {} differs from that of {}",
                       stream.differs.empty() ? "table's definition" : "definition",
                       what);
  return "resumes " + what;
}

template <typename T>
nlohmann::ordered_json OrNull(const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

nlohmann::ordered_json ForecastJson(const Forecast& forecast) {
  return {{"basis", forecast.last_load_millis ? "last load"
                    : forecast.rows           ? "statistics"
                                              : "unknown"},
          {"last_load_age_seconds",
           forecast.last_load_millis
               ? nlohmann::ordered_json(*forecast.last_load_millis / 1000)
               : nlohmann::ordered_json()},
          {"rows", OrNull(forecast.rows)},
          {"source_bytes", OrNull(forecast.source_bytes)},
          {"file_bytes", OrNull(forecast.file_bytes)},
          {"files", OrNull(forecast.files)},
          {"chunks", OrNull(forecast.chunks)},
          {"seconds", OrNull(forecast.seconds)}};
}

std::string ForecastText(const Forecast& forecast) {
  if (!forecast.rows) return "unknown: no load like it was committed yet";
  if (!forecast.last_load_millis) {
    return fmt::format(
        "about {}, {} in the source, by its statistics; files and time unknown",
        Counted(*forecast.rows, "row"), FormatSize(forecast.source_bytes.value_or(0)));
  }
  return fmt::format(
      "{}, {} read, {} in {}, {} of one connection: as the last load, {}",
      Counted(*forecast.rows, "row"), FormatSize(forecast.source_bytes.value_or(0)),
      FormatSize(forecast.file_bytes.value_or(0)),
      Counted(forecast.files.value_or(0), "file"),
      FormatSeconds(forecast.seconds.value_or(0)), FormatAge(*forecast.last_load_millis));
}

std::string ReadText(const StreamPlan& stream) {
  const ReadPlan& read = stream.read;
  if (read.access.empty()) return "not known";
  std::string text = Printable(read.access);
  if (!read.index.empty()) text += " by " + Printable(read.index);
  if (read.rows_examined)
    text += fmt::format(", about {} examined", Counted(*read.rows_examined, "row"));
  return text;
}

nlohmann::ordered_json SettingsJson(const std::vector<SettingShown>& settings) {
  auto json = nlohmann::ordered_json::object();
  for (const SettingShown& setting : settings)
    json[setting.name] = {{"value", setting.value}, {"origin", setting.origin}};
  return json;
}

}  // namespace

nlohmann::ordered_json ProbeJson(const LastProbe& probe) {
  if (!probe) return nullptr;
  nlohmann::ordered_json json = ProbeJson(probe->first);
  json["age_seconds"] = probe->second / 1000;
  return json;
}

std::string ProbeText(const LastProbe& probe) {
  if (!probe) return "not probed yet; check and run probe it";
  return fmt::format("{} (probed {})", probe->first.detail, FormatAge(probe->second));
}

Status ChangedError(const StreamPlan& stream) {
  if (stream.next != NextStep::kRefuseChanged) return Status::OK();
  const std::string& load = stream.unfinished->spec.load;
  if (stream.differs.empty()) {
    return Error(ErrorKind::kSource, "source.changed",
                 fmt::format("load {} is unfinished, and the table is no longer defined "
                             "as it was when it began",
                             load),
                 "sluice run or copy with --restart discards it and begins anew");
  }
  return Error(
      ErrorKind::kUsage, "run.definition-changed",
      fmt::format("load {} is unfinished and was begun with another definition: {}", load,
                  fmt::join(stream.differs, ", ")),
      "put that back to finish it; sluice run or copy with --restart discards it and "
      "begins anew");
}

nlohmann::ordered_json StreamJson(const StreamPlan& stream) {
  nlohmann::ordered_json json = {{"stream", stream.spec.name},
                                 {"error", ErrorJson(stream.status)}};
  if (stream.table.schema != nullptr) {
    json["key"] = stream.table.key;
    json["estimated_rows"] = stream.table.estimated_rows;
    json["estimated_bytes"] = stream.table.estimated_bytes;
    json["columns"] = ColumnsJson(stream.table);
  }
  json["destination"] = stream.destination.uri;
  json["probe"] = ProbeJson(stream.probe);
  json["settings"] = SettingsJson(stream.settings);
  json["where"] = stream.spec.relation.where;
  json["policies"] = PoliciesOf(stream.spec.relation);
  json["read"] = {{"access", stream.read.access},
                  {"index", stream.read.index},
                  {"rows_examined", OrNull(stream.read.rows_examined)}};
  json["forecast"] = ForecastJson(stream.forecast);
  json["warnings"] = stream.read.warnings;
  json["next"] = NextWord(stream.next);
  if (!stream.differs.empty()) json["differs"] = stream.differs;
  if (stream.unfinished) {
    const ChunkCounts counts = CountChunks(*stream.unfinished);
    json["load"] = stream.unfinished->spec.load;
    json["phase"] = ToString(stream.unfinished->phase);
    json["chunks_staged"] = counts.staged;
    json["rows_staged"] = counts.rows;
  }
  return json;
}

std::string StreamText(const StreamPlan& stream, const std::string& job_destination) {
  std::string text = Printable(stream.spec.name) + "\n";
  TextTable facts("ll");
  if (!stream.status.ok())
    facts.Add({"FAILED", "cannot be copied: " + Printable(stream.status.message())});
  if (!stream.status.ok() && !HintOf(stream.status).empty())
    facts.Add({"HINT", Printable(HintOf(stream.status))});
  if (stream.table.schema == nullptr) return text + facts.ToString("  ") + "\n";
  facts.Add({"next", NextText(stream)});
  if (const Status changed = ChangedError(stream); !changed.ok()) {
    facts.Add({"FAILED", Printable(changed.message())});
    facts.Add({"HINT", Printable(HintOf(changed))});
  }
  if (stream.destination.uri != job_destination) {
    facts.Add({"destination", Printable(stream.destination.uri)});
    facts.Add({"", Printable(ProbeText(stream.probe))});
  }
  for (const SettingShown& setting : stream.settings) {
    facts.Add(
        {setting.name, fmt::format("{} ({})", Printable(setting.value), setting.origin)});
  }
  facts.Add({"rows", ForecastText(stream.forecast)});
  facts.Add({"key", KeyLine(stream.table)});
  facts.Add({"read", ReadText(stream)});
  if (!stream.spec.relation.where.empty())
    facts.Add({"where", Printable(stream.spec.relation.where)});
  const auto policies = PoliciesOf(stream.spec.relation);
  if (!policies.empty())
    facts.Add({"policies", Printable(fmt::format("{}", fmt::join(policies, ", ")))});
  for (const std::string& warning : stream.read.warnings)
    facts.Add({"WARNING", Printable(warning)});
  return text + facts.ToString("  ") + ColumnLines(stream.table, "    ") + "\n";
}

std::string TotalText(const JobPlan& plan) {
  int64_t fresh = 0, resumes = 0, stops = 0, fails = 0, warnings = 0, rows = 0;
  bool rows_known = true, seconds_known = true;
  double seconds = 0;
  for (const Finding& finding : plan.server.findings)
    if (finding.level != Level::kOk) ++warnings;
  warnings += static_cast<int64_t>(plan.destination.size());
  for (const StreamPlan& stream : plan.streams) {
    warnings += static_cast<int64_t>(stream.read.warnings.size());
    if (!stream.status.ok()) {
      ++fails;
    } else if (stream.next == NextStep::kNewLoad) {
      ++fresh;
    } else {
      ++(stream.next == NextStep::kResume ? resumes : stops);
    }
    rows_known = rows_known && stream.forecast.rows.has_value();
    seconds_known = seconds_known && stream.forecast.seconds.has_value();
    rows += stream.forecast.rows.value_or(0);
    seconds += stream.forecast.seconds.value_or(0);
  }
  std::vector<std::string> parts;
  if (fresh > 0) parts.push_back(Counted(fresh, "new load"));
  if (resumes > 0)
    parts.push_back(FormatCount(resumes) + (resumes == 1 ? " resumes" : " resume"));
  if (stops > 0) parts.push_back(FormatCount(stops) + (stops == 1 ? " stops" : " stop"));
  if (fails > 0) parts.push_back(FormatCount(fails) + " cannot be copied");
  return fmt::format(
      "{}, {}\n{}: {}; {}\n",
      rows_known ? fmt::format("in all about {}", Counted(rows, "row"))
                 : std::string("rows in all unknown"),
      seconds_known ? FormatSeconds(seconds) + " of one connection" : "time unknown",
      Counted(static_cast<int64_t>(plan.streams.size()), "stream"),
      fmt::join(parts, ", "), Counted(warnings, "warning"));
}

}  // namespace sluice::cli
