#include "app/text_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "app/masked_line.h"
#include "base/printable.h"

namespace sluice {
namespace {

/// Columns of a terminal for the text of a line.
constexpr size_t kWidth = 72;
constexpr std::string_view kHidden = "***";
/// Bytes on each side of the caret that may fill it.
constexpr size_t kWindow = 400;

size_t IndentOf(std::string_view line) {
  return std::min(line.find_first_not_of(" \t"), line.size());
}

/// Whether `line` begins with the key `secrets`.
bool BeginsSecrets(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t{\"'"), line.size()));
  return line.starts_with("secrets");
}

/// Whether a line stands below the key `secrets`, by its indentation, or has it.
bool IsAmongSecrets(std::string_view text, std::string_view of) {
  if (of.find("secrets") != std::string_view::npos) return true;
  auto before = static_cast<size_t>(of.data() - text.data());
  // A map in braces need not be indented.
  const std::string_view head = text.substr(0, before);
  const size_t last = std::min(head.rfind("secrets"), head.size());
  if (std::ranges::count(head.substr(last), '{') >
      std::ranges::count(head.substr(last), '}'))
    return true;
  size_t indent = IndentOf(of);
  while (indent > 0 && before > 0) {
    const size_t end = before - 1;
    const size_t begin = end == 0 ? 0 : text.rfind('\n', end - 1) + 1;  // npos + 1 is 0
    const std::string_view line = text.substr(begin, end - begin);
    before = begin;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (IndentOf(line) >= indent) continue;
    indent = IndentOf(line);
    if (BeginsSecrets(line)) return true;
  }
  return false;
}

/// Below `secrets` only the key at the place is shown, or the one of the value there; nothing where
/// the line has more than one.
MaskedLine ShownSecret(std::string_view line, size_t at, Showing showing) {
  const std::string_view before = line.substr(0, at);
  if (before.find(',') != std::string_view::npos) return {};
  if (showing == Showing::kUpToPlace)
    return {fmt::format("{}{}", before, kHidden), at, kHidden.size()};
  const size_t length = WordLength(line.substr(at));
  const size_t colon = at + length;
  const bool in_head = before.find("secrets") != std::string_view::npos;
  const bool is_first = std::ranges::count(before, ':') == (in_head ? 1 : 0);
  if (!is_first || colon >= line.size() || line[colon] != ':') return {};
  const bool is_quoted = line[at] == '"' || line[at] == '\'';
  if (!is_quoted && colon + 1 < line.size() && line[colon + 1] != ' ') return {};
  return {fmt::format("{}: {}", line.substr(0, colon), kHidden), at, length};
}

/// Columns of a terminal that a character takes: East Asian wide ones two, marks that sit on
/// another none.
int WidthOf(std::string_view character) {
  if (character.size() < 2) return 1;
  auto code = static_cast<uint32_t>(static_cast<unsigned char>(character[0]));
  code &= 0x7FU >> character.size();
  for (const char c : character.substr(1))
    code = (code << 6) | (static_cast<unsigned char>(c) & 0x3FU);
  struct Range {
    uint32_t first, last;
    int width;
  };
  for (const auto& [first, last, width] :
       {Range{0x0300, 0x036F, 0}, Range{0x200B, 0x200F, 0}, Range{0x20D0, 0x20FF, 0},
        Range{0xFE00, 0xFE0F, 0}, Range{0x1100, 0x115F, 2}, Range{0x2E80, 0xA4CF, 2},
        Range{0xAC00, 0xD7A3, 2}, Range{0xF900, 0xFAFF, 2}, Range{0xFE30, 0xFE6F, 2},
        Range{0xFF00, 0xFF60, 2}, Range{0xFFE0, 0xFFE6, 2}, Range{0x1F300, 0x1FAFF, 2},
        Range{0x20000, 0x3FFFD, 2}}) {
    if (code >= first && code <= last) return width;
  }
  return 1;
}

/// What of a line fits, as characters with their widths.
struct Cell {
  std::string text;
  int width = 1;
  size_t byte = 0;  // in the line
};
std::vector<Cell> CellsOf(std::string_view line) {
  std::vector<Cell> cells;
  for (size_t at = 0; at < line.size();) {
    const size_t length = std::max<size_t>(1, CharacterLength(line.substr(at)));
    const std::string_view character = line.substr(at, length);
    if (character == "\t") {
      cells.push_back({"  ", 2, at});
    } else {
      cells.push_back({Printable(character), WidthOf(character), at});
    }
    at += length;
  }
  return cells;
}

