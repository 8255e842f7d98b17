#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/job.h"
#include "app/job_keys.h"
#include "base/nearest.h"

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
  explicit JobReader(const std::string& file) : file_(file) { job_.file = file; }

  Result<Job> Read(const YamlNode& root) {
    if (root.kind == YamlNode::Kind::kNull) {
      return Wrong(root, "the file is empty", "begin with: version: 1");
    }
    ARROW_RETURN_NOT_OK(Expect(root, YamlNode::Kind::kMap, "a job is a map of keys"));
    ARROW_RETURN_NOT_OK(CheckKeys("", root, ""));
    ARROW_RETURN_NOT_OK(ReadVersion(root));
    for (const auto& [key, value] : root.entries)
      ARROW_RETURN_NOT_OK(ReadKey(key.text, value));
    if (job_.name.empty()) ARROW_RETURN_NOT_OK(NameFromFile());
    ARROW_RETURN_NOT_OK(Require(root, job_.source.empty(), "source"));
    ARROW_RETURN_NOT_OK(Require(root, job_.destination.empty(), "destination"));
    ARROW_RETURN_NOT_OK(Require(root, job_.streams.empty(), "streams"));
    return std::move(job_);
  }

 private:
  Status ReadKey(std::string_view key, const YamlNode& value) {
    if (key == "name") return ReadName(value);
    if (key == "source") return ReadText(key, value, &job_.source);
    if (key == "destination") return ReadText(key, value, &job_.destination);
    if (key == "streams") return ReadStreams(value);
    if (key == "limits") return ReadLimits(value);
    return Status::OK();
  }

  Status Wrong(const YamlNode& node, std::string_view message,
               std::string hint = {}) const {
    return ErrorAt(file_, node.place, "job.value", message, std::move(hint));
  }

  /// An error about a value, given the place of that value.
  template <typename T>
  Result<T> Placed(const YamlNode& node, Result<T> result) const {
    if (result.ok()) return result;
    return ErrorAt(file_, node.place, IdOf(result.status()), result.status().message(),
                   std::string(HintOf(result.status())));
  }

  Status Expect(const YamlNode& node, YamlNode::Kind kind, std::string_view rule,
                std::string hint = {}) const {
    if (node.kind == kind) return Status::OK();
    return Wrong(node, fmt::format("{}, found {}", rule, Word(node.kind)),
                 std::move(hint));
  }

  Status Require(const YamlNode& root, bool missing, std::string_view key) const {
    if (!missing) return Status::OK();
    return ErrorAt(file_, root.place, "job.missing-key",
                   fmt::format("the key {} is missing", key),
                   fmt::format("{}: {}", key, FindJobKey("", key)->help));
  }

  Status CheckKeys(std::string_view section, const YamlNode& map,
                   std::string_view prefix) const {
    for (const auto& [key, value] : map.entries) {
      const JobKey* known = FindJobKey(section, key.text);
      const std::string shown = fmt::format("{}{}", prefix, key.text);
      if (known == nullptr) {
        return ErrorAt(file_, key.place, "job.unknown-key", "unknown key " + shown,
                       UnknownHint(section, key.text));
      }
      if (known->shape == KeyShape::kLater) {
        return ErrorAt(file_, key.place, "job.not-in-this-version",
                       fmt::format("the key {} is not in this version", shown),
                       LaterHint(section, key.text));
      }
    }
    return Status::OK();
  }

  static std::string UnknownHint(std::string_view section, std::string_view name) {
    if (name == "<<")
      return "merge keys are not supported; an alias stands for a whole stream";
    const std::string_view other = OtherSectionOf(section, name);
    if (other == "") return fmt::format("{} belongs at the top of the file", name);
    if (other != "-")
      return fmt::format("{} belongs under {}", name,
                         other == "limits" ? "limits" : "a stream");
    std::string hint = DidYouMean(name, JobKeyNames(section));
    if (!hint.empty()) return hint;
    hint = "known here:";
    for (const JobKey& key : JobKeys()) {
      if (key.section == section && key.shape != KeyShape::kLater)
        hint += fmt::format(" {}", key.name);
    }
    return hint;
  }

  static std::string LaterHint(std::string_view section, std::string_view name) {
    if (name == "on_type_mismatch")
      return "set it under a stream, or give --on-type-mismatch";
    for (const std::string_view flag :
         {"compression", "file_size", "verify", "consistency"}) {
      if (name != flag) continue;
      std::string option(name);
      std::replace(option.begin(), option.end(), '_', '-');
      return fmt::format("give --{} to sluice run", option);
    }
    if (section == "streams.*" && name == "destination")
      return "one job has one destination";
    return "remove the line";
  }

  Status ReadText(std::string_view key, const YamlNode& node, std::string* text) const {
    ARROW_RETURN_NOT_OK(
        Expect(node, YamlNode::Kind::kScalar, fmt::format("{} must be text", key)));
    if (node.text.empty()) return Wrong(node, fmt::format("{} is empty", key));
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

  Status ReadVersion(const YamlNode& root) const {
    for (const auto& [key, value] : root.entries) {
      if (key.text != "version") continue;
      if (value.kind == YamlNode::Kind::kScalar && value.text == "1") return Status::OK();
      return Wrong(value, fmt::format("version must be 1, found {}",
                                      value.kind == YamlNode::Kind::kScalar
                                          ? std::string_view(value.text)
                                          : Word(value.kind)));
    }
    return ErrorAt(file_, root.place, "job.missing-key", "the key version is missing",
                   "begin with: version: 1");
  }

  Status ReadName(const YamlNode& node) {
    ARROW_RETURN_NOT_OK(ReadText("name", node, &job_.name));
    const Status status = CheckJobName(job_.name);
    if (status.ok()) return status;
    return ErrorAt(file_, node.place, IdOf(status), status.message());
  }

  Status NameFromFile() {
    job_.name = std::filesystem::path(file_).stem().string();
    const Status status = CheckJobName(job_.name);
    if (status.ok()) return status;
    return ErrorAt(file_, {}, IdOf(status), status.message(),
                   "give the job a name: name: …");
  }

  Status ReadStreams(const YamlNode& node) {
    ARROW_RETURN_NOT_OK(Expect(node, YamlNode::Kind::kMap,
                               "streams must be a map of tables",
                               "write each table as a key: \"orders: {}\""));
    if (node.entries.empty())
      return Wrong(node, "streams names no table", "for every table: \"*\": {}");
    for (const auto& [key, value] : node.entries) {
      StreamEntry entry;
      entry.pattern = key.text;
      entry.place = key.place;
      if (key.text.empty()) return Wrong(key, "a stream without a name");
      ARROW_RETURN_NOT_OK(ReadStream(value, &entry));
      job_.streams.push_back(std::move(entry));
    }
    return Status::OK();
  }

  Status ReadStream(const YamlNode& node, StreamEntry* entry) const {
    if (node.kind == YamlNode::Kind::kNull) return Status::OK();
    const std::string prefix = fmt::format("streams.{}", entry->pattern);
    ARROW_RETURN_NOT_OK(Expect(node, YamlNode::Kind::kMap,
                               prefix + " must be a map of keys",
                               "without keys of its own: {}"));
    ARROW_RETURN_NOT_OK(CheckKeys("streams.*", node, prefix + "."));
    for (const auto& [key, value] : node.entries) {
      const std::string name = fmt::format("{}.{}", prefix, key.text);
      if (key.text == "columns") ARROW_RETURN_NOT_OK(ReadColumns(name, value, entry));
      if (key.text == "where") ARROW_RETURN_NOT_OK(ReadText(name, value, &entry->where));
      if (key.text == "on_type_mismatch")
        ARROW_RETURN_NOT_OK(ReadPolicy(name, value, entry));
    }
    return Status::OK();
  }

  Status ReadColumns(const std::string& name, const YamlNode& node,
                     StreamEntry* entry) const {
    ARROW_RETURN_NOT_OK(Expect(node, YamlNode::Kind::kList, name + " must be a list",
                               "write [id, total]"));
    if (node.items.empty())
      return Wrong(node, name + " names no column", "leave the key out for all columns");
    for (const YamlNode& item : node.items) {
      std::string column;
      ARROW_RETURN_NOT_OK(ReadText("a column's name", item, &column));
      for (const std::string& earlier : entry->columns) {
        if (earlier == column)
          return Wrong(item, fmt::format("{} names {} twice", name, column));
      }
      entry->columns.push_back(std::move(column));
    }
    return Status::OK();
  }

  Status ReadPolicy(const std::string& name, const YamlNode& node,
                    StreamEntry* entry) const {
    // A bare null is the policy of that name: YAML's word for nothing is what was meant.
    std::string word = "null";
    if (node.kind != YamlNode::Kind::kNull) {
      ARROW_RETURN_NOT_OK(
          Expect(node, YamlNode::Kind::kScalar, name + " must be a word"));
      word = node.text;
    }
    ARROW_ASSIGN_OR_RAISE(entry->on_type_mismatch,
                          Placed(node, MismatchPolicyFrom(word)));
    return Status::OK();
  }

  Status ReadLimits(const YamlNode& node) {
    if (node.kind == YamlNode::Kind::kNull) return Status::OK();
    ARROW_RETURN_NOT_OK(Expect(node, YamlNode::Kind::kMap, "limits must be a map of keys",
                               "write {memory: 512MiB, connections: 4}"));
    ARROW_RETURN_NOT_OK(CheckKeys("limits", node, "limits."));
    for (const auto& [key, value] : node.entries) {
      ARROW_RETURN_NOT_OK(Expect(value, YamlNode::Kind::kScalar,
                                 fmt::format("limits.{} must be one value", key.text)));
      if (key.text == "memory") {
        ARROW_ASSIGN_OR_RAISE(job_.settings.memory,
                              Placed(value, MemoryFrom(value.text)));
      } else {
        ARROW_ASSIGN_OR_RAISE(job_.settings.connections,
                              Placed(value, ConnectionsFrom(value.text)));
      }
    }
    return Status::OK();
  }

  const std::string& file_;
  Job job_;
};

}  // namespace

