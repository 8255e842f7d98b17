#include "app/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <unordered_map>

#include "arrow/util/utf8.h"

namespace sluice {
namespace {

Place PlaceOf(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

Place PlaceOfByte(std::string_view text, size_t byte) {
  Place place{1, 1};
  for (size_t i = 0; i < byte; ++i) {
    if (text[i] == '\n') {
      ++place.line;
      place.column = 1;
    } else {
      ++place.column;
    }
  }
  return place;
}

/// Thrown through yaml-cpp, caught in ParseYaml.
struct Stopped {
  Place place;
  std::string message, hint;
};

int64_t CountNodes(const YamlNode& node) {
  int64_t count = 1;
  for (const YamlNode& item : node.items) count += CountNodes(item);
  for (const auto& [key, value] : node.entries) count += 1 + CountNodes(value);
  return count;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  std::optional<YamlNode> root;
  Place last_quoted;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add(Node(mark, YamlNode::Kind::kNull), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw Stopped{PlaceOf(mark),
                    "an alias to something that contains it or does not exist",
                    "write the keys out, or put the anchor (&name) on an earlier stream"};
    }
    nodes_ += found->second.nodes;
    CheckNodes(PlaceOf(mark));
    Attach(found->second.node);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    RefuseTag(mark, tag);
    YamlNode node = Node(mark, YamlNode::Kind::kScalar);
    node.text = value;
    node.quoted = tag == "!";
    if (node.quoted) last_quoted = node.place;
    Add(std::move(node), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    RefuseTag(mark, tag);
    Push(Node(mark, YamlNode::Kind::kList), anchor);
  }
  void OnSequenceEnd() override { Pop(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    RefuseTag(mark, tag);
    Push(Node(mark, YamlNode::Kind::kMap), anchor);
  }
  void OnMapEnd() override { Pop(); }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    std::optional<YamlNode> key;
    std::map<std::string, int> lines;  // of the keys so far
  };
  struct Anchored {
    YamlNode node;
    int64_t nodes = 0;
  };

  /// "?" and "!" are how the parser says: none, and in quotes.
  static void RefuseTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw Stopped{PlaceOf(mark), "tags are not allowed, found " + tag,
                  "remove the tag; text that begins with ! is written in quotes"};
  }

  YamlNode Node(const YAML::Mark& mark, YamlNode::Kind kind) {
    ++nodes_;
    CheckNodes(PlaceOf(mark));
    YamlNode node;
    node.kind = kind;
    node.place = PlaceOf(mark);
    return node;
  }
  void CheckNodes(Place place) const {
    if (nodes_ <= kYamlNodesMax) return;
    throw Stopped{
        place,
        fmt::format("more than {} values, aliases counted with all they stand for",
                    kYamlNodesMax),
        "write out what the aliases stand for, or make several jobs of it"};
  }
  void Add(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) anchors_[anchor] = {node, 1};
    Attach(std::move(node));
  }
  void Push(YamlNode node, YAML::anchor_t anchor) {
    if (open_.size() >= static_cast<size_t>(kYamlDepthMax)) {
      throw Stopped{node.place, fmt::format("nested more than {} deep", kYamlDepthMax),
                    "a job nests four deep: check brackets and indentation"};
    }
    open_.push_back({std::move(node), anchor, std::nullopt, {}});
  }
  void Pop() {
    Open done = std::move(open_.back());
    open_.pop_back();
    if (done.anchor != YAML::NullAnchor)
      anchors_[done.anchor] = {done.node, CountNodes(done.node)};
    Attach(std::move(done.node));
  }
  void Attach(YamlNode node) {
    if (open_.empty()) {
      root = std::move(node);
      return;
    }
    Open& open = open_.back();
    if (open.node.kind == YamlNode::Kind::kList) {
      open.node.items.push_back(std::move(node));
    } else if (open.key) {
      // What is not there has the place of what comes next; it is missed at its key.
      if (node.kind == YamlNode::Kind::kNull && node.place.line != open.key->place.line)
        node.place = open.key->place;
      open.node.entries.push_back({std::move(*open.key), std::move(node)});
      open.key.reset();
    } else {
      TakeKey(std::move(node), &open);
    }
  }
  static void TakeKey(YamlNode node, Open* open) {
    if (node.kind != YamlNode::Kind::kScalar) {
      throw Stopped{node.place,
                    "expected a word before the colon, found a list, a map or nothing",
                    "text that begins with [ { * or ? is written in quotes"};
    }
    const auto [found, fresh] = open->lines.emplace(node.text, node.place.line);
    if (!fresh) {
      throw Stopped{node.place,
                    fmt::format("the key {} appears twice, first in line {}", node.text,
                                found->second),
                    "remove one of the two"};
    }
    open->key = std::move(node);
  }

  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, Anchored> anchors_;
  int64_t nodes_ = 0;
};

Status CheckBytes(const TextFile& file) {
  const std::string_view text = file.text;
  if (const auto size = static_cast<int64_t>(text.size()); size > kYamlBytesMax)
    return YamlTooLarge(file.name, size);
  const size_t nul = text.find('\0');
  if (nul != std::string_view::npos) {
    return ErrorAt(file, PlaceOfByte(text, nul), "job.syntax",
                   "a NUL byte in a text file", "save the file as UTF-8 text");
  }
  arrow::util::InitializeUTF8();
  if (!arrow::util::ValidateUTF8(text)) {
    size_t good = 0;  // The longest valid beginning, by halving.
    for (size_t step = text.size(); step > 0; step /= 2) {
      while (good + step <= text.size() &&
             arrow::util::ValidateUTF8(text.substr(0, good + step)))
        good += step;
    }
    return ErrorAt(file, PlaceOfByte(text, good), "job.syntax",
                   "bytes that are not UTF-8", "save the file as UTF-8 text");
  }
  return Status::OK();
}

/// yaml-cpp closes an open quote at the end of the text; only the last quoted scalar can
/// be one.
bool IsOpenQuote(std::string_view text, Place place) {
  for (int line = 1; line < place.line; ++line) text.remove_prefix(text.find('\n') + 1);
  text.remove_prefix(std::min(text.size(), static_cast<size_t>(place.column - 1)));
  if (text.empty() || (text[0] != '"' && text[0] != '\'')) return false;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[0] == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == text[0]) {
      if (text[0] == '"' || i + 1 == text.size() || text[i + 1] != '\'') return false;
      ++i;
    }
  }
  return true;
}

