#include "store/s3_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <vector>

#include "base/nearest.h"

namespace sluice {
namespace {

constexpr int64_t kPartSizeMin = 5 << 20;
constexpr int64_t kPartSizeMax = int64_t{1} << 30;

Status BadOption(const std::string& name, const std::string& wanted,
                 const std::string& found) {
  return Error(
      ErrorKind::kUsage, "uri.bad-option",
      fmt::format("s3: the option {} must be {}, found {}", name, wanted, found));
}

Result<bool> ToBool(const std::string& name, const std::string& value) {
  if (value == "true" || value == "1" || value.empty()) return true;
  if (value == "false" || value == "0") return false;
  return BadOption(name, "true or false", value);
}

/// "8MiB", "16M", "8388608".
Result<int64_t> ToSize(const std::string& name, const std::string& value) {
  int64_t number = 0;
  const char* const last = value.data() + value.size();
  const auto [end, error] = std::from_chars(value.data(), last, number);
  const std::string unit(end, last);
  int64_t scale = 0;
  if (unit.empty()) scale = 1;
  if (unit == "M" || unit == "MiB") scale = 1 << 20;
  if (error != std::errc() || scale == 0 || number < 1 || number > kPartSizeMax / scale ||
      number * scale < kPartSizeMin) {
    return BadOption(name, "from 5MiB to 1024MiB", value);
  }
  return number * scale;
}

Result<int> ToCount(const std::string& name, const std::string& value, int max) {
  int number = 0;
  const auto [end, error] =
      std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number < 1 ||
      number > max) {
    return BadOption(name, fmt::format("from 1 to {}", max), value);
  }
  return number;
}

/// "team=data,cost=low".
Result<std::map<std::string, std::string>> ToTags(const std::string& value) {
  std::map<std::string, std::string> tags;
  for (size_t at = 0; at < value.size();) {
    const size_t end = std::min(value.find(',', at), value.size());
    const std::string pair = value.substr(at, end - at);
    const size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos)
      return BadOption("tags", "name=value,name=value", value);
    tags[pair.substr(0, equals)] = pair.substr(equals + 1);
    at = end + 1;
  }
  return tags;
}

Result<std::string> ToEndpoint(const std::string& value) {
  std::string endpoint = value;
  while (endpoint.ends_with('/')) endpoint.pop_back();
  const size_t host = endpoint.find("://");
  const bool known = endpoint.starts_with("http://") || endpoint.starts_with("https://");
  if (!known || endpoint.find_first_of("/?#@ ", host + 3) != std::string::npos ||
      host + 3 == endpoint.size()) {
    return BadOption("endpoint", "http://host:port or https://host:port", value);
  }
  return endpoint;
}

Status SetEncryption(const std::string& value, S3Options* options) {
  if (value != "AES256" && value != "aws:kms")
    return BadOption("sse", "AES256 or aws:kms", value);
  options->sse = value;
  return Status::OK();
}

Status SetOption(const std::string& name, const std::string& value, S3Options* options) {
  if (name == "endpoint") return ToEndpoint(value).Value(&options->endpoint);
  if (name == "path_style") {
    ARROW_ASSIGN_OR_RAISE(options->path_style, ToBool(name, value));
    return Status::OK();
  }
  if (name == "sse") return SetEncryption(value, options);
  if (name == "part_size") return ToSize(name, value).Value(&options->part_size);
  if (name == "uploads") return ToCount(name, value, 64).Value(&options->uploads);
  if (name == "tags") return ToTags(value).Value(&options->tags);
  const std::map<std::string, std::string*> texts = {
      {"region", &options->region},   {"profile", &options->profile},
      {"kms_key", &options->kms_key}, {"storage_class", &options->storage_class},
      {"ca", &options->ca_file},
  };
  const auto text = texts.find(name);
  if (text != texts.end()) {
    *text->second = value;
    return Status::OK();
  }
  const std::vector<std::string> known = {
      "endpoint", "region",  "path_style",    "profile", "sse",      "kms_key",
      "tags",     "uploads", "storage_class", "ca",      "part_size"};
  const std::string meant = DidYouMean(name, known);
  return Error(ErrorKind::kUsage, "uri.unknown-option",
               fmt::format("s3: has no option {}", name),
               meant.empty() ? fmt::format("it has {}", fmt::join(known, ", ")) : meant);
}