Result<Job> ParseJob(std::string_view text, const std::string& file) {
  ARROW_ASSIGN_OR_RAISE(const YamlNode root, ParseYaml(text, file));
  return JobReader(file).Read(root);
}

Result<Job> ReadJobFile(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    return Error(ErrorKind::kUsage, "job.no-such-file", "no such job file: " + path);
  }
  if (std::filesystem::is_directory(status)) {
    return Error(ErrorKind::kUsage, "job.no-such-file",
                 "expected a job file, found a folder: " + path);
  }
  // A pipe of the shell's, run <(…), is one of /dev/fd; any other would be waited for.
  const bool of_shell = path.starts_with("/dev/") || path.starts_with("/proc/self/fd/");
  if (!of_shell && status.type() != std::filesystem::file_type::regular &&
      status.type() != std::filesystem::file_type::unknown) {
    return Error(ErrorKind::kUsage, "job.no-such-file",
                 "expected a job file, found something else: " + path);
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    return Error(
        ErrorKind::kUsage, "job.unreadable",
        fmt::format("cannot read the job file, {}: {}", std::strerror(errno), path));
  }
  std::string text(static_cast<size_t>(kYamlBytesMax) + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(stream.gcount()));
  if (stream.bad())
    return Error(ErrorKind::kUsage, "job.unreadable",
                 "cannot read the job file: " + path);
  return ParseJob(text, path);
}

}  // namespace sluice