/// Of the characters in front of each.
std::vector<int> SumsOf(const std::vector<Cell>& cells) {
  std::vector<int> sums = {0};
  sums.reserve(cells.size() + 1);
  for (const Cell& cell : cells) sums.push_back(sums.back() + cell.width);
  return sums;
}

bool Continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// What is near enough to the caret, whole characters of it.
MaskedLine WindowOf(const MaskedLine& shown, bool* starts) {
  const std::string& line = shown.line;
  size_t begin = shown.at > kWindow ? shown.at - kWindow : 0;
  while (begin > 0 && begin < shown.at && Continues(line[begin])) ++begin;
  *starts = begin == 0;
  size_t end = std::min(line.size(), shown.at + kWindow);
  while (end < line.size() && end > shown.at && Continues(line[end])) --end;
  return {line.substr(begin, end - begin), shown.at - begin, shown.length};
}

/// "\n  6 |     colums: [id]\n    |     ^^^^^^".
std::string Drawn(const MaskedLine& whole, int number) {
  bool starts = true;
  const MaskedLine shown = WindowOf(whole, &starts);
  const std::vector<Cell> cells = CellsOf(shown.line);
  const std::vector<int> sums = SumsOf(cells);
  const auto index_of = [&](size_t byte) {
    const auto found = std::ranges::lower_bound(cells, byte, {}, &Cell::byte);
    return static_cast<size_t>(found - cells.begin());
  };
  const size_t caret = index_of(shown.at);
  size_t begin = 0, end = cells.size();
  const int width = static_cast<int>(kWidth);
  if (!starts || sums[end] > width) {
    while (sums[caret] - sums[begin] > width / 2) ++begin;
    while (end > caret + 1 && sums[end] - sums[begin] > width - 6) --end;
  }
  std::string line = begin > 0 || !starts ? "..." : "";
  std::string marks(line.size(), ' ');
  for (size_t i = begin; i < end; ++i) line += cells[i].text;
  if (end < cells.size()) line += "...";
  marks += std::string(static_cast<size_t>(sums[caret] - sums[begin]), ' ');
  const size_t last = std::max(caret, std::min(end, index_of(shown.at + shown.length)));
  marks += std::string(static_cast<size_t>(std::max(1, sums[last] - sums[caret])), '^');
  const std::string label = fmt::format("{:>3}", number);
  return fmt::format("\n{} | {}\n{} | {}", label, line, std::string(label.size(), ' '),
                     marks);
}

/// Of the characters, as CellsOf counts them.
size_t CharactersOf(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at < text.size(); ++count)
    at += std::max<size_t>(1, CharacterLength(text.substr(at)));
  return count;
}

/// One line of a length that is read, whatever of the file is repeated in it.
std::string Sentence(std::string_view words) {
  constexpr size_t kLengthMax = 600;
  size_t length = std::min(words.size(), kLengthMax);
  while (length < words.size() && length > 0 &&
         (static_cast<unsigned char>(words[length]) & 0xC0) == 0x80)
    --length;
  return Printable(words.substr(0, length)) + (length < words.size() ? "..." : "");
}

}  // namespace

std::string_view LineAt(std::string_view text, int line) {
  for (int i = 1; i < line; ++i) {
    const size_t end = text.find('\n');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  text = text.substr(0, text.find('\n'));
  return text.ends_with('\r') ? text.substr(0, text.size() - 1) : text;
}

Status ErrorAt(const TextFile& file, Place place, std::string_view id,
               std::string_view message, std::string hint, Showing showing) {
  const std::string sentence = Sentence(message);
  if (place.line == 0) {
    return Error(ErrorKind::kUsage, id, fmt::format("{}: {}", file.name, sentence),
                 std::move(hint));
  }
  const std::string_view line = LineAt(file.text, place.line);
  const size_t at =
      std::min(static_cast<size_t>(std::max(0, place.column - 1)), line.size());
  const size_t column = CharactersOf(line.substr(0, at)) + 1;
  MaskedLine shown;
  if (showing == Showing::kUpToPlace || IsAmongSecrets(file.text, line)) {
    shown = ShownSecret(line, at, showing);
  } else {
    shown = MaskLine(file.text, line, at);
  }
  return Error(ErrorKind::kUsage, id,
               fmt::format("{}:{}:{}: {}{}", file.name, place.line, column, sentence,
                           shown.line.empty() ? "" : Drawn(shown, place.line)),
               std::move(hint));
}

}  // namespace sluice
