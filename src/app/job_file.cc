#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>
#include <sstream>

#include "app/connectors.h"
#include "app/job.h"
#include "app/job_keys.h"
#include "app/secrets.h"
#include "app/type_names.h"
#include "app/yaml_tree.h"
#include "base/nearest.h"
#include "base/type_policy.h"

namespace sluice {
namespace {

std::string_view Word(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::kNull: return "nothing";
    case YamlNode::Kind::kScalar: return "a single value";
    case YamlNode::Kind::kList: return "a list";
    case YamlNode::Kind::kMap: return "a map";
  }
  return "nothing";
}

/// Words that YAML readers turn into a boolean or a null; here they stay words, and
/// rarely what was meant.
bool IsAmbiguous(const YamlNode& node) {
  if (node.quoted) return false;
  std::string lower = node.text;
  for (char& c : lower)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string_view word :
       {"yes", "no", "on", "off", "true", "false", "y", "n"}) {
    if (lower == word) return true;
  }
  return false;
}

class JobReader {
 public:
  JobReader(TextFile file, const JobRules& rules) : rules_(rules) {
    job_.file = std::move(file);
    for (size_t at = 0; at <= job_.file.text.size();) {
      lines_.push_back(at);
      at = std::min(job_.file.text.find('\n', at), job_.file.text.size()) + 1;
    }
  }

  Result<Job> Read(const YamlNode& root) {
    if (root.kind == YamlNode::Kind::kNull) {
      return ErrorAt(job_.file, {}, "job.value", "the file is empty",
                     "sluice job init SOURCE_URI writes one to begin with; by hand it "
                     "begins with: version: 1");
    }
    ARROW_RETURN_NOT_OK(Expect(root, YamlNode::Kind::kMap, "a job is a map of keys",
                               "begin with: version: 1"));
    ARROW_RETURN_NOT_OK(CheckKeys(kAtTop, root, ""));
    ARROW_RETURN_NOT_OK(ReadVersion(root));
    for (const auto& [key, value] : root.entries)
      ARROW_RETURN_NOT_OK(ReadKey(key, value));
    if (job_.name.empty()) ARROW_RETURN_NOT_OK(NameFromFile());
    ARROW_RETURN_NOT_OK(Require(root, job_.source.empty(), "source"));
    ARROW_RETURN_NOT_OK(Require(root, job_.destination.empty(), "destination"));
    ARROW_RETURN_NOT_OK(Require(root, job_.streams.empty(), "streams"));
    ARROW_RETURN_NOT_OK(ResolvePlaces(root));
    ARROW_RETURN_NOT_OK(CheckTypes(root));
    // Last: a file with mistakes asks no command for a password.
    for (const auto& [key, value] : root.entries) {
      if (key.text == "secrets") ARROW_RETURN_NOT_OK(ReadSecrets(value));
    }
    return std::move(job_);
  }

 private:
  Status ReadKey(const YamlNode& key, const YamlNode& value) {
    const std::string& name = key.text;
    if (name == "name") return ReadName(value);
    if (name == "source") return ReadUri(name, value, Replacing::kAll, &job_.source);
    if (name == "destination")
      return ReadUri(name, value, Replacing::kDestinations, &job_.destination);
    if (name == "streams") return ReadStreams(value);
    if (name == "limits") return ReadSection(kInLimits, name, value);
    if (name == "defaults") return ReadSection(kInDefaults, name, value);
    if (name == "consistency" || name == "verify") {
      if (!ShowSetting(name, job_.settings).empty()) {
        return ErrorAt(job_.file, key.place, "job.value",
                       fmt::format("{} is said twice, here and under defaults", name),
                       "remove one of the two");
      }
      return ReadSetting(name, name, value, &job_.settings);
    }
    return Status::OK();
  }

  Status Wrong(const YamlNode& node, std::string_view message,
               std::string hint = {}) const {
    return ErrorAt(job_.file, node.place, "job.value", message, std::move(hint));
  }

  /// An error about a value, given the place of that value.
  Status Placed(const YamlNode& node, const Status& status) const {
    if (status.ok()) return status;
    return ErrorAt(job_.file, node.place, IdOf(status), status.message(),
                   std::string(HintOf(status)));
  }

