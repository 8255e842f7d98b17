#include "store/object_path.h"

#include <fmt/format.h>

namespace sluice {
namespace {

Status BadPath(std::string_view wanted, std::string_view path) {
  return Error(
      ErrorKind::kDestination, "store.bad-path",
      fmt::format("wanted {}, found: {}", wanted, path.empty() ? "nothing" : path));
}

}  // namespace

PathParts SplitPath(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {"", std::string(path)};
  return {std::string(path.substr(0, slash)), std::string(path.substr(slash + 1))};
}

bool IsStagingPath(std::string_view path) {
  return fmt::format("/{}/", path).find("/_sluice/staging/") != std::string::npos;
}

Status CheckPath(std::string_view path) {
  const std::string padded = fmt::format("/{}/", path);
  const bool good = !path.empty() && padded.find("//") == std::string::npos &&
                    padded.find("/./") == std::string::npos &&
                    padded.find("/../") == std::string::npos &&
                    path.find('\0') == std::string_view::npos;
  return good ? Status::OK() : BadPath("a path below the destination", path);
}

Status CheckPublishedPath(std::string_view path) {
  ARROW_RETURN_NOT_OK(CheckPath(path));
  if (!IsStagingPath(path)) return Status::OK();
  return BadPath("the path of a published object", path);
}

Status CheckTarget(const StageTarget& target) {
  ARROW_RETURN_NOT_OK(CheckPublishedPath(target.path));
  ARROW_RETURN_NOT_OK(CheckPath(target.staging_path));
  if (IsStagingPath(target.staging_path)) return Status::OK();
  return BadPath("a path below _sluice/staging to stage at", target.staging_path);
}

}  // namespace sluice
