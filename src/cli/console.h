/// \file
/// stdout for results, stderr for everything else.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/printable.h"
#include "cli/text_width.h"
#include "sluice/error.h"

namespace sluice::cli {

enum class Written { kAll, kReaderGone, kFailed };

/// Writes all of it. A reader that has gone (EPIPE) is no error of ours.
Written WriteStdout(std::string_view text);

/// For what is neither a result nor a line of the log. Nobody left to read it is no error.
void WriteStderr(std::string_view text);

/// "error: message" and "HINT: …" through the log, so redacted; JSON if the log is.
void ReportError(const Status& status, std::string_view stream = {},
                 std::string_view load = {});

/// Columns of text; the last column is not padded. Numbers are given as text.
class TextTable {
 public:
  /// One character a column: 'l' left, 'r' right.
  explicit TextTable(std::string alignment) : alignment_(std::move(alignment)) {}
  void Add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// Each line begins with `indent`.
  std::string ToString(std::string_view indent = "") const;

 private:
  std::string alignment_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace sluice::cli