  Status Expect(const YamlNode& node, YamlNode::Kind kind, std::string_view rule,
                std::string hint = {}) const {
    if (node.kind == kind) return Status::OK();
    return Wrong(node, fmt::format("{}, found {}", rule, Word(node.kind)),
                 std::move(hint));
  }

  Status Require(const YamlNode& root, bool missing, std::string_view key) const {
    if (!missing) return Status::OK();
    return ErrorAt(job_.file, root.place, "job.missing-key",
                   fmt::format("the key {} is missing", key),
                   fmt::format("{}: {}", key, FindJobKey(kAtTop, key)->help));
  }

  Status CheckKeys(JobSection section, const YamlNode& map,
                   std::string_view prefix) const {
    for (const auto& [key, value] : map.entries) {
      const JobKey* known = FindJobKey(section, key.text);
      const std::string shown = fmt::format("{}{}", prefix, key.text);
      if (known == nullptr) {
        return ErrorAt(job_.file, key.place, "job.unknown-key", "unknown key " + shown,
                       UnknownHint(section, key.text));
      }
      if (known->shape == KeyShape::kLater) {
        return ErrorAt(
            job_.file, key.place, "job.not-in-this-version",
            fmt::format("the key {} is not in this version", shown),
            known->help.empty() ? "remove the line" : std::string(known->help));
      }
    }
    return Status::OK();
  }

  static std::string UnknownHint(JobSection section, std::string_view name) {
    if (name == "<<")
      return "merge keys are not supported; an alias stands for a whole stream";
    if (name == "policies") return "the policies are keys themselves: zero_date: null";
    if (name == "consistency")
      return "a run has one consistency: it belongs at the top of the file";
    const std::string other = OtherPlaceOf(section, name);
    if (!other.empty()) return fmt::format("{} belongs {}", name, other);
    std::string hint = DidYouMean(name, JobKeyNames(section));
    if (!hint.empty()) return hint;
    hint = "known here:";
    for (const JobKey& key : JobKeys()) {
      if ((key.sections & section) != 0 && key.shape != KeyShape::kLater)
        hint += fmt::format(" {}", key.name);
    }
    return hint;
  }

  Status ReadText(std::string_view key, const YamlNode& node, std::string* text) const {
    ARROW_RETURN_NOT_OK(Expect(node, YamlNode::Kind::kScalar,
                               fmt::format("{} must be text", key),
                               "text with : { } [ ] in it is written in quotes"));
    if (node.text.empty()) {
      return Wrong(node, fmt::format("{} is empty", key),
                   "give it a value, or remove the key");
    }
    if (IsAmbiguous(node)) {
      return Wrong(
          node,
          fmt::format("{} must be text, found {}, which YAML takes for yes or no", key,
                      node.text),
          fmt::format("if it is meant, write it in quotes: \"{}\"", node.text));
    }
    *text = node.text;
    return Status::OK();
  }

  /// A place that rows come from or go to, with what its references stand for.
  Status ReadUri(std::string_view key, const YamlNode& node, Replacing wanted_by,
                 std::string* uri) {
    ARROW_RETURN_NOT_OK(ReadText(key, node, uri));
    if (HasLiteralPassword(*uri)) {
      return ErrorAt(job_.file, node.place, "job.literal-secret",
                     fmt::format("a password stands in {} itself", key),
                     "write mysql://user@host/database and, as a key of its own, "
                     "secrets: {source.password: \"${env:SHOP_PASSWORD}\"}",
                     Showing::kUpToPlace);
    }
    if (key == "source") job_.password_from = PasswordFrom(PasswordIn(*uri), node);
    if (rules_.replacing > wanted_by) return Status::OK();
    auto replaced = ReplaceInUri(*uri, rules_);
    ARROW_RETURN_NOT_OK(Placed(node, replaced.status()));
    *uri = *std::move(replaced);
    return Status::OK();
  }

  std::string PasswordFrom(std::string_view reference, const YamlNode& node) const {
    const std::string shown = ShownReference(reference);
    if (shown.empty()) return shown;
    return fmt::format("{} ({}:{})", shown, job_.file.name, node.place.line);
  }

