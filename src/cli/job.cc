#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "app/job_draft.h"
#include "app/job_schema.h"
#include "base/nearest.h"
#include "cli/request.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

/// A new file; one that is there is somebody's work.
Status WriteNew(const std::string& path, std::string_view text) {
  const auto failed = [&](int error) {
    return Error(ErrorKind::kUsage, "cli.output",
                 fmt::format("cannot write {}: {}", path, std::strerror(error)),
                 error == EEXIST ? "it is never overwritten: name another file"
                 : error == ENOENT
                     ? "the folder must be there: mkdir -p makes it"
                     : "name a file in a folder that this user may write to");
  };
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0) return failed(errno);
  while (!text.empty()) {
    const ssize_t n = write(file, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      close(file);
      return failed(error);
    }
    text.remove_prefix(static_cast<size_t>(n));
  }
  return close(file) == 0 ? Status::OK() : failed(errno);
}

Result<std::string> TextOf(const Arguments& arguments) {
  const std::string& what = arguments.positionals[0];
  const size_t count = arguments.positionals.size();
  if (what == "schema" && count == 1) return JobSchema();
  if (what == "init" && count == 2)
    return DraftJob(arguments.positionals[1], RulesFrom(arguments));
  const bool known = what == "schema" || what == "init";
  return Error(
      ErrorKind::kUsage, "cli.arguments",
      known ? fmt::format("sluice job {} expects {}", what,
                          what == "init" ? "a source" : "nothing more")
            : fmt::format("sluice job expects init or schema, found {}", what),
      known ? "sluice job --help shows examples" : DidYouMean(what, {"init", "schema"}));
}

}  // namespace

Outcome JobVerb(const Invocation& invocation) {
  const Arguments& arguments = invocation.arguments;
  auto text = TextOf(arguments);
  if (!text.ok()) return Failed(text.status());
  Outcome outcome;
  const std::string path = arguments.Value("--output");
  (*outcome.members)["output"] = path;
  if (path.empty()) {
    (*outcome.members)["text"] = *text;
    outcome.text = *std::move(text);
    return outcome;
  }
  if (const Status status = WriteNew(path, *text); !status.ok()) return Failed(status);
  outcome.text =
      fmt::format("wrote {}; sluice plan {} shows what it would do\n", path, path);
  return outcome;
}

}  // namespace sluice::cli