/// What most often makes a line of a job file no YAML, and its cure.
std::string SyntaxHint(std::string_view line, const std::string& message) {
  if (line.find('\t') != std::string_view::npos)
    return "indent with spaces; YAML allows no tabs there";
  const size_t word = line.find_first_not_of(' ');
  if (word != std::string_view::npos && (line[word] == '*' || line[word] == '?'))
    return "a glob is written in quotes: \"tmp_*\": {}";
  const size_t colon = line.find(": ");
  const std::string_view value =
      colon == std::string_view::npos ? std::string_view() : line.substr(colon + 2);
  if (value.find_first_of(":{}[]&*%@`") != std::string_view::npos &&
      message != "illegal flow end" && line.find('{') == std::string_view::npos)
    return "a value with : { } [ ] * % or @ in it is written in quotes";
  if (message == "end of map not found" || message == "illegal map value")
    return "keys that belong together begin in the same column";
  return "check quotes, brackets and indentation of this line and the one above";
}

Status SyntaxError(const TextFile& file, const YAML::Exception& error) {
  const Place place = PlaceOf(error.mark);
  std::string hint = SyntaxHint(LineAt(file.text, place.line), error.msg);
  return ErrorAt(file, place, "job.syntax", "not valid YAML, " + error.msg,
                 std::move(hint));
}

/// Words that YAML does not take for text.
constexpr std::string_view kNoText[] = {"null", "true", "false", "yes", "no",
                                        "on",   "off",  "y",     "n"};

bool IsPlain(std::string_view text) {
  const auto is_letter = [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  if (text.empty() || !is_letter(text[0])) return false;
  for (const char c : text) {
    if (!is_letter(c) && (c < '0' || c > '9')) return false;
  }
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return std::ranges::count(kNoText, lower) == 0;
}

}  // namespace

Status YamlTooLarge(const std::string& name, int64_t size) {
  return ErrorAt({name, {}}, {}, "job.syntax",
                 fmt::format("a job file has at most {} MiB, found {} bytes",
                             kYamlBytesMax >> 20, size),
                 "globs and defaults say much in few lines; or make several jobs of it");
}

Result<YamlNode> ParseYaml(const TextFile& file) {
  const std::string_view text = file.text;
  ARROW_RETURN_NOT_OK(CheckBytes(file));
  std::istringstream stream{std::string(text)};
  TreeBuilder builder;
  try {
    YAML::Parser parser(stream);
    const bool found = parser.HandleNextDocument(builder);
    TreeBuilder second;
    if (found && parser.HandleNextDocument(second) && second.root &&
        second.root->kind != YamlNode::Kind::kNull) {
      return ErrorAt(file, second.root->place, "job.syntax",
                     "a second document in one file", "one file holds one job");
    }
  } catch (const Stopped& stopped) {
    return ErrorAt(file, stopped.place, "job.syntax", stopped.message, stopped.hint);
  } catch (const YAML::Exception& error) {
    return SyntaxError(file, error);
  } catch (const std::exception& error) {
    return ErrorAt(file, {}, "job.syntax",
                   std::string("not readable as YAML, ") + error.what(),
                   "sluice job init writes a file to begin with");
  }
  if (builder.last_quoted.line > 0 && IsOpenQuote(text, builder.last_quoted)) {
    return ErrorAt(file, builder.last_quoted, "job.syntax",
                   "a quote that is never closed", "close it on the same line");
  }
  if (!builder.root) return YamlNode{};
  return std::move(*builder.root);
}

std::string YamlText(std::string_view text) {
  if (IsPlain(text)) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

Result<TextFile> ReadYamlFile(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    return Error(ErrorKind::kUsage, "job.no-such-file", "no such job file: " + path,
                 "sluice job init SOURCE_URI writes one to begin with");
  }
  if (std::filesystem::is_directory(status)) {
    return Error(ErrorKind::kUsage, "job.no-such-file",
                 "expected a job file, found a folder: " + path,
                 "a job file ends in .yaml; of a folder as destination name the source "
                 "before it");
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
        fmt::format("cannot read the job file, {}: {}", std::strerror(errno), path),
        "give this user read access to it");
  }
  std::string text(static_cast<size_t>(kYamlBytesMax) + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(stream.gcount()));
  if (stream.bad())
    return Error(ErrorKind::kUsage, "job.unreadable", "cannot read the job file: " + path,
                 "look at the disk: `dmesg`, mounts");
  if (static_cast<int64_t>(text.size()) > kYamlBytesMax) {
    const auto size = std::filesystem::file_size(path, error);
    return YamlTooLarge(path, error ? kYamlBytesMax + 1 : static_cast<int64_t>(size));
  }
  const bool names_job =
      !of_shell && status.type() == std::filesystem::file_type::regular;
  return TextFile{path, std::move(text), names_job};
}

}  // namespace sluice
