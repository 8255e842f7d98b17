#include "app/masked_line.h"

#include <algorithm>
#include <array>
#include <vector>

#include "app/job_keys.h"
#include "base/redact.h"
#include "base/type_policy.h"

namespace sluice {
namespace {

constexpr std::string_view kHidden = "***";
constexpr std::string_view kDelimiters = " \t,:{}[]#";
/// How much behind the place is shown, and how long a value may be that is.
constexpr size_t kBehindMax = 400;
constexpr size_t kValueMax = 4096;

/// What may be shown of a value.
enum class Worth { kHarmless, kUri, kUnknown, kSecret };

bool SoundsSecret(std::string_view key) {
  constexpr std::array<std::string_view, 3> kSounds = {"secret", "passw", "credential"};
  return std::ranges::any_of(kSounds, [&](std::string_view sound) {
    return key.find(sound) != std::string_view::npos;
  });
}

Worth WorthOf(std::string_view key) {
  if (key == "source" || key == "destination") return Worth::kUri;
  for (const JobKey& known : JobKeys()) {
    if (known.name != key) continue;
    if (known.shape == KeyShape::kSecrets) return Worth::kSecret;
    return known.shape == KeyShape::kLater ? Worth::kUnknown : Worth::kHarmless;
  }
  if (FindTypePolicy(key) != nullptr) return Worth::kHarmless;
  return SoundsSecret(key) ? Worth::kSecret : Worth::kUnknown;
}

/// Whether all that follows the key in its line is its value: an expression, a template.
bool IsText(std::string_view key) {
  return std::ranges::any_of(JobKeys(), [&](const JobKey& known) {
    return known.name == key && known.shape == KeyShape::kText;
  });
}

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

std::string_view Unquoted(std::string_view word) {
  const bool quoted = word.size() > 1 && (word[0] == '"' || word[0] == '\'');
  return quoted ? word.substr(1, word.size() - 2) : word;
}

/// The end of a text in quotes; npos: it is not closed.
size_t EndOfQuotes(std::string_view line, size_t begin) {
  for (size_t i = begin + 1; i < line.size(); ++i) {
    if (line[begin] == '"' && line[i] == '\\') {
      ++i;
    } else if (line[i] == line[begin]) {
      if (line[i] == '"' || i + 1 == line.size() || line[i + 1] != '\'') return i + 1;
      ++i;
    }
  }
  return std::string_view::npos;
}

/// A URI without password, and with no more of its options than the name of the first.
std::string ShownUri(std::string_view value) {
  const size_t begin = value.find_first_not_of("\"'");
  if (begin == std::string_view::npos) return std::string(value);
  const std::string_view quote = value.substr(0, begin);
  std::string_view uri = value.substr(begin);
  const bool is_closed = !quote.empty() && uri.ends_with(quote);
  if (is_closed) uri.remove_suffix(quote.size());
  const size_t scheme = uri.find("://");
  const auto [from, to] = PasswordOfUri(uri);
  if (scheme != std::string_view::npos && UriSchemeLength(uri) == 0)
    return std::string(quote) + std::string(kHidden);
  std::string shown(quote);
  shown += uri.substr(0, from);
  if (to > from) {
    const std::string_view password = uri.substr(from, to - from);
    const std::string kept = Redact("password=" + std::string(password));
    shown += kept.ends_with(password) ? password : kHidden;
  }
  shown += uri.substr(to);
  const size_t behind = shown.rfind('@');
  const size_t options = shown.find('?', behind == std::string::npos ? 0 : behind);
  if (scheme != std::string_view::npos && options != std::string::npos) {
    const size_t equals = shown.find('=', options);
    if (equals != std::string::npos)
      shown.replace(equals + 1, std::string::npos, kHidden);
  }
  const size_t colon = shown.find(':');
  if (scheme == std::string_view::npos && colon < shown.size() &&
      shown.find('@', colon) < shown.size())
    return std::string(quote) + std::string(kHidden);
  return shown + std::string(is_closed ? quote : "");
}

class Masker {
 public:
  Masker(std::string_view line, size_t at, Worth worth, bool of_streams)
      : line_(line),
        place_(at),
        last_at_(line.rfind('@')),
        worth_(worth),
        of_list_(worth),
        of_streams_(of_streams) {}

  MaskedLine Masked() {
    while (i_ < line_.size() && !cut_ && i_ <= place_ + kBehindMax) Step();
    if (!placed_) shown_.at = shown_.line.size();
    if (cut_ && shown_.at >= cut_at_) {
      shown_.at = cut_at_;
      shown_.length = kHidden.size();
    } else {
      shown_.length = WordLength(std::string_view(shown_.line).substr(shown_.at));
    }
    return std::move(shown_);
  }