/// By S3's rules for names of buckets. Other servers, and buckets of AWS's first years, have names with
/// capitals and underscores; none is a host's, so they go into the path.
bool IsBucketName(const std::string& name, bool in_path) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  if (name.size() < 3 || name.size() > 63) return false;
  if (!in_path && (!is_word(name.front()) || !is_word(name.back()) ||
                   name.find("..") != std::string::npos))
    return false;
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return is_word(c) || c == '.' || c == '-' ||
           (in_path && (c == '_' || (c >= 'A' && c <= 'Z')));
  });
}

Status CheckBucket(const Uri& uri, const S3Options& options) {
  if (IsBucketName(options.bucket, options.path_style.value_or(false)))
    return Status::OK();
  std::string hint =
      "a bucket's name has 3 to 63 small letters, digits, dots and hyphens, and begins and ends "
      "with a letter or digit; an old name that has others needs ?path_style=true";
  if (options.bucket.empty() && uri.path.find_first_not_of('/') != std::string::npos) {
    hint = fmt::format("write s3://{}", uri.path.substr(uri.path.find_first_not_of('/')));
  } else if (options.bucket.find(':') != std::string::npos) {
    hint = "the host of another server than AWS is given as ?endpoint=http://host:port";
  }
  return Error(
      ErrorKind::kUsage, "uri.no-bucket",
      fmt::format("wanted s3://bucket/prefix, found the bucket \"{}\"", options.bucket),
      std::move(hint));
}

Result<std::string> ToPrefix(std::string path) {
  while (path.starts_with('/')) path.erase(0, 1);
  while (path.ends_with('/')) path.pop_back();
  const std::string padded = '/' + path + '/';
  const bool good = path.empty() || (padded.find("//") == std::string::npos &&
                                     padded.find("/./") == std::string::npos &&
                                     padded.find("/../") == std::string::npos);
  if (good) return path;
  return Error(
      ErrorKind::kUsage, "uri.bad-prefix",
      fmt::format("wanted a prefix without empty, . and .. segments, found {}", path));
}

}  // namespace

Result<S3Options> ParseS3Uri(const Uri& uri) {
  S3Options options;
  options.bucket = uri.authority;
  // A key may hold a slash: then the @ stands behind it.
  const bool has_account = uri.authority.find('@') != std::string::npos ||
                           (uri.authority.find(':') != std::string::npos &&
                            uri.path.find('@') != std::string::npos);
  if (has_account) {
    return Error(
        ErrorKind::kUsage, "uri.no-bucket",
        "wanted s3://bucket/prefix, found an @ behind the bucket's place",
        "keys have no place in the URI: S3 takes credentials from where the AWS CLI "
        "does, its variables, profiles (?profile=NAME) and roles");
  }
  for (const auto& [name, value] : uri.query)
    ARROW_RETURN_NOT_OK(SetOption(name, value, &options));
  ARROW_RETURN_NOT_OK(CheckBucket(uri, options));
  ARROW_ASSIGN_OR_RAISE(options.prefix, ToPrefix(uri.path));
  if (!options.kms_key.empty() && options.sse.empty()) options.sse = "aws:kms";
  if (!options.kms_key.empty() && options.sse != "aws:kms")
    return BadOption("kms_key", "used with sse=aws:kms", options.sse);
  for (const char* variable : {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}) {
    const char* value = std::getenv(variable);
    if (!options.endpoint.empty() || value == nullptr || value[0] == '\0') continue;
    ARROW_ASSIGN_OR_RAISE(options.endpoint, ToEndpoint(value));
  }
  return options;
}

std::string CanonicalS3Uri(const S3Options& options) {
  std::string uri = "s3://" + options.bucket;
  if (!options.prefix.empty()) uri += "/" + EncodeUriPath(options.prefix);
  if (!options.endpoint.empty()) uri += "?endpoint=" + options.endpoint;
  return uri;
}

}  // namespace sluice
