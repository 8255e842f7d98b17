#include "cli/options.h"

#include <fmt/format.h>

#include <array>
#include <deque>

#include "app/settings.h"
#include "base/type_policy.h"

namespace sluice::cli {
namespace {

constexpr unsigned kMoves = kCopy | kRun;
constexpr unsigned kEvery = kCopy | kRun | kPlan | kCheck | kDiscover | kVerify |
                            kStatus | kGc | kVersion | kJob | kLog | kConnectors;
using enum OptionShape;

constexpr auto kOptions = std::to_array<Option>({
    {"--table", "T", kValues, kCopy | kPlan | kCheck,
     "a table: its name, schema.table or a glob; \"a.b\" quotes a dot (default: every "
     "base table)"},
    {"--columns", "A,B", kValue, kCopy | kPlan,
     "only these columns, in this order; needs one --table"},
    {"--where", "SQL", kValue, kCopy | kPlan,
     "only rows for which this expression is true; needs one --table"},
    {"--sql", "QUERY", kValue, kCopy | kPlan | kCheck,
     "the rows of this query instead of a table; needs --as"},
    {"--as", "NAME", kValue, kCopy | kPlan | kCheck,
     "what the rows of --sql are called: their folder, and the load that is found again"},
    {"--stream", "S", kValues, kRun | kPlan | kVerify, "only this stream of the job"},
    {"--on-type-mismatch", "POLICY", kValue, kMoves | kPlan,
     "a value that does not fit its column's type: error (default), null or string"},
    {"--path", "TEMPLATE", kValue, kMoves | kPlan,
     "of a load's folder (default {schema}/{table}/{load}): begins with {schema}/{table}/, "
     "holds {load}; also {stream} {job} {year} {month} {day} {hour} {date}"},
    {"--keep-versions", "N", kValue, kMoves | kPlan,
     "committed loads of a stream that stay, the new one among them (default 1)"},
    {"--compression", "CODEC", kValue, kMoves | kPlan,
     "zstd[:LEVEL] (default zstd:1), snappy or none"},
    {"--file-size", "SIZE", kValue, kMoves | kPlan,
     "upper bound of a file (default 128MiB)"},
    {"--verify", "DEPTH", kValue, kMoves | kPlan,
     "before the commit: counts (default), or content, which reads every row back"},
    {"--consistency", "KIND", kValue, kMoves | kPlan,
     "snapshot (default), per-chunk, or snapshot-strict, which never mixes two"},
    {"--connections", "N", kValue, kMoves | kPlan,
     "sessions with the source, and workers (default 2)"},
    {"--memory", "SIZE", kValue, kMoves | kPlan,
     "bytes of rows held at once (default 256MiB); a row may have a quarter of it"},
    {"--rate", "SIZE/s", kValue, kMoves | kPlan,
     "decoded bytes a second read from the source (default: as fast as it goes)"},
    {"--resume", "", kFlag, kMoves, "insist that there is an unfinished load to resume"},
    {"--restart", "", kFlag, kMoves, "discard an unfinished load and begin anew"},
    {"--mode", "MODE", kValue, kCopy | kPlan, "full, the only one in this version"},
    {"--format", "FORMAT", kValue, kCopy | kPlan,
     "parquet, the only one in this version"},
    {"--execute", "", kLater, kRun, ""},
    {"--depth", "DEPTH", kValue, kVerify,
     "counts (default), or content, which reads every row"},
    {"--strict", "", kFlag, kVerify, "a source that has changed since is a mismatch too"},
    {"--source", "URI", kValue, kVerify,
     "of a manifest: compare with this database as well"},
    {"--older-than", "AGE", kValue, kGc,
     "a load this state does not know is collected only when older (default 7d)"},
    {"--abandon", "LOAD", kValues, kGc,
     "discard this unfinished load, so that its leftovers go"},
    {"--dry-run", "", kFlag, kGc, "say what would go, remove nothing"},
    {"--allow-commands", "", kFlag,
     kRun | kPlan | kCheck | kVerify | kStatus | kGc | kLog,
     "run the commands of ${cmd:…} references in the job file"},
    {"--output", "FILE", kValue, kJob, "write there instead of to stdout; -o for short"},
    {"--run", "ID", kValue, kLog, "only this run; the beginning of its id will do"},
    {"--limit", "N", kValue, kLog, "at most so many runs (default 10)"},
    {"--man", "", kFlag, kHelp, "the manual page, for man(1)"},
    {"--state", "PATH", kValue, kEvery & ~(kVersion | kDiscover | kJob | kConnectors),
     "the state: a file (default $XDG_STATE_HOME/sluice/state.db, else "
     "~/.local/state/sluice/state.db), or mysql://user@host/database"},
    {"--json", "", kFlag, kEvery, "one result object on stdout"},
    {"--progress", "KIND", kChoice, kMoves,
     "auto (live on a terminal, else plain), plain, live, json (an object a second on "
     "stderr) or none; without a word auto, with --json and --quiet too"},
    {"--no-progress", "", kFlag, kMoves, "no progress, but the rest"},
    {"--quiet", "", kFlag, kEvery, "only warnings and errors"},
    {"--verbose", "", kFlag, kEvery, "every step, with its time"},
    {"--log-format", "FORMAT", kValue, kEvery, "of stderr: human (default) or json"},
    {"--help", "", kFlag, kEvery, "this text"},
});

constexpr auto kVerbs = std::to_array<Verb>({
    {"copy", kCopy, "SOURCE_URI DEST_URI", 2, 2,
     "copy tables into files, without a job file",
     "sluice copy shop.db lake\n"
     "sluice copy sqlite:///data/shop.db file:///lake --table orders --table lines\n"
     "sluice copy shop.db lake --table orders --columns id,total --where \"total > "
     "100\"\n"},
    {"run", kRun, "JOB", 1, 1, "run a job file",
     "sluice run shop.yaml\n"
     "sluice run shop.yaml --stream orders --connections 4\n"
     "sluice run shop.yaml --restart\n"},
    {"plan", kPlan, "JOB | SOURCE_URI DEST_URI", 1, 2,
     "show what would happen; writes nothing",
     "sluice plan shop.yaml\n"
     "sluice plan shop.db lake --table orders\n"},
    {"check", kCheck, "JOB | URI | SOURCE_URI DEST_URI", 1, 2,
     "try the source, the destination and the state",
     "sluice check shop.yaml\n"
     "sluice check file:///lake\n"},
    {"discover", kDiscover, "SOURCE_URI", 1, 1,
     "list tables, keys, sizes and types as they will arrive",
     "sluice discover shop.db\n"
     "sluice discover sqlite:///data/shop.db --json\n"},
    {"verify", kVerify, "JOB | MANIFEST_URI", 1, 1,
     "compare source, manifest and stored bytes",
     "sluice verify shop.yaml --depth content\n"
     "sluice verify lake/main/orders/_sluice/0198c7a2-….json --source shop.db\n"},
    {"status", kStatus, "[JOB]", 0, 1,
     "jobs, who holds them, what is left, what to do next",
     "sluice status\n"
     "sluice status shop.yaml --json\n"},
    {"log", kLog, "[JOB]", 0, 1, "past runs: rows, bytes, seconds, what was read",
     "sluice log\n"
     "sluice log shop.yaml --limit 3\n"
     "sluice log --run 0198c7a2 --json\n"},
    {"gc", kGc, "JOB | DEST_URI", 1, 1, "remove what no load needs any more",
     "sluice gc shop.yaml --dry-run\n"
     "sluice gc file:///lake --older-than 2d\n"
     "sluice gc shop.yaml --abandon 0198c7a2-…\n"},
    {"job", kJob, "init SOURCE_URI | schema", 1, 2,
     "write a job file to begin with, or its schema for editors",
     "sluice job init shop.db\n"
     "sluice job init 'mysql://reader:${env:SHOP_PASSWORD}@db/shop' -o shop.yaml\n"
     "sluice job schema > job.schema.json\n"},
    {"connectors", kConnectors, "[SCHEME]", 0, 1,
     "sources, destinations and their options",
     "sluice connectors\n"
     "sluice connectors mysql\n"
     "sluice connectors --json\n"},
    {"completion", kCompletion, "bash | zsh | fish", 1, 1,
     "a script with which the shell completes sluice",
     "source <(sluice completion bash)\n"
     "sluice completion zsh > ~/.zfunc/_sluice\n"
     "sluice completion fish > ~/.config/fish/completions/sluice.fish\n"},
    {"version", kVersion, "", 0, 0, "of the program and of what it stands on",
     "sluice version --json\n"},
    {"help", kHelp, "[VERB | TOPIC]", 0, 2, "this list, one verb, or a topic: see below",
     "sluice help copy\n"
     "sluice help exit-codes\n"
     "sluice help --man copy | man -l -\n"},
});

constexpr auto kLaterVerbs = std::to_array<std::string_view>(
    {"archive", "purge", "restore", "dump", "load", "plan-chunks", "run-chunk", "commit",
     "pause", "resume", "repair", "state", "import", "schedule", "serve", "sync",
     "backfill"});

/// "a date that is none: error, null or string (default: as --on-type-mismatch)".
std::string HelpOf(const TypePolicy& policy) {
  if (policy.name == "uuid")
    return "columns of BINARY(16) or UUID that arrive as UUIDs of 16 bytes";
  std::string words;
  for (const char c : policy.words)
    words += c == ' ' ? std::string(" or ") : std::string(1, c);
  return fmt::format(
      "{}: {} (default: {})", policy.help, words,
      policy.default_word.empty() ? "as --on-type-mismatch" : policy.default_word);
}

struct Choices {
  std::string_view option;
  std::string_view words;
};
constexpr auto kChoices = std::to_array<Choices>({
    {"--on-type-mismatch", "error null string"},
    {"--compression", "zstd snappy none"},
    {"--verify", "counts content"},
    {"--depth", "counts content"},
    {"--consistency", "snapshot per-chunk snapshot-strict"},
    {"--mode", "full"},
    {"--format", "parquet"},
    {"--log-format", "human json"},
    {"--progress", "auto plain live json none"},
});

}  // namespace

std::span<const Option> Options() {
  static const std::vector<Option> options = [] {
    static std::deque<std::string> texts;  // what the options' views look at
    const auto keep = [](std::string text) -> std::string_view {
      return texts.emplace_back(std::move(text));
    };
    std::vector<Option> all;
    for (const Option& option : kOptions) {
      all.push_back(option);
      if (option.name != "--on-type-mismatch") continue;
      for (const TypePolicy& policy : TypePolicies()) {
        const bool is_list = policy.name == "uuid";
        all.push_back({keep(FlagOf(policy.name)), is_list ? "A,B" : "POLICY", kValue,
                       kMoves | kPlan, keep(HelpOf(policy))});
      }
    }
    return all;
  }();
  return options;
}
std::span<const Verb> Verbs() { return kVerbs; }
std::span<const std::string_view> LaterVerbs() { return kLaterVerbs; }

const Verb* FindVerb(std::string_view name) {
  for (const Verb& verb : kVerbs) {
    if (verb.name == name) return &verb;
  }
  return nullptr;
}

std::string_view ChoicesOf(std::string_view option) {
  for (const Choices& choices : kChoices) {
    if (choices.option == option) return choices.words;
  }
  for (const TypePolicy& policy : TypePolicies()) {
    if (policy.name != "uuid" && FlagOf(policy.name) == option) return policy.words;
  }
  return {};
}

bool IsChoiceOf(std::string_view option, std::string_view word) {
  std::string_view words = ChoicesOf(option);
  while (!words.empty()) {
    const size_t space = words.find(' ');
    if (words.substr(0, space) == word) return true;
    words =
        space == std::string_view::npos ? std::string_view() : words.substr(space + 1);
  }
  return false;
}

std::string Arguments::Value(std::string_view option) const {
  const auto found = options.find(option);
  return found == options.end() || found->second.empty() ? std::string()
                                                         : found->second.front();
}

std::vector<std::string> Arguments::Values(std::string_view option) const {
  const auto found = options.find(option);
  return found == options.end() ? std::vector<std::string>() : found->second;
}

}  // namespace sluice::cli
