#include "cli/console.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"

namespace sluice::cli {
Written WriteStdout(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EPIPE ? Written::kReaderGone : Written::kFailed;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return Written::kAll;
}

void WriteStderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<size_t>(n));
  }
}

void ReportError(const Status& status, std::string_view stream, std::string_view load) {
  const std::string hint(HintOf(status));
  if (LogIsJson()) {
    Log(LogLevel::kError, status.message(),
        {{"stream", stream}, {"load", load}, {"id", IdOf(status)}, {"hint", hint}});
    return;
  }
  std::string message = status.message();
  const std::string context = "stream " + std::string(stream);
  if (!stream.empty() && !message.starts_with(context))
    message = context + ": " + message;
  if (!hint.empty()) message += "\nHINT: " + hint;
  Log(LogLevel::kError, message);
}

std::string TextTable::ToString(std::string_view indent) const {
  std::vector<size_t> widths(alignment_.size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line(indent);
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - DisplayWidth(row[i]), ' ');
      if (i > 0) line += "  ";
      line += alignment_[i] == 'r' ? padding + row[i] : row[i] + padding;
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out += line + '\n';
  }
  return out;
}

}  // namespace sluice::cli