  Status ReadSecrets(const YamlNode& node) {
    if (node.kind == YamlNode::Kind::kNull) return Status::OK();
    ARROW_RETURN_NOT_OK(Expect(node, YamlNode::Kind::kMap,
                               "secrets must be a map of references",
                               "write {source.password: \"${env:SHOP_PASSWORD}\"}"));
    for (const auto& [key, value] : node.entries) {
      ARROW_RETURN_NOT_OK(CheckSecretName(key));
      const bool is_reference = value.kind == YamlNode::Kind::kScalar &&
                                value.text.starts_with("${") &&
                                value.text.find('}') == value.text.size() - 1;
      if (!is_reference) {
        return ErrorAt(
            job_.file, value.place, "job.literal-secret",
            fmt::format("secrets.{} must be a reference, found {}", key.text,
                        value.kind == YamlNode::Kind::kScalar ? "something else"
                                                              : Word(value.kind)),
            "write \"${env:SHOP_PASSWORD}\" or \"${file:/path}\"; the secret "
            "itself has no place in a job file",
            Showing::kUpToPlace);
      }
      if (rules_.replacing != Replacing::kAll) continue;
      const auto password = ReplaceReferences(value.text, rules_);
      ARROW_RETURN_NOT_OK(Placed(value, password.status()));
      auto source = WithPassword(job_.source, *password);
      ARROW_RETURN_NOT_OK(Placed(key, source.status()));
      job_.source = *std::move(source);
      job_.password_from = PasswordFrom(value.text, value);
    }
    return Status::OK();
  }

  Status CheckSecretName(const YamlNode& key) const {
    if (key.text == kSourcePassword) return Status::OK();
    std::string hint = DidYouMean(key.text, {std::string(kSourcePassword)});
    if (hint.empty()) hint = fmt::format("there is {}", kSourcePassword);
    if (key.text.starts_with("destination.")) {
      hint =
          "S3 takes credentials from where the AWS CLI does: its variables, profiles "
          "(?profile=NAME) and roles";
    }
    // What is like no name may be the secret itself.
    const bool is_name =
        key.text.find('.') != std::string::npos || hint.starts_with("did");
    return ErrorAt(job_.file, key.place, "job.unknown-key",
                   is_name ? fmt::format("unknown key secrets.{}", key.text)
                           : "a key under secrets that is none",
                   std::move(hint), is_name ? Showing::kLine : Showing::kUpToPlace);
  }

  /// Source and destinations as they will be opened, while their place in the file is known.
  Status ResolvePlaces(const YamlNode& root) const {
    for (const auto& [key, value] : root.entries) {
      if (key.text == "source" && rules_.replacing == Replacing::kAll)
        ARROW_RETURN_NOT_OK(Placed(value, ResolveSource(job_.source).status()));
      if (key.text == "destination" && rules_.replacing <= Replacing::kDestinations)
        ARROW_RETURN_NOT_OK(Placed(value, ResolveDestination(job_.destination).status()));
    }
    return Status::OK();
  }

  /// Where the source's types are known: what is said of others would be ignored.
  Status CheckTypes(const YamlNode& root) const {
    if (!HasKnownTypes(job_.source.substr(0, job_.source.find(':')))) return Status::OK();
    for (const auto& [key, value] : root.entries) {
      if (key.text == "defaults") ARROW_RETURN_NOT_OK(CheckTypesOf(value));
      if (key.text != "streams") continue;
      for (const auto& [name, stream] : value.entries)
        ARROW_RETURN_NOT_OK(CheckTypesOf(stream));
    }
    return Status::OK();
  }

  Status CheckTypesOf(const YamlNode& section) const {
    for (const auto& [key, value] : section.entries) {
      if (key.text != "type_policies") continue;
      for (const auto& [type, policies] : value.entries) {
        ARROW_RETURN_NOT_OK(Placed(type, CheckTypeName(type.text)));
        for (const auto& [policy, word] : policies.entries)
          ARROW_RETURN_NOT_OK(Placed(policy, CheckPolicyOfType(type.text, policy.text)));
      }
    }
    return Status::OK();
  }