 private:
  void Copy(size_t size) {
    if (!placed_ && place_ < i_ + size) {
      shown_.at = shown_.line.size() + place_ - i_;
      placed_ = true;
    }
    shown_.line += line_.substr(i_, size);
    i_ += size;
  }
  /// `text` instead of the next `size` bytes.
  void Put(std::string_view text, size_t size) {
    if (!placed_ && place_ < i_ + size) {
      shown_.at = shown_.line.size();
      placed_ = true;
    }
    shown_.line += text;
    i_ += size;
  }
  void Cut() {
    cut_ = true;
    cut_at_ = shown_.line.size();
    shown_.line += kHidden;
  }

  void Step() {
    const char c = line_[i_];
    if (IsBlank(c)) return Copy(1);
    if (rest_is_value_ && worth_ == Worth::kHarmless && c != '#') return Rest();
    if (c == '#' && (i_ == 0 || IsBlank(line_[i_ - 1]))) {
      i_ = line_.size();
      return;
    }
    const bool free = worth_ != Worth::kSecret && !taken_;
    if (free && (c == '{' || c == '[')) return Open(c);
    if (!open_.empty() && (c == '}' || c == ']')) return Close();
    if (!open_.empty() && c == ',' && worth_ != Worth::kSecret) {
      worth_ = of_list_;
      taken_ = false;
      return Copy(1);
    }
    const bool ends = i_ + 1 == line_.size() || IsBlank(line_[i_ + 1]);
    if ((c == '-' || c == '?') && ends && !taken_) return Copy(1);
    const bool is_property = !taken_ && (c == '&' || c == '*' || c == '!');
    if (is_property && MayHaveProperty()) return Copy(PropertyLength());
    Scalar();
  }

  /// Where a secret may stand, it may begin as an anchor does.
  bool MayHaveProperty() const {
    if (worth_ != Worth::kUnknown) return worth_ != Worth::kSecret;
    if (of_streams_ && line_[i_] == '*') return true;
    size_t behind = i_ + PropertyLength();
    while (behind < line_.size() && IsBlank(line_[behind])) ++behind;
    return behind < line_.size() && line_[behind] == '{';
  }
  /// Of an anchor, an alias or a tag.
  size_t PropertyLength() const {
    const std::string_view rest = line_.substr(i_);
    return std::max<size_t>(1, std::min(rest.find_first_of(" \t,]}"), rest.size()));
  }

  void Open(char c) {
    // Braces hold keys of their own; a list holds what its key does.
    open_.push_back({of_list_, of_streams_});
    of_streams_ = key_ == "streams";
    if (c == '{') worth_ = Worth::kUnknown;
    of_list_ = worth_;
    if (c == '[' && worth_ == Worth::kUnknown && had_key_) return Cut();
    Copy(1);
  }
  void Close() {
    of_list_ = open_.back().of_list;
    of_streams_ = open_.back().of_streams;
    open_.pop_back();
    worth_ = of_list_;
    taken_ = true;
    Copy(1);
  }

  /// The length of what stands here: to the end of its quotes, or to what ends a plain text.
  size_t LengthOf(bool* closed) const {
    const char c = line_[i_];
    if (c == '"' || c == '\'') {
      const size_t end = EndOfQuotes(line_, i_);
      *closed = end != std::string_view::npos;
      return std::min(end, line_.size()) - i_;
    }
    *closed = false;
    size_t end = i_ + 1;
    for (; end < line_.size(); ++end) {
      const char next = line_[end];
      if (!open_.empty() && (next == ',' || next == ']' || next == '}')) break;
      if (next == '#' && IsBlank(line_[end - 1])) break;
      if (next == ':' && (end + 1 == line_.size() || IsBlank(line_[end + 1]) ||
                          (!open_.empty() &&
                           kDelimiters.find(line_[end + 1]) != std::string_view::npos)))
        break;
    }
    while (end > i_ + 1 && IsBlank(line_[end - 1])) --end;
    return end - i_;
  }

  bool IsKey(size_t end, bool closed) const {
    while (end < line_.size() && IsBlank(line_[end])) ++end;
    if (end >= line_.size() || line_[end] != ':') return false;
    return closed || end + 1 == line_.size() || IsBlank(line_[end + 1]) || !open_.empty();
  }

  void Scalar() {
    bool closed = false;
    if (worth_ == Worth::kUri && !taken_) return UriHere();
    const size_t size = LengthOf(&closed);
    const bool may_be_key =
        !taken_ && worth_ != Worth::kSecret && !(had_key_ && open_.empty());
    if (may_be_key && size <= kValueMax && IsKey(i_ + size, closed)) {
      key_ = Unquoted(line_.substr(i_, size));
      worth_ = WorthOf(key_);
      rest_is_value_ = open_.empty() && IsText(key_);
      Copy(size);
      while (i_ < line_.size() && line_[i_] != ':') Copy(1);
      Copy(1);
      had_key_ = true;
      return;
    }
    if (taken_ || worth_ != Worth::kHarmless || size > kValueMax) return Cut();
    Value(size);
  }

