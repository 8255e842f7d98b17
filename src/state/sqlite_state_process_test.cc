// What two processes do to each other, and what the disk does to them.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <utility>

#include "driver/sqlite_hooks_test.h"
#include "state/child_process_test.h"
#include "state/stopped_clock_test.h"
#include "testing/scratch_folder.h"
#include "testing/state_samples.h"

namespace sluice {
namespace {

using state::StoppedClock;

constexpr int64_t kTtl = 60'000;

TEST(SqliteStateProcesses, AKilledHolderIsReplacedAtOnce) {
  ScratchFolder folder{ScratchPlace::kMemory};
  StoppedClock clock(folder.Path("state.db"));
  Gate held;
  Child child([&] {
    auto store = *OpenSqliteState(clock.options());
    if (!store->Acquire("job", {.ttl_millis = kTtl, .run = "run-1"}).ok()) return 1;
    held.Open();
    return pause();
  });
  held.Wait();
  auto store = *OpenSqliteState(clock.options());
  const Status refused = store->Acquire("job", {}).status();
  EXPECT_REFUSED(refused, ErrorKind::kHeld, "state.held");
  EXPECT_NE(refused.message().find("pid " + std::to_string(child.pid())),
            std::string::npos);
  child.End(SIGKILL);
  EXPECT_FALSE((*store->Holder("job"))->held);
  auto lease = store->Acquire("job", {});
  ASSERT_TRUE(lease.ok()) << lease.status().ToString();
  EXPECT_EQ(lease->epoch, 2);
  // The dead one's lock file is gone, the living one's is there.
  EXPECT_FALSE(std::filesystem::exists(folder.Path("state.db.locks/job.1.lock")));
  EXPECT_TRUE(std::filesystem::exists(folder.Path("state.db.locks/job.2.lock")));
  EXPECT_OK(store->Release(*lease));
  EXPECT_FALSE(std::filesystem::exists(folder.Path("state.db.locks/job.2.lock")));
}

TEST(SqliteStateProcesses, AStoppedHolderKeepsItsLeaseAndIsFencedOnceItRanOut) {
  ScratchFolder folder{ScratchPlace::kMemory};
  StoppedClock clock(folder.Path("state.db"));
  Gate held, go_on;
  Child child([&] {
    auto store = *OpenSqliteState(clock.options());
    const auto lease = store->Acquire("job", {.ttl_millis = kTtl});
    if (!lease.ok()) return 1;
    if (!store->OpenLoad(*lease, NewLoad("job", "load-1", "orders")).ok()) return 2;
    held.Open();
    go_on.Wait();
    const Status late = store->AddChunk(*lease, "load-1", ChunkAt(1, true));
    return IdOf(late) == "state.fenced" && store->Release(*lease).ok() ? 42 : 3;
  });
  held.Wait();
  child.Stop();
  auto store = *OpenSqliteState(clock.options());
  clock.Advance(kTtl - 1);
  EXPECT_REFUSED(store->Acquire("job", {}).status(), ErrorKind::kHeld, "state.held");
  clock.Advance(1);
  const auto lease = store->Acquire("job", {.ttl_millis = kTtl});
  ASSERT_TRUE(lease.ok()) << lease.status().ToString();
  EXPECT_OK(store->AddChunk(*lease, "load-1", ChunkAt(1, false)));
  go_on.Open();
  child.Signal(SIGCONT);
  EXPECT_EQ(child.Wait(), 42);
  const LoadState load = **store->FindLoad("load-1");
  ASSERT_EQ(load.chunks.size(), 1u);
  EXPECT_FALSE(load.chunks[0].chunk.last);
  EXPECT_OK(store->Renew(*lease));
}

TEST(SqliteStateProcesses, AHolderOfAnotherMachineOrAnEarlierBootIsNeverTakenForDead) {
  ScratchFolder folder{ScratchPlace::kMemory};
  StoppedClock clock(folder.Path("state.db"));
  for (bool other_host : {true, false}) {
    SqliteStateOptions elsewhere = clock.options();
    (other_host ? elsewhere.host : elsewhere.boot_id) = "elsewhere";
    auto dead = *OpenSqliteState(elsewhere);
    ASSERT_TRUE(dead->Acquire("job", {.ttl_millis = kTtl}).ok());
    dead.reset();
    auto store = *OpenSqliteState(clock.options());
    EXPECT_TRUE((*store->Holder("job"))->held);
    EXPECT_REFUSED(store->Acquire("job", {}).status(), ErrorKind::kHeld, "state.held");
    clock.Advance(kTtl);
    const auto lease = store->Acquire("job", {.ttl_millis = kTtl});
    ASSERT_TRUE(lease.ok());
    EXPECT_OK(store->Release(*lease));
  }
}

TEST(SqliteStateProcesses, WithoutItsLockFileAHolderIsNotTakenForDead) {
  ScratchFolder folder{ScratchPlace::kMemory};
  StoppedClock clock(folder.Path("state.db"));
  auto holder = *OpenSqliteState(clock.options());
  ASSERT_TRUE(holder->Acquire("job", {.ttl_millis = kTtl}).ok());
  std::filesystem::remove_all(folder.Path("state.db.locks"));
  auto store = *OpenSqliteState(clock.options());
  EXPECT_REFUSED(store->Acquire("job", {}).status(), ErrorKind::kHeld, "state.held");
}

TEST(SqliteStateProcesses, WhereNoLockFileCanBeMadeALeaseLivesByTimeAlone) {
  ScratchFolder folder{ScratchPlace::kMemory};
  StoppedClock clock(folder.Path("state.db"));
  SqliteStateOptions options = clock.options();
  options.lock_dir = "/proc/self/no-locks-here";
  auto holder = *OpenSqliteState(options);
  const auto lease = holder->Acquire("job", {.ttl_millis = kTtl});
  ASSERT_TRUE(lease.ok()) << lease.status().ToString();
  EXPECT_OK(holder->Renew(*lease));
  holder.reset();
  auto store = *OpenSqliteState(options);
  EXPECT_REFUSED(store->Acquire("job", {}).status(), ErrorKind::kHeld, "state.held");
  clock.Advance(kTtl);
  EXPECT_OK(store->Acquire("job", {}).status());
}

TEST(SqliteStateProcesses, ALeftOverLockFileOfTheNextEpochIsHarmless) {
  ScratchFolder folder{ScratchPlace::kMemory};
  StoppedClock clock(folder.Path("state.db"));
  auto store = *OpenSqliteState(clock.options());
  const Lease lease = *store->Acquire("job", {});
  EXPECT_OK(store->Release(lease));
  // Somebody died between the lock file and the lease.
  close(open(folder.Path("state.db.locks/job.2.lock").c_str(), O_CREAT | O_RDWR, 0600));
  EXPECT_EQ(store->Acquire("job", {})->epoch, 2);
}

/// Where another makes a state, once, when somebody is about to ask for its version.
std::string rivals_path;

int MakeItMeanwhile(unsigned /*event*/, void* /*context*/, void* /*statement*/,
                    void* sql) {
  if (static_cast<const char*>(sql) != std::string_view("PRAGMA user_version")) return 0;
  const std::string path = std::exchange(rivals_path, {});
  if (path.empty()) return 0;
  // It gets through, or has to wait for who is looking.
  const Status made = OpenSqliteState({.path = path, .busy_timeout_millis = 20}).status();
  EXPECT_TRUE(made.ok() || IdOf(made) == "state.busy") << made.ToString();
  return 0;
}

TEST(SqliteStateProcesses, AStateThatIsBeingMadeIsNotTakenForSomebodyElses) {
  ScratchFolder folder{ScratchPlace::kMemory};
  Child child([&] {
    rivals_path = folder.Path("state.db");
    sqlite::ListenToStatements<MakeItMeanwhile>();
    const Status opened = OpenSqliteState({.path = folder.Path("state.db")}).status();
    EXPECT_TRUE(opened.ok()) << opened.ToString();
    return opened.ok() && rivals_path.empty() ? 42 : 1;
  });
  EXPECT_EQ(child.Wait(), 42);
  EXPECT_OK(OpenSqliteState({.path = folder.Path("state.db"), .create = false}).status());
}

TEST(SqliteStateProcesses, ManyProcessesMakeOneStateTogether) {
  ScratchFolder folder{ScratchPlace::kMemory};
  Gate go;
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 8; ++i) {
    children.push_back(std::make_unique<Child>([&, i] {
      go.Wait();
      auto store = OpenSqliteState({.path = folder.Path("new/state.db")});
      if (!store.ok()) return 1;
      auto lease = (*store)->Acquire("job " + std::to_string(i), {});
      return lease.ok() ? 0 : 2;
    }));
  }
  for (int i = 0; i < 8; ++i) go.Open();
  for (auto& child : children) EXPECT_EQ(child->Wait(), 0);
  auto store = *OpenSqliteState({.path = folder.Path("new/state.db")});
  EXPECT_EQ(store->Jobs(nullptr)->size(), 8u);
}

TEST(SqliteStateProcesses, OfManyProcessesThatWantOneJobOneGetsIt) {
  ScratchFolder folder{ScratchPlace::kMemory};
  StoppedClock clock(folder.Path("state.db"));
  Gate go, done, leave;
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 8; ++i) {
    children.push_back(std::make_unique<Child>([&] {
      auto store = *OpenSqliteState(clock.options());
      go.Wait();
      const auto lease = store->Acquire("job", {.ttl_millis = kTtl});
      done.Open();
      leave.Wait();
      return lease.ok() ? 10 : ExitCodeOf(lease.status());
    }));
  }
  for (int i = 0; i < 8; ++i) go.Open();
  for (int i = 0; i < 8; ++i) done.Wait();
  for (int i = 0; i < 8; ++i) leave.Open();
  std::multiset<int> codes;
  for (auto& child : children) codes.insert(child->Wait());
  EXPECT_EQ(codes, (std::multiset<int>{4, 4, 4, 4, 4, 4, 4, 10}));
}

