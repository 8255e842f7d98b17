#include "app/policy_advice.h"

#include <fmt/format.h>

#include "app/streams.h"
#include "app/yaml_tree.h"

namespace sluice {
namespace {

constexpr std::string_view kMisfit = "source.type-mismatch";
constexpr std::string_view kFlag = "--on-type-mismatch null";

/// What a source's hint begins with, and the policy it means. Of a server's values the first whose
/// `found` stands in the message; the flag for all is the last.
struct Sign {
  std::string_view found, phrase, policy, word;
  bool of_server = true;
};
constexpr Sign kSigns[] = {
    {"which is no date", kFlag, "zero_date", "null"},
    {"error value of the ENUM", kFlag, "enum_error", "null"},
    {"", "tinyint1: int", "tinyint1", "int"},
    {"", "time: string", "time", "string"},
    {"", "invalid_utf8: replace", "invalid_utf8", "replace"},
    {"", kFlag, "on_type_mismatch", "null", /*of_server=*/false},
};

bool Fits(const Sign& sign, const Status& failure, bool is_server) {
  return (is_server || !sign.of_server) && HintOf(failure).starts_with(sign.phrase) &&
         failure.message().find(sign.found) != std::string::npos;
}

/// Under which the file names the stream: "shop.orders" is the stream orders.
std::string KeyOf(const Job& job, const std::string& stream) {
  for (const StreamEntry& entry : job.streams) {
    if (!IsGlob(entry.pattern) && SplitTableName(entry.pattern).back() == stream)
      return entry.pattern;
  }
  return stream;
}

}  // namespace

Status AdvisePolicy(const Status& failure, const Job& job, const std::string& stream,
                    bool is_server) {
  if (failure.ok() || IdOf(failure) != kMisfit) return failure;
  for (const Sign& sign : kSigns) {
    if (!Fits(sign, failure, is_server)) continue;
    std::string hint = job.file.name.empty()
                           ? fmt::format("{} {}", FlagOf(sign.policy), sign.word)
                           : fmt::format("streams: {{{}: {{{}: {}}}}} in {}",
                                         YamlText(KeyOf(job, stream)), sign.policy,
                                         sign.word, job.file.name);
    hint += HintOf(failure).substr(sign.phrase.size());
    if (hint.find("--restart") == std::string::npos)
      hint += "; add --restart, as the unfinished load keeps its policy";
    return Error(KindOf(failure), kMisfit, failure.message(), std::move(hint));
  }
  return failure;
}

bool FailsAgain(const Status& failure) { return IdOf(failure) == kMisfit; }

}  // namespace sluice