  Status ReadVersion(const YamlNode& root) const {
    for (const auto& [key, value] : root.entries) {
      if (key.text != "version") continue;
      if (value.kind == YamlNode::Kind::kScalar && value.text == "1" && !value.quoted)
        return Status::OK();
      return Wrong(value,
                   fmt::format("version must be 1, found {}",
                               value.quoted ? "text in quotes"
                               : value.kind == YamlNode::Kind::kScalar
                                   ? std::string_view(value.text)
                                   : Word(value.kind)),
                   "this program reads job files of version 1");
    }
    return ErrorAt(job_.file, root.place, "job.missing-key", "the key version is missing",
                   "begin with: version: 1");
  }

  Status ReadName(const YamlNode& node) {
    ARROW_RETURN_NOT_OK(ReadText("name", node, &job_.name));
    return Placed(node, CheckJobName(job_.name));
  }

  Status NameFromFile() {
    if (!job_.file.names_job) {
      return ErrorAt(job_.file, {}, "job.missing-key",
                     "the key name is missing, and what is no file gives no name",
                     "begin with: name: nightly; what a run replaces is found by it");
    }
    job_.name = std::filesystem::path(job_.file.name).stem().string();
    const Status status = CheckJobName(job_.name);
    if (status.ok()) return status;
    return ErrorAt(job_.file, {}, IdOf(status), status.message(),
                   "give the job a name: name: …");
  }

  Status ReadStreams(const YamlNode& node) {
    std::string table = "orders";
    if (!node.items.empty() && !node.items[0].text.empty())
      table = YamlText(node.items[0].text);
    ARROW_RETURN_NOT_OK(
        Expect(node, YamlNode::Kind::kMap, "streams must be a map of tables",
               fmt::format("write each table as a key, not in a list: {}: {{}}", table)));
    if (node.entries.empty())
      return Wrong(node, "streams names no table", "for every table: \"*\": {}");
    bool any = false;
    for (const auto& [key, value] : node.entries) {
      StreamEntry entry;
      entry.pattern = key.text;
      entry.place = key.place;
      if (key.text.empty()) {
        return Wrong(key, "a stream without a name",
                     "write the table's name; for every table: \"*\": {}");
      }
      ARROW_RETURN_NOT_OK(ReadStream(value, &entry));
      any = any || !entry.exclude;
      job_.streams.push_back(std::move(entry));
    }
    if (any) return Status::OK();
    return Wrong(node, "streams only says what is excluded",
                 "add what is copied; for every other table: \"*\": {}");
  }

  Status ReadStream(const YamlNode& node, StreamEntry* entry) {
    if (node.kind == YamlNode::Kind::kNull) return Status::OK();
    const std::string prefix = fmt::format("streams.{}", entry->pattern);
    ARROW_RETURN_NOT_OK(Expect(node, YamlNode::Kind::kMap,
                               prefix + " must be a map of keys",
                               "without keys of its own: {}"));
    ARROW_RETURN_NOT_OK(CheckKeys(kInStream, node, prefix + "."));
    for (const auto& [key, value] : node.entries)
      ARROW_RETURN_NOT_OK(ReadStreamKey(prefix, key.text, value, entry));
    return CheckStream(prefix, node, *entry);
  }

  Status ReadStreamKey(const std::string& prefix, const std::string& key,
                       const YamlNode& value, StreamEntry* entry) {
    const std::string name = fmt::format("{}.{}", prefix, key);
    if (key == "columns") return ReadColumns(name, value, &entry->columns);
    if (key == "where") return ReadText(name, value, &entry->where);
    if (key == "sql") return ReadText(name, value, &entry->sql);
    if (key == "exclude") return ReadExclude(name, value, entry);
    if (key == "destination") {
      ARROW_RETURN_NOT_OK(
          ReadUri(name, value, Replacing::kDestinations, &entry->destination));
      if (rules_.replacing == Replacing::kNone) return Status::OK();
      return Placed(value, ResolveDestination(entry->destination).status());
    }
    return ReadSetting(key, name, value, &entry->settings);
  }