TEST(SqliteStateProcesses, AProcessWithTooManyOpenFilesSaysSo) {
  ScratchFolder folder{ScratchPlace::kMemory};
  Child child([&] {
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return 1;
    const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(next);
    files.rlim_cur = static_cast<rlim_t>(next);
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) return 1;
    const Status status = OpenSqliteState({.path = folder.Path("state.db")}).status();
    if (IdOf(status) != "state.too-many-files") return 2;
    return ExitCodeOf(status) == 8 && !HintOf(status).empty() ? 42 : 3;
  });
  EXPECT_EQ(child.Wait(), 42);
}

TEST(SqliteStateProcesses, WithoutMemoryThatProcessesShareThereIsNoState) {
  ScratchFolder folder{ScratchPlace::kMemory};
  Child child([&] {
    if (!sqlite::DoWithoutSharedMemory()) return 1;
    const Status status = OpenSqliteState({.path = folder.Path("state.db")}).status();
    if (IdOf(status) != "state.no-wal") return 2;
    return ExitCodeOf(status) == 2 && !HintOf(status).empty() ? 42 : 3;
  });
  EXPECT_EQ(child.Wait(), 42);
}

TEST(SqliteStateProcesses, AFolderThatMayNotBeLookedIntoIsAUsageErrorOfWhoOnlyReads) {
  ScratchFolder folder{ScratchPlace::kMemory};
  EXPECT_OK(OpenSqliteState({.path = folder.Path("closed/state.db")}).status());
  Child child([&] {
    // For root permissions mean nothing.
    if (chmod(folder.Path("closed").c_str(), 0) != 0) return 1;
    if (geteuid() == 0 && setuid(65534) != 0) return 2;
    const Status status =
        OpenSqliteState({.path = folder.Path("closed/state.db"), .read_only = true})
            .status();
    return IdOf(status) == "state.permission" && ExitCodeOf(status) == 2 ? 42 : 3;
  });
  EXPECT_EQ(child.Wait(), 42);
  chmod(folder.Path("closed").c_str(), 0700);
}

