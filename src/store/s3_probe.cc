#include "store/s3_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/crc32c.h"
#include "base/uuid.h"
#include "store/s3_token.h"

namespace sluice {
namespace {

constexpr std::string_view kFolder = "_sluice/probe";
constexpr int64_t kForgottenMicros = 3'600'000'000;
constexpr int kRounds = 20;
constexpr int kCreators = 4;
constexpr size_t kRaceSize = 32 << 10;
constexpr std::chrono::milliseconds kGatePatience{500};

Result<bool> RefusesASecondPut(Store& store, const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(const PutOutcome first,
                        store.Put(name, "1", PutMode::kCreateOnly));
  if (first != PutOutcome::kCreated) {
    return Error(ErrorKind::kDestination, "store.probe",
                 "a name nobody else can know is taken: " + name);
  }
  ARROW_ASSIGN_OR_RAISE(const PutOutcome second,
                        store.Put(name, "2", PutMode::kCreateOnly));
  return second == PutOutcome::kExists;
}

/// Stages an object for a name that is taken, and publishes it.
Result<bool> RefusesAPublish(Store& store, const std::string& folder,
                             const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(const auto pending,
                        store.Begin({name, folder + "/_sluice/staging/probe.tmp", ""}));
  ARROW_RETURN_NOT_OK(pending->Write("two"));
  ARROW_ASSIGN_OR_RAISE(const StagedObject staged, pending->Stage());
  const auto published = store.Publish(staged);
  const bool refused = IdOf(published.status()) == "store.name-taken";
  ARROW_RETURN_NOT_OK(store.Abort(staged));
  if (!published.ok() && !refused) return published.status();
  return refused;
}

/// A part whose bytes are not those of its checksum.
Result<bool> RefusesAWrongSum(S3World& world, const std::string& name) {
  S3Client& client = world.client;
  S3Request begin;
  begin.action = "s3:PutObject";
  begin.method = "POST";
  begin.key = world.Key(name);
  begin.query = {{"uploads", ""}};
  begin.headers = HeadersOfNew(client.options(), {"", NewNonce()});
  begin.headers.push_back({"x-amz-checksum-algorithm", "CRC32C"});
  begin.headers.push_back({"x-amz-checksum-type", "FULL_OBJECT"});
  ARROW_ASSIGN_OR_RAISE(const S3Answer begun, client.Send(begin));
  if (!begun.ok()) return client.Refusal(begin, begun);
  ARROW_ASSIGN_OR_RAISE(
      const std::string upload,
      XmlValue(client, begun.response, "InitiateMultipartUpload", "UploadId"));
  S3Request part;
  part.action = "s3:PutObject";
  part.method = "PUT";
  part.key = begin.key;
  part.query = {{"partNumber", "1"}, {"uploadId", upload}};
  part.headers = {{"x-amz-checksum-crc32c", Base64Crc(ExtendCrc32c(0, "meant"))}};
  part.body = "other";
  part.wrong_on_purpose = true;
  const auto answer = client.Send(part);
  ARROW_RETURN_NOT_OK(AbortUpload(client, begin.key, upload));
  ARROW_RETURN_NOT_OK(answer.status());
  return !answer->ok();
}

void AtOnce(const std::function<void(int)>& act) {
  std::vector<std::thread> threads;
  for (int i = 1; i < kCreators; ++i) threads.emplace_back(act, i);
  act(0);
  for (std::thread& thread : threads) thread.join();
}

/// Opens once all have come, or when some do not come in time.
class Gate {
 public:
  void Pass() {
    std::unique_lock lock(mutex_);
    if (++come_ == kCreators) all_.notify_all();
    all_.wait_for(lock, kGatePatience, [&] { return come_ >= kCreators; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable all_;
  int come_ = 0;
};

/// Whether this creator was told that it won.
Result<bool> Create(S3World& world, const std::string& path, std::string_view bytes,
                    Gate& gate) {
  S3Request request;
  request.action = "s3:PutObject";
  request.method = "PUT";
  request.key = world.Key(path);
  request.headers = HeadersOfNew(world.client.options(), {"", NewNonce()});
  request.headers.push_back({"x-amz-checksum-crc32c", Base64Crc(ExtendCrc32c(0, bytes))});
  request.headers.push_back({"if-none-match", "*"});
  request.body = bytes;
  request.halfway = [&gate] { gate.Pass(); };
  ARROW_ASSIGN_OR_RAISE(const S3Answer answer, world.client.Send(request));
  if (answer.ok()) return true;
  if (answer.fault.status == 412 || answer.fault.status == 409) return false;
  return world.client.Refusal(request, answer);
}

/// How many of the rounds had not exactly one winner. Each creator holds back the second half of its
/// object until all have sent the first: a store that looks first and writes after has looked by then.
Result<int> RacesLost(S3World& world, const std::string& folder) {
  const std::string bytes(kRaceSize, 'x');
  int lost = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::string path = fmt::format("{}/race-{:02}", folder, round);
    Gate gate;
    std::array<Result<bool>, kCreators> outcomes;
    AtOnce([&](int i) {
      outcomes[static_cast<size_t>(i)] = Create(world, path, bytes, gate);
    });
    int winners = 0;
    for (const auto& outcome : outcomes) {
      ARROW_RETURN_NOT_OK(outcome.status());
      if (*outcome) ++winners;
    }
    if (winners != 1) ++lost;
  }
  return lost;
}

/// Of a path below kFolder: when its probe began, as the probe's id (UUIDv7) says.
int64_t BegunMicros(const std::string& path) {
  const std::string id = path.substr(std::min(path.size(), kFolder.size() + 1), 36);
  if (!IsUuid(id)) return 0;
  const std::string digits = id.substr(0, 8) + id.substr(9, 4);
  return std::strtoll(digits.c_str(), nullptr, 16) * 1000;
}

/// Removes what this probe made, and what probes left that were killed an hour ago or earlier.
Status CleanUp(Store& store, const std::string& folder, int64_t now_micros) {
  const auto is_garbage = [&](const std::string& path) {
    return path.starts_with(folder + "/") ||
           now_micros - BegunMicros(path) > kForgottenMicros;
  };
  ARROW_ASSIGN_OR_RAISE(const auto uploads, store.ListStaged(std::string(kFolder)));
  for (const StagedObject& upload : uploads) {
    if (is_garbage(upload.path)) ARROW_RETURN_NOT_OK(store.Abort(upload));
  }
  ARROW_ASSIGN_OR_RAISE(auto objects, store.List(std::string(kFolder)));
  std::erase_if(objects, [&](const auto& object) { return !is_garbage(object.path); });
  std::array<Status, kCreators> statuses;
  AtOnce([&](int i) {
    for (size_t at = static_cast<size_t>(i); at < objects.size(); at += kCreators) {
      const Status deleted = store.Delete(objects[at].path);
      Status& status = statuses[static_cast<size_t>(i)];
      if (status.ok()) status = deleted;
    }
  });
  for (const Status& status : statuses) ARROW_RETURN_NOT_OK(status);
  return Status::OK();
}

Result<ProbeVerdict> Ask(S3World& world, Store& store, const std::string& folder) {
  ProbeVerdict verdict;
  // Its parts are answered for by several machines, or written to several disks.
  verdict.durable = true;
  const std::string name = folder + "/taken";
  ARROW_ASSIGN_OR_RAISE(const bool put, RefusesASecondPut(store, name));
  ARROW_ASSIGN_OR_RAISE(const bool publish, RefusesAPublish(store, folder, name));
  verdict.create_only = put && publish;
  if (!put) {
    verdict.detail = "a second object was created under one name";
    return verdict;
  }
  if (!publish) {
    verdict.detail = "an upload was completed over an object that was there";
    return verdict;
  }
  ARROW_ASSIGN_OR_RAISE(const int lost, RacesLost(world, folder));
  verdict.atomic = lost == 0;
  verdict.detail =
      lost == 0 ? fmt::format("a name is created once, by one of {} at the same moment",
                              kCreators)
                : fmt::format("of {} creators at once several won in {} of {} rounds",
                              kCreators, lost, kRounds);
  return verdict;
}

}  // namespace

Result<ProbeVerdict> ProbeS3(S3World& world, Store& store) {
  const int64_t now = world.client.clock().NowMicros();
  const std::string folder = fmt::format("{}/{}", kFolder, NewUuidV7(now));
  auto verdict = Ask(world, store, folder);
  const auto refuses = RefusesAWrongSum(world, folder + "/sum");
  world.checks_sums = refuses.ok() && *refuses;
  const Status cleaned = CleanUp(store, folder, now);
  ARROW_RETURN_NOT_OK(verdict.status());
  ARROW_RETURN_NOT_OK(refuses.status());
  ARROW_RETURN_NOT_OK(cleaned);
  return verdict;
}

}  // namespace sluice
