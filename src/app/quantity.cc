#include "app/quantity.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <limits>
#include <utility>

namespace sluice {
namespace {

struct Unit {
  std::string_view name;  // lower case
  int64_t factor;
};
constexpr std::array<Unit, 10> kSizeUnits = {{{"", 1},
                                              {"b", 1},
                                              {"kb", 1'000},
                                              {"mb", 1'000'000},
                                              {"gb", 1'000'000'000},
                                              {"tb", 1'000'000'000'000},
                                              {"kib", int64_t{1} << 10},
                                              {"mib", int64_t{1} << 20},
                                              {"gib", int64_t{1} << 30},
                                              {"tib", int64_t{1} << 40}}};
constexpr std::array<Unit, 5> kTimeUnits = {{{"s", 1'000},
                                             {"m", 60'000},
                                             {"h", 3'600'000},
                                             {"d", 86'400'000},
                                             {"w", 604'800'000}}};

/// "12 MiB" as 12 and "mib"; false where there is no leading whole number.
bool Split(std::string_view text, int64_t* number, std::string* unit) {
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), *number);
  if (error != std::errc() || *number < 0 || text.empty() || text[0] == '-') return false;
  std::string_view rest = text.substr(static_cast<size_t>(end - text.data()));
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  for (const char c : rest)
    unit->push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  return true;
}

char Capital(char c) { return static_cast<char>(c - 'a' + 'A'); }

template <size_t N>
const Unit* FindUnit(const std::array<Unit, N>& units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

}  // namespace

Result<int64_t> ParseSize(std::string_view text) {
  int64_t number = 0;
  std::string name;
  const bool split = Split(text, &number, &name);
  const Unit* unit = split ? FindUnit(kSizeUnits, name) : nullptr;
  if (unit == nullptr || number == 0) {
    std::string hint =
        "units are B, kB, MB, GB, TB (powers of 1000) and KiB, MiB, GiB, TiB (of 1024)";
    if (split && name.size() == 1 && FindUnit(kSizeUnits, name + "ib") != nullptr) {
      hint = fmt::format(
          "{} means two things: write {}{}iB (powers of 1024) or {}{}B (of 1000)",
          text.back(), number, Capital(name[0]), number,
          name == "k" ? 'k' : Capital(name[0]));
    }
    return Error(ErrorKind::kUsage, "quantity.size",
                 fmt::format("expected a size such as 128MiB, found {}",
                             text.empty() ? "nothing" : text),
                 std::move(hint));
  }
  if (number > std::numeric_limits<int64_t>::max() / unit->factor) {
    return Error(ErrorKind::kUsage, "quantity.size",
                 fmt::format("a size beyond 8 EiB: {}", text));
  }
  return number * unit->factor;
}

Result<int64_t> ParseRate(std::string_view text) {
  if (!text.ends_with("/s") || text == "/s") {
    return Error(ErrorKind::kUsage, "quantity.rate",
                 fmt::format("expected a rate such as 50MiB/s, found {}",
                             text.empty() ? "nothing" : text),
                 "bytes a second: a size and /s");
  }
  return ParseSize(text.substr(0, text.size() - 2));
}

Result<int64_t> ParseDurationMillis(std::string_view text) {
  int64_t number = 0;
  std::string name;
  if (text == "0") return 0;
  const Unit* unit = Split(text, &number, &name) ? FindUnit(kTimeUnits, name) : nullptr;
  if (unit == nullptr || number > std::numeric_limits<int64_t>::max() / unit->factor) {
    return Error(ErrorKind::kUsage, "quantity.duration",
                 fmt::format("expected a duration such as 7d, found {}",
                             text.empty() ? "nothing" : text),
                 "units are s, m, h, d and w");
  }
  return number * unit->factor;
}

std::string FormatSize(int64_t bytes) {
  constexpr std::array<const char*, 5> kNames = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes)
                   : fmt::format("{:.1f} {}", value, kNames[unit]);
}

std::string FormatCount(int64_t count) {
  std::string digits = fmt::format("{}", count);
  for (auto i = static_cast<int>(digits.size()) - 3; i > (count < 0 ? 1 : 0); i -= 3) {
    digits.insert(static_cast<size_t>(i), ",");
  }
  return digits;
}

std::string FormatSeconds(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} m {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} m", whole / 3600, whole / 60 % 60);
}

std::string FormatAge(int64_t millis) {
  if (millis < 60'000) return "just now";
  if (millis < 2 * 3'600'000) return Counted(millis / 60'000, "minute") + " ago";
  if (millis < 2 * 86'400'000) return Counted(millis / 3'600'000, "hour") + " ago";
  return Counted(millis / 86'400'000, "day") + " ago";
}

std::string FormatTime(int64_t millis) {
  const auto seconds = static_cast<time_t>(millis / 1000);
  tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr) return "?";
  char text[64];
  return std::string(text, strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &parts));
}

std::string Counted(int64_t count, std::string_view one) {
  return fmt::format("{} {}{}", FormatCount(count), one, count == 1 ? "" : "s");
}

}  // namespace sluice