// ---- disks

/// How a disk is made small or read-only. A disk of its own needs a privilege that not every
/// place grants; limits and permissions are to be had everywhere.
enum class Means { kOwnDisk, kLimits };
constexpr int kNotGranted = 100;

class Disk {
 public:
  Disk(Means means, const std::string& folder) : means_(means), folder_(folder) {}

  /// False: not granted.
  bool Make(int64_t size) const {
    if (means_ == Means::kLimits) return Resize(size);
    return NewNamespace() &&
           mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           mount("none", folder_.c_str(), "tmpfs", 0, SizeOption(size).c_str()) == 0;
  }
  bool Resize(int64_t size) const {
    if (means_ == Means::kOwnDisk)
      return mount("none", folder_.c_str(), nullptr, MS_REMOUNT,
                   SizeOption(size).c_str()) == 0;
    // Of one file; what is written beyond it fails.
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = static_cast<rlim_t>(size), .rlim_max = RLIM_INFINITY};
    return setrlimit(RLIMIT_FSIZE, &limit) == 0;
  }
  bool MakeReadOnly() const {
    if (means_ == Means::kOwnDisk)
      return mount("none", folder_.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) ==
             0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      chmod(entry.path().c_str(), entry.is_directory() ? 0555 : 0444);
    }
    // For root permissions mean nothing.
    return chmod(folder_.c_str(), 0555) == 0 && (geteuid() != 0 || setuid(65534) == 0);
  }
  Means means() const { return means_; }
  std::string path() const { return folder_ + "/state.db"; }

 private:
  static bool NewNamespace() {
    const uid_t user = geteuid();
    const gid_t group = getegid();
    if (user == 0) return unshare(CLONE_NEWNS) == 0;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    // A user and a group without a number here cannot make files.
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << user << " " << user << " 1";
    std::ofstream("/proc/self/gid_map") << group << " " << group << " 1";
    return true;
  }
  static std::string SizeOption(int64_t size) { return "size=" + std::to_string(size); }
  Means means_;
  std::string folder_;
};

