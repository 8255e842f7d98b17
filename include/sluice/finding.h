/// \file
/// What was seen when a place was looked at, for people to judge.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/error.h"
#include "sluice/table.h"

namespace sluice {

enum class Level {
  kOk,
  kUnknown,  ///< it could not be looked at; never shown as fine
  kWarning,
  kFailed,  ///< a run would fail
};

struct Finding {
  std::string name;  ///< "TLS", "max_allowed_packet", "s3:PutObject"
  Level level = Level::kOk;
  std::string detail;     ///< what was found
  std::string hint = {};  ///< the act to advise; "" for none
  Status status = {};     ///< of kFailed: with its kind, and a hint of its own
};
/// A failure, with its message as what was found.
Finding FailedFinding(std::string name, const Status& status);

/// How the source would read the rows of a chunk, as it explains the very statement.
struct ReadPlan {
  std::string
      access;  ///< the source's word: "range", "ALL", "SEARCH"; "": it does not say
  std::string index;                     ///< that it reads by; "": none
  std::optional<int64_t> rows_examined;  ///< by all chunks together; an estimate
  std::vector<std::string> warnings;     ///< sentences
};

/// What a run would ask of a source, and what it would get.
struct SourceWish {
  Consistency consistency = Consistency::kSnapshot;
  int connections = 1;
};
struct SourceFindings {
  std::vector<Finding> findings;
  std::optional<Consistency> consistency;  ///< that Open would reach; nothing: not known
  std::string why;                         ///< a sentence about it
};

}  // namespace sluice
