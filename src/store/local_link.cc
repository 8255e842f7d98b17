#include "store/local_link.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <barrier>
#include <cerrno>
#include <system_error>
#include <thread>
#include <vector>

#include "base/uuid.h"

namespace sluice {
namespace {

constexpr int kRounds = 20, kCreators = 4;

/// What filesystems without hard links answer; EPERM also where links to other users'
/// files are forbidden. A rename that is refused as well says what is really wrong.
bool MayLackLinks(int error) {
  return error == EPERM || error == EOPNOTSUPP || error == ENOSYS || error == EMLINK ||
         error == EACCES;
}

/// One probe in one folder of its own.
class Probe {
 public:
  Probe(const LocalTree& tree, std::string folder)
      : tree_(tree), folder_(std::move(folder)) {}

  Result<ProbeVerdict> Run() {
    ARROW_ASSIGN_OR_RAISE(ProbeVerdict verdict, CreateTwice());
    if (!verdict.create_only) return verdict;
    ARROW_ASSIGN_OR_RAISE(verdict.atomic, Race());
    const char* means = means_ == LinkMeans::kLink ? "links" : "renames";
    verdict.detail =
        verdict.atomic
            ? fmt::format(
                  "names are created by {}: a second creator was refused, and of {} at "
                  "once exactly one won in each of {} rounds{}",
                  means, kCreators, kRounds, Durability(verdict))
            : fmt::format(
                  "names are created by {}, but of {} creators at once several won, or "
                  "none{}",
                  means, kCreators, Durability(verdict));
    return verdict;
  }

  Status CleanUp() const {
    ARROW_ASSIGN_OR_RAISE(const UniqueFd folder, tree_.OpenFolder(folder_));
    for (const std::string& name : names_) {
      // One sync for all of them, by Remove below.
      if (folder.valid() && unlinkat(folder.get(), name.c_str(), 0) != 0 &&
          errno != ENOENT) {
        return tree_.Fail(errno, {"remove the file", folder_ + '/' + name});
      }
    }
    return tree_.Remove(folder_ + "/name");
  }

 private:
  static std::string Durability(const ProbeVerdict& verdict) {
    return verdict.durable
               ? "; syncs are accepted"
               : "; folders cannot be synced, a power cut may lose the newest files";
  }

  Result<NewFile> Create(const std::string& name) {
    names_.push_back(name);
    ARROW_ASSIGN_OR_RAISE(NewFile made, tree_.CreateFile(folder_ + '/' + name));
    ARROW_RETURN_NOT_OK(tree_.WriteAll(made.file.get(), name, folder_ + '/' + name));
    return made;
  }

  Result<ProbeVerdict> CreateTwice() {
    ARROW_ASSIGN_OR_RAISE(const NewFile first, Create("first"));
    ARROW_ASSIGN_OR_RAISE(const NewFile second, Create("second"));
    names_.push_back("name");
    const int folder = first.folder.get();
    const std::string name = "name", from = "first", other = "second";
    ProbeVerdict verdict;
    const int created = LinkNew({folder, from}, {folder, name}, &means_);
    if (created == EINVAL || created == ENOSYS || created == EOPNOTSUPP) {
      verdict.detail =
          "the filesystem has neither links nor renames that keep what is there, so that "
          "one run could overwrite what another has written";
      return verdict;
    }
    if (created != 0) return tree_.Fail(created, {"create the name", folder_ + "/name"});
    verdict.create_only = LinkNew({folder, other}, {folder, name}) == EEXIST;
    verdict.detail = "a second create of one name was not refused";
    const Attempted sync{"make the file durable", folder_ + "/first"};
    ARROW_RETURN_NOT_OK(tree_.SyncFile(first.file.get(), sync));
    verdict.durable = fsync(folder) == 0;
    if (verdict.durable || errno == EINVAL) return verdict;
    return tree_.Fail(errno, {"make the names durable in", folder_});
  }

  /// Whether exactly one creator won every round.
  Result<bool> Race() {
    std::array<std::atomic<int>, kRounds> winners{};
    std::array<std::atomic<int>, kCreators> errors{};
    std::vector<std::string> targets;
    std::array<std::vector<std::string>, kCreators> sources;
    ARROW_ASSIGN_OR_RAISE(const UniqueFd folder, tree_.OpenFolder(folder_));
    if (!folder.valid()) return tree_.Fail(ENOENT, {"open the folder", folder_});
    for (int round = 0; round < kRounds; ++round) {
      targets.push_back(fmt::format("name-{}", round));
      names_.push_back(targets.back());
      for (int creator = 0; creator < kCreators; ++creator) {
        // A rename uses its file up; one link does not.
        const bool reuse = means_ == LinkMeans::kLink && round > 0;
        const std::string name =
            reuse ? sources[creator][0] : fmt::format("creator-{}-{}", creator, round);
        sources[creator].push_back(name);
        if (!reuse) ARROW_RETURN_NOT_OK(Create(name).status());
      }
    }
    std::barrier start(kCreators);
    auto create = [&](int creator) {
      for (int round = 0; round < kRounds; ++round) {
        start.arrive_and_wait();
        const int error = LinkNew({folder.get(), sources[creator][round]},
                                  {folder.get(), targets[round]});
        if (error == 0) ++winners[round];
        if (error != 0 && error != EEXIST) errors[creator] = error;
      }
    };
    std::vector<std::thread> creators;
    for (int creator = 0; creator < kCreators; ++creator) {
      try {
        creators.emplace_back(create, creator);
      } catch (const std::system_error& refused) {
        errors[creator] = refused.code().value();
        start.arrive_and_drop();
      }
    }
    for (std::thread& creator : creators) creator.join();
    for (const auto& error : errors) {
      if (error != 0) return tree_.Fail(error, {"create a name in", folder_});
    }
    bool one_each = true;
    for (const auto& count : winners) one_each = one_each && count == 1;
    return one_each;
  }

  const LocalTree& tree_;
  const std::string folder_;
  std::vector<std::string> names_;
  LinkMeans means_ = LinkMeans::kLink;
};

}  // namespace

int LinkNew(const NameAt& from, const NameAt& to, LinkMeans* used) {
  if (used != nullptr) *used = LinkMeans::kLink;
  const char* old_name = from.name.c_str();
  const char* new_name = to.name.c_str();
  if (linkat(from.folder, old_name, to.folder, new_name, 0) == 0) return 0;
  if (!MayLackLinks(errno)) return errno;
  if (used != nullptr) *used = LinkMeans::kRename;
  return renameat2(from.folder, old_name, to.folder, new_name, RENAME_NOREPLACE) == 0
             ? 0
             : errno;
}

Result<ProbeVerdict> ProbeLocalTree(const LocalTree& tree) {
  ARROW_RETURN_NOT_OK(tree.CheckRoot());
  Probe probe(tree, "_sluice/staging/probe-" + NewNonce());
  Result<ProbeVerdict> verdict = probe.Run();
  const Status cleaned = probe.CleanUp();
  return verdict.ok() && !cleaned.ok() ? Result<ProbeVerdict>(cleaned) : verdict;
}

}  // namespace sluice