/// Runs `body` in a child, once with each means; 42 is its success.
void OnDisk(int64_t size, const std::function<int(const Disk&)>& body) {
  for (Means means : {Means::kLimits, Means::kOwnDisk}) {
    ScratchFolder folder{ScratchPlace::kMemory};
    Child child([&] {
      const Disk disk(means, folder.path());
      return disk.Make(size) ? body(disk) : kNotGranted;
    });
    const int code = child.Wait();
    if (means == Means::kOwnDisk && code == kNotGranted) continue;
    EXPECT_EQ(code, 42) << (means == Means::kLimits ? "limits" : "own disk");
    // So that it can be removed.
    chmod(folder.path().c_str(), 0700);
    chmod(folder.Path("state.db.locks").c_str(), 0700);
  }
}

bool IsResource(const Status& status, std::string_view id) {
  if (IdOf(status) == id && ExitCodeOf(status) == 8 && !HintOf(status).empty())
    return true;
  ADD_FAILURE() << status.ToString();
  return false;
}

/// Of a limit SQLite only knows that a write failed.
bool SaysFull(const Disk& disk, const Status& status) {
  if (disk.means() == Means::kOwnDisk) return IsResource(status, "state.disk-full");
  return IdOf(status) == "state.io" && KindOf(status) != ErrorKind::kTransient;
}

TEST(SqliteStateDisk, AFullDiskIsAResourceErrorAndTheStateGoesOnOnceThereIsRoom) {
  OnDisk(400'000, [](const Disk& disk) {
    auto store = *OpenSqliteState({.path = disk.path()});
    const Lease lease = *store->Acquire("job", {});
    if (!store->BeginRun(lease, {.run = "run-1"}).ok()) return 1;
    Status status;
    int written = 0;
    for (; status.ok() && written < 1000; ++written) {
      status = store->SaveProbe("d" + std::to_string(written),
                                {.detail = std::string(4096, 'x')});
    }
    if (!SaysFull(disk, status)) return 2;
    // What was said to be written is there; what failed is not.
    if (!store->LastProbe("d" + std::to_string(written - 2))->has_value()) return 3;
    if (store->LastProbe("d" + std::to_string(written - 1))->has_value()) return 4;
    if (!disk.Resize(4'000'000)) return 5;
    return store->EndRun(lease, "run-1", 0, "{}").ok() ? 42 : 6;
  });
}

TEST(SqliteStateDisk, ADiskWithoutRoomForANewStateIsAResourceError) {
  OnDisk(8192, [](const Disk& disk) {
    return SaysFull(disk, OpenSqliteState({.path = disk.path()}).status()) ? 42 : 1;
  });
}

/// What writers and readers find once the disk is read-only; 42 is success.
int OnceReadOnly(const Disk& disk) {
  if (!disk.MakeReadOnly()) return 10;
  if (!IsResource(OpenSqliteState({.path = disk.path()}).status(), "state.read-only"))
    return 11;
  const std::string other = disk.path() + ".new/state.db";
  if (!IsResource(OpenSqliteState({.path = other}).status(), "state.read-only"))
    return 12;
  auto reader = OpenSqliteState({.path = disk.path(), .read_only = true});
  if (!reader.ok()) return 13;
  return (*reader)->Jobs(nullptr)->size() == 1 ? 42 : 14;
}

TEST(SqliteStateDisk, AReadOnlyDiskIsAResourceErrorForWritersAndFineForReaders) {
  OnDisk(4'000'000, [](const Disk& disk) {
    auto store = *OpenSqliteState({.path = disk.path()});
    if (!store->Acquire("job", {.run = "run-1"}).ok()) return 1;
    store.reset();
    return OnceReadOnly(disk);
  });
}

TEST(SqliteStateDisk, AKilledRunsStateOnAReadOnlyDiskCanStillBeRead) {
  OnDisk(4'000'000, [](const Disk& disk) {
    Child killed([&] {
      auto store = *OpenSqliteState({.path = disk.path()});
      return store->Acquire("job", {.run = "run-1"}).ok() ? kill(getpid(), SIGKILL) : 1;
    });
    if (killed.Wait() != -1 || !std::filesystem::exists(disk.path() + "-wal")) return 1;
    return OnceReadOnly(disk);
  });
}

}  // namespace
}  // namespace sluice
