#include "app/foreign_loads.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "base/side_by_side.h"

namespace sluice {
namespace {

constexpr int kAskedAtOnce = 8;

/// Committed, and neither dropped nor replaced.
std::vector<LoadEntry> CurrentOf(std::vector<LoadEntry> entries) {
  std::set<std::string> gone;
  for (const LoadEntry& entry : entries) {
    if (entry.outcome == Outcome::kCommitted)
      gone.insert(entry.replaces.begin(), entry.replaces.end());
  }
  std::erase_if(entries, [&gone](const LoadEntry& entry) {
    return entry.outcome != Outcome::kCommitted || entry.dropped ||
           gone.contains(entry.load);
  });
  return entries;
}

Finding WarningOf(const Job& job, const std::string& stream, const LoadEntry& load) {
  const bool of_job = load.job == job.name;
  std::string hint;
  if (of_job) {
    hint = fmt::format("keep the stream's name, {}, or give it a destination of its own",
                       load.stream);
  } else if (job.file.name.empty()) {
    hint = fmt::format("run job {} instead, or name another destination", load.job);
  } else {
    hint = fmt::format(
        "name: {} in {} continues that job and replaces its load; else give this job a "
        "destination of its own",
        load.job, job.file.name);
  }
  return {.name = stream,
          .level = Level::kWarning,
          .detail = fmt::format("the destination has load {} of this table by {} {}; it "
                                "stays, and a reader would find two current loads",
                                load.load, of_job ? "stream" : "job",
                                of_job ? load.stream : load.job),
          .hint = std::move(hint)};
}

}  // namespace

std::vector<Finding> FindForeignLoads(const Job& job, const PlannedStreams& streams) {
  std::vector<Finding> findings;
  std::map<std::string, std::unique_ptr<Destination>> places;
  for (const Endpoint& place : streams.destinations) {
    if (!MayExist(place) || places.contains(place.uri)) continue;
    auto opened = OpenDestination(place);
    if (opened.ok()) {
      places[place.uri] = *std::move(opened);
    } else {
      places[place.uri] = nullptr;
      findings.push_back(
          {.name = "destination",
           .level = Level::kUnknown,
           .detail = fmt::format("not known whether other jobs have loads there: {}",
                                 opened.status().message())});
    }
  }
  std::vector<std::vector<Finding>> found(streams.specs.size());
  const Status looked =
      ForEachSideBySide(streams.specs.size(), kAskedAtOnce, [&](size_t i) -> Status {
        const auto place = places.find(streams.destinations[i].uri);
        if (place == places.end() || place->second == nullptr) return Status::OK();
        const StreamSpec& spec = streams.specs[i];
        ARROW_ASSIGN_OR_RAISE(auto entries, place->second->Loads(spec.relation.name));
        for (const LoadEntry& load : CurrentOf(std::move(entries))) {
          if (load.job != job.name || load.stream != spec.name)
            found[i].push_back(WarningOf(job, spec.name, load));
        }
        return Status::OK();
      });
  for (std::vector<Finding>& each : found)
    findings.insert(findings.end(), each.begin(), each.end());
  if (!looked.ok()) {
    findings.push_back(
        {.name = "destination",
         .level = Level::kUnknown,
         .detail = fmt::format("not known whether other jobs have loads there: {}",
                               looked.message())});
  }
  return findings;
}

}  // namespace sluice
