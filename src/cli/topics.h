/// \file
/// What `sluice help TOPIC` explains: matters of all verbs.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sluice::cli {

struct Topic {
  std::string_view name;     ///< "exit-codes"
  std::string_view summary;  ///< one line
  std::string (*text)();
};
std::span<const Topic> Topics();
/// nullptr when there is none of that name.
const Topic* FindTopic(std::string_view name);

/// Sources and destinations with their options; of one scheme only where it is not "".
std::string ConnectorLines(std::string_view scheme = {});

}  // namespace sluice::cli
