#include "store/s3_listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <pugixml.hpp>

#include "driver/aws_signature.h"
#include "store/s3_token.h"

namespace sluice {
namespace {

constexpr std::string_view kStaging = "_sluice/staging";
constexpr int64_t kPageBytesMax = 16 << 20;

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// What encoding-type=url made of a key. Some servers write a space as '+', all of them a plus
/// as %2B.
std::string UrlDecoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = i + 2 < text.size() && text[i] == '%' ? HexValue(text[i + 1]) : -1;
    const int low = high >= 0 ? HexValue(text[i + 2]) : -1;
    if (low >= 0) {
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

/// One kind of listing: how it is asked for and followed.
struct Listing {
  const char* root;
  std::string_view action;
  aws::Query query;
};

class Pages {
 public:
  Pages(S3World& world, Listing listing, const std::string& folder)
      : world_(world), listing_(std::move(listing)) {
    prefix_ = world.Key(folder.empty() ? "" : folder + "/");
    root_size_ = world.Key("").size();
  }

  /// False after the last page.
  Result<bool> Next(const aws::Query& after) {
    S3Request request;
    request.action = listing_.action;
    request.query = listing_.query;
    request.query.emplace_back("encoding-type", "url");
    if (!prefix_.empty()) request.query.emplace_back("prefix", prefix_);
    request.query.insert(request.query.end(), after.begin(), after.end());
    request.response_max = kPageBytesMax;
    S3Client& client = world_.client;
    ARROW_ASSIGN_OR_RAISE(const S3Answer answer, client.Send(request));
    if (!answer.ok()) return client.Refusal(request, answer);
    ARROW_ASSIGN_OR_RAISE(
        const std::string truncated,
        XmlValue(client, answer.response, listing_.root, "IsTruncated"));
    document_.load_buffer(answer.response.body.data(), answer.response.body.size());
    page_ = document_.document_element();
    encoded_ = std::string_view(page_.child_value("EncodingType")) == "url";
    return truncated == "true";
  }

  pugi::xml_node page() const { return page_; }
  std::string Text(const pugi::xml_node& node, const char* name) const {
    return encoded_ ? UrlDecoded(node.child_value(name)) : node.child_value(name);
  }
  /// Below the store's root; "" for what is not below the folder.
  std::string Path(const pugi::xml_node& node) const {
    const std::string key = Text(node, "Key");
    return key.starts_with(prefix_) ? key.substr(root_size_) : "";
  }

 private:
  S3World& world_;
  const Listing listing_;
  std::string prefix_;
  size_t root_size_ = 0;
  pugi::xml_document document_;
  pugi::xml_node page_;
  bool encoded_ = false;
};

/// The folder of the objects whose staging folder this would be.
std::string PublishedFolder(const std::string& folder) {
  const size_t at = ("/" + folder + "/").find(fmt::format("/{}/", kStaging));
  if (at == std::string::npos) return folder;
  const std::string table = at == 0 ? "" : folder.substr(0, at - 1);
  const size_t end = at + kStaging.size();
  const std::string rest = end < folder.size() ? folder.substr(end + 1) : "";
  return table + (table.empty() || rest.empty() ? "" : "/") + rest;
}

}  // namespace

std::string BareEtag(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

Result<std::vector<ObjectInfo>> ListObjects(S3World& world, const std::string& folder) {
  Pages pages(world, {"ListBucket", "s3:ListBucket", {{"list-type", "2"}}}, folder);
  std::vector<ObjectInfo> objects;
  aws::Query after;
  for (bool more = true; more;) {
    ARROW_ASSIGN_OR_RAISE(more, pages.Next(after));
    for (const pugi::xml_node& node : pages.page().children("Contents")) {
      ObjectInfo object;
      object.path = pages.Path(node);
      // A key that ends in a slash is how consoles show an empty folder.
      const bool shown = !object.path.empty() && !object.path.ends_with('/') &&
                         PublishedFolder(object.path) == object.path;
      if (!shown) continue;
      object.version_id = BareEtag(node.child_value("ETag"));
      object.size = std::strtoll(node.child_value("Size"), nullptr, 10);
      object.modified_micros = aws::MicrosOfIsoTime(node.child_value("LastModified"));
      objects.push_back(std::move(object));
    }
    // Opaque: not encoded, whatever encoding-type says.
    const std::string token = pages.page().child_value("NextContinuationToken");
    if (more && token.empty()) {
      return Error(
          ErrorKind::kDestination, "s3.not-s3",
          "a listing that goes on does not say where: " + world.client.Place(""));
    }
    after = {{"continuation-token", token}};
  }
  std::sort(objects.begin(), objects.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return objects;
}

Result<std::vector<StagedObject>> ListUploads(S3World& world, const std::string& folder) {
  Pages pages(
      world, {"ListMultipartUploads", "s3:ListBucketMultipartUploads", {{"uploads", ""}}},
      PublishedFolder(folder));
  std::vector<StagedObject> uploads;
  aws::Query after;
  for (bool more = true; more;) {
    ARROW_ASSIGN_OR_RAISE(more, pages.Next(after));
    for (const pugi::xml_node& node : pages.page().children("Upload")) {
      StagedObject upload;
      upload.path = pages.Path(node);
      if (upload.path.empty()) continue;
      S3Token token;
      token.upload = node.child_value("UploadId");
      upload.token = ToText(token);
      upload.modified_micros = aws::MicrosOfIsoTime(node.child_value("Initiated"));
      uploads.push_back(std::move(upload));
    }
    const std::string key = pages.Text(pages.page(), "NextKeyMarker");
    if (more && key.empty()) {
      return Error(
          ErrorKind::kDestination, "s3.not-s3",
          "a listing that goes on does not say where: " + world.client.Place(""));
    }
    after = {{"key-marker", key},
             {"upload-id-marker", pages.page().child_value("NextUploadIdMarker")}};
  }
  return uploads;
}

}  // namespace sluice