  /// What keys of one stream exclude each other.
  Status CheckStream(const std::string& prefix, const YamlNode& node,
                     const StreamEntry& entry) const {
    for (const auto& [key, value] : node.entries) {
      const std::string name = fmt::format("{}.{}", prefix, key.text);
      if (entry.exclude && key.text != "exclude") {
        return Wrong(key, fmt::format("{} has no meaning where exclude is", name),
                     "remove one of the two");
      }
      if (!entry.sql.empty() && (key.text == "columns" || key.text == "where")) {
        return Wrong(key, fmt::format("{} does not go with sql", name),
                     "the query itself picks columns and rows");
      }
      if (key.text == "sql") {
        const Status status = CheckStreamName(entry.pattern);
        if (!status.ok()) {
          return ErrorAt(job_.file, entry.place, IdOf(status), status.message(),
                         std::string(HintOf(status)));
        }
      }
    }
    return Status::OK();
  }

  Status ReadExclude(const std::string& name, const YamlNode& node,
                     StreamEntry* entry) const {
    entry->exclude =
        node.kind == YamlNode::Kind::kScalar && node.text == "true" && !node.quoted;
    if (entry->exclude) return Status::OK();
    return Wrong(
        node,
        fmt::format("{} must be true, found {}", name,
                    node.kind == YamlNode::Kind::kScalar ? std::string_view(node.text)
                                                         : Word(node.kind)),
        "leave the key out for tables that are copied");
  }

  Status ReadColumns(const std::string& name, const YamlNode& node,
                     std::vector<std::string>* columns) const {
    ARROW_RETURN_NOT_OK(Expect(node, YamlNode::Kind::kList, name + " must be a list",
                               "write [id, total]"));
    if (node.items.empty())
      return Wrong(node, name + " names no column", "leave the key out for all columns");
    std::set<std::string> seen;
    for (const YamlNode& item : node.items) {
      std::string column;
      ARROW_RETURN_NOT_OK(ReadText("a column's name", item, &column));
      if (!seen.insert(column).second) {
        return Wrong(item, fmt::format("{} names {} twice", name, column),
                     "remove one of the two");
      }
      columns->push_back(std::move(column));
    }
    return Status::OK();
  }

  /// Keys of `defaults` and `limits`.
  Status ReadSection(JobSection section, const std::string& name, const YamlNode& node) {
    if (node.kind == YamlNode::Kind::kNull) return Status::OK();
    ARROW_RETURN_NOT_OK(
        Expect(node, YamlNode::Kind::kMap, name + " must be a map of keys",
               section == kInLimits ? "write {memory: 512MiB, connections: 4}"
                                    : "write {compression: zstd:3, file_size: 128MiB}"));
    ARROW_RETURN_NOT_OK(CheckKeys(section, node, name + "."));
    for (const auto& [key, value] : node.entries) {
      if (key.text == "verify" && job_.settings.verify) {
        return ErrorAt(job_.file, key.place, "job.value",
                       "verify is said twice, here and at the top",
                       "remove one of the two");
      }
      ARROW_RETURN_NOT_OK(ReadSetting(key.text, fmt::format("{}.{}", name, key.text),
                                      value, &job_.settings));
    }
    return Status::OK();
  }

  /// What may be said of all streams or of one, and what is a flag too.
  Status ReadSetting(const std::string& key, const std::string& name,
                     const YamlNode& node, Settings* settings) const {
    if (key == "mode" || key == "format") return ReadOnlyWord(key, name, node);
    if (key == "type_policies") return ReadPolicies(name, node, &settings->type_policies);
    if (key == "column_policies")
      return ReadPolicies(name, node, &settings->column_policies);
    if (key == "uuid") {
      std::vector<std::string> columns;
      ARROW_RETURN_NOT_OK(ReadColumns(name, node, &columns));
      for (const std::string& column : columns)
        settings->column_policies[column]["uuid"] = "fixed";
      return Status::OK();
    }
    if (node.quoted && (key == "keep_versions" || key == "connections"))
      return Wrong(node, name + " must be a number, found text in quotes",
                   "remove the quotes");
    std::string word;
    ARROW_RETURN_NOT_OK(ReadWord(name, node, &word));
    return Placed(node, SetSetting(key, word, settings));
  }