  void Rest() {
    const bool quoted = line_[i_] == '"' || line_[i_] == '\'';
    const size_t end = quoted ? EndOfQuotes(line_, i_) : line_.find(" #", i_);
    const size_t size = std::min(end, line_.size()) - i_;
    if (size > kValueMax) return Cut();
    Value(size);
  }

  void Value(size_t size) {
    const std::string_view value = line_.substr(i_, size);
    taken_ = true;
    rest_is_value_ = false;
    if (value.find("://") == std::string_view::npos && Redact(value) == value)
      return Copy(size);
    Put(ShownUri(Redact(value)), size);
  }

  /// Without quotes of its own a URI may hold anything: all up to the last @ of the line.
  void UriHere() {
    bool closed = false;
    size_t size = LengthOf(&closed);
    const bool is_open_quote = line_[i_] == '"' || line_[i_] == '\'';
    if (!closed && is_open_quote) size = line_.size() - i_;
    if (!closed && !is_open_quote) {
      const bool has_account =
          last_at_ != std::string_view::npos && last_at_ >= i_ + size;
      if (open_.empty()) {
        size = line_.size() - i_;
      } else if (has_account) {
        size = std::min(line_.find_first_of(" ,}]", last_at_), line_.size()) - i_;
      }
    }
    const std::string_view value = line_.substr(i_, size);
    taken_ = true;
    if (size > kValueMax) return Cut();
    const std::string shown = ShownUri(value);
    if (shown == value) return Copy(size);
    Put(shown, size);
  }

  const std::string_view line_;
  const size_t place_;
  const size_t last_at_;
  size_t i_ = 0;
  Worth worth_, of_list_;
  bool taken_ = false;    // A value stood here: what follows it belongs to nothing.
  bool had_key_ = false;  // In this line.
  bool cut_ = false, placed_ = false;
  size_t cut_at_ = 0;
  bool rest_is_value_ = false, of_streams_;
  std::string_view key_;
  struct Level {
    Worth of_list;
    bool of_streams;
  };
  std::vector<Level> open_;  // Around the braces and brackets that are open.
  MaskedLine shown_;
};

size_t IndentOf(std::string_view line) {
  return std::min(line.find_first_not_of(" \t"), line.size());
}

/// Of lines of their own below a key: a section has keys, and a stream may be called a secret.
Worth WorthBelow(std::string_view key) {
  const Worth worth = WorthOf(key);
  const bool is_section = key == "streams" || key == "defaults" || key == "limits";
  return worth == Worth::kSecret || is_section ? Worth::kUnknown : worth;
}

/// What the value of the key above `line` is worth, of which the line goes on; kUnknown where there is none.
Worth WorthAbove(std::string_view text, std::string_view line, bool* of_streams) {
  constexpr int kLinesMax = 1000;
  const size_t indent = IndentOf(line);
  const bool is_item = line.substr(indent).starts_with("- ");
  auto before = static_cast<size_t>(line.data() - text.data());
  for (int i = 0; i < kLinesMax && before > 0; ++i) {
    const size_t end = before - 1;
    before = end == 0 ? 0 : text.rfind('\n', end - 1) + 1;  // npos + 1 is 0
    std::string_view above = text.substr(before, end - before);
    const size_t own = IndentOf(above);
    if (own > indent || (own == indent && !is_item)) continue;
    above.remove_prefix(own);
    if (above.empty() || above.starts_with("- ") || above[0] == '#') continue;
    const size_t colon = above.rfind(':');
    if (colon == std::string_view::npos) return Worth::kUnknown;
    const size_t begin = above.substr(0, colon).find_last_of(" \t{,");
    const size_t from = begin == std::string_view::npos ? 0 : begin + 1;
    const std::string_view key = Unquoted(above.substr(from, colon - from));
    *of_streams = key == "streams";
    return WorthBelow(key);
  }
  return Worth::kUnknown;
}

}  // namespace

size_t WordLength(std::string_view rest) {
  if (rest.empty()) return 1;
  if (rest[0] == '"' || rest[0] == '\'') {
    const size_t close = rest.find(rest[0], 1);
    return close == std::string_view::npos ? rest.size() : close + 1;
  }
  return std::max<size_t>(1, std::min(rest.find_first_of(kDelimiters), rest.size()));
}

MaskedLine MaskLine(std::string_view text, std::string_view line, size_t at) {
  bool of_streams = false;
  const Worth worth = WorthAbove(text, line, &of_streams);
  return Masker(line, at, worth, of_streams).Masked();
}

}  // namespace sluice
