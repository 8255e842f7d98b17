/// \file
/// A bucket in memory behind HTTP, that keeps S3's promises and breaks them where a test says.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sluice/store.h"
#include "store/s3_options.h"
#include "testing/http_double.h"

namespace sluice {

/// The operations of S3 that the store uses, by their names there.
inline const std::vector<std::string> kS3Operations = {"PutObject",
                                                       "GetObject",
                                                       "HeadObject",
                                                       "DeleteObject",
                                                       "ListObjectsV2",
                                                       "CreateMultipartUpload",
                                                       "UploadPart",
                                                       "CompleteMultipartUpload",
                                                       "AbortMultipartUpload",
                                                       "ListMultipartUploads"};

struct S3Mishap {
  std::string operation;
  int64_t nth = 1, times = 1;
  enum class When { kBefore, kAfter } when = When::kBefore;  ///< its effect
  DoubleReply reply;                                         ///< instead of the true one
};

class S3Double {
 public:
  S3Double();
  std::string url() const { return http_->url(); }
  /// Of a store in this bucket that waits for nobody long.
  S3Options Options() const;

  void Add(S3Mishap mishap);
  /// Instead of everything; null: no more.
  void AnswerAll(HttpDouble::Handler handler);
  int64_t calls(const std::string& operation) const;
  std::vector<DoubleRequest> requests(const std::string& operation) const;

  std::map<std::string, std::string> Objects() const;
  int64_t uploads() const;
  /// Behind the store's back: what a lifecycle rule does.
  void DropUploads();
  void Replace(const std::string& key, std::string bytes);
  /// What the store says of whole objects' checksums: as S3 since 2025, or not.
  void TellChecksums(bool tells);
  /// From now on bytes are taken whatever checksum they come with.
  void TakeWrongChecksums() { takes_wrong_ = true; }

 private:
  struct Object {
    std::string bytes, etag;
    std::map<std::string, std::string> headers;
  };
  struct Upload {
    std::string key;
    std::map<std::string, std::string> headers;
    std::map<int, std::string> parts;
  };

  DoubleReply Answer(const DoubleRequest& request);
  DoubleReply Act(const std::string& operation, const DoubleRequest& request);
  DoubleReply Put(const DoubleRequest& request, const std::string& key);
  DoubleReply Get(const DoubleRequest& request, const std::string& key);
  DoubleReply Create(const DoubleRequest& request, const std::string& key);
  DoubleReply Part(const DoubleRequest& request);
  DoubleReply Complete(const DoubleRequest& request, const std::string& key);
  DoubleReply List(const DoubleRequest& request) const;
  DoubleReply ListUploads(const DoubleRequest& request) const;

  mutable std::mutex mutex_;
  std::map<std::string, Object> objects_;
  std::map<std::string, Upload> uploads_;
  std::vector<S3Mishap> mishaps_;
  std::map<std::string, std::vector<DoubleRequest>> requests_;
  HttpDouble::Handler instead_;
  bool tells_checksums_ = true;
  std::atomic<bool> takes_wrong_ = false;
  int64_t made_ = 0;
  std::unique_ptr<HttpDouble> http_;
};

/// An answer with an `<Error>` document.
DoubleReply S3Error(int status, const std::string& code, const std::string& more = "");

}  // namespace sluice