  /// A value that is one word. YAML's null is the word where it is written: nothing at all is
  /// nothing.
  Status ReadWord(const std::string& name, const YamlNode& node,
                  std::string* word) const {
    if (node.kind == YamlNode::Kind::kNull && IsWrittenNull(node)) {
      *word = "null";
      return Status::OK();
    }
    ARROW_RETURN_NOT_OK(Expect(node, YamlNode::Kind::kScalar, name + " must be one value",
                               "give it a value, or remove the key"));
    *word = node.text;
    return Status::OK();
  }

  bool IsWrittenNull(const YamlNode& node) const {
    std::string_view line = job_.file.text;
    const auto row = static_cast<size_t>(std::max(1, node.place.line)) - 1;
    if (row >= lines_.size()) return false;
    line.remove_prefix(
        std::min(line.size(),
                 lines_[row] + static_cast<size_t>(std::max(0, node.place.column - 1))));
    if (line.starts_with('&'))
      line.remove_prefix(std::min(line.find_first_of(" \n"), line.size() - 1) + 1);
    return line.starts_with("null");
  }

  Status ReadOnlyWord(const std::string& key, const std::string& name,
                      const YamlNode& node) const {
    std::string word;
    ARROW_RETURN_NOT_OK(ReadWord(name, node, &word));
    const std::string_view only = FindJobKey(kInStream, key)->words;
    if (word == only) return Status::OK();
    return ErrorAt(job_.file, node.place, "job.not-in-this-version",
                   fmt::format("{} {} is not in this version, only {}", name, word, only),
                   "remove the key");
  }

  Status ReadPolicies(const std::string& name, const YamlNode& node,
                      std::map<std::string, Policies>* all) const {
    ARROW_RETURN_NOT_OK(Expect(node, YamlNode::Kind::kMap,
                               name + " must be a map of maps",
                               "write {datetime: {zero_date: string}}"));
    for (const auto& [of, policies] : node.entries) {
      const std::string inner = fmt::format("{}.{}", name, of.text);
      ARROW_RETURN_NOT_OK(Expect(policies, YamlNode::Kind::kMap,
                                 inner + " must be a map of policies",
                                 "write {zero_date: string}"));
      for (const auto& [policy, value] : policies.entries) {
        if (policy.text != "on_type_mismatch" && FindTypePolicy(policy.text) == nullptr)
          return Placed(policy, CheckPolicyWord(policy.text, ""));
        std::string word;
        ARROW_RETURN_NOT_OK(
            ReadWord(fmt::format("{}.{}", inner, policy.text), value, &word));
        ARROW_RETURN_NOT_OK(Placed(value, CheckPolicyWord(policy.text, word)));
        (*all)[of.text][policy.text] = word;
      }
    }
    return Status::OK();
  }

  const JobRules rules_;
  Job job_;
  std::vector<size_t> lines_;  // where each begins
};

}  // namespace

Result<Job> ParseJob(TextFile file, const JobRules& rules) {
  // Editors put a mark at the beginning that is no part of the text.
  if (file.text.starts_with("\xEF\xBB\xBF")) file.text.erase(0, 3);
  ARROW_ASSIGN_OR_RAISE(const YamlNode root, ParseYaml(file));
  return JobReader(std::move(file), rules).Read(root);
}

Status CheckStreamName(std::string_view name) {
  constexpr std::string_view kHint =
      "a query's rows need a name of their own, such as big_spenders";
  if (name.find_first_of("*?") != std::string_view::npos) {
    return Error(ErrorKind::kUsage, "job.stream-name",
                 fmt::format("not usable as a query's name, it is a glob: {}", name),
                 std::string(kHint));
  }
  const Status status = CheckJobName(name);
  if (status.ok()) return status;
  return Error(ErrorKind::kUsage, "job.stream-name",
               fmt::format("{} (of a query)", status.message()), std::string(kHint));
}

Result<Job> ReadJobFile(const std::string& path, const JobRules& rules) {
  ARROW_ASSIGN_OR_RAISE(TextFile file, ReadYamlFile(path));
  return ParseJob(std::move(file), rules);
}

}  // namespace sluice
