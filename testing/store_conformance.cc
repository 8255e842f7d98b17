#include "testing/store_conformance.h"

#include <array>
#include <atomic>
#include <thread>
#include <utility>

#include "arrow/buffer.h"
#include "arrow/io/interfaces.h"

namespace sluice {
namespace {

constexpr int64_t kSmall = 1 << 20;
const char kPart[] = "main/orders/L1/part-000001-000.parquet";

/// "t/L/name" is staged as "t/_sluice/staging/L/name.{attempt}.tmp".
StageTarget TargetOf(const std::string& path, const std::string& attempt) {
  const size_t name = path.rfind('/');
  const size_t folder = name == std::string::npos ? name : path.rfind('/', name - 1);
  const std::string table = folder == std::string::npos ? "" : path.substr(0, folder + 1);
  const std::string rest = path.substr(table.size());
  return {path, table + "_sluice/staging/" + rest + "." + attempt + ".tmp", attempt};
}

std::string Pattern(size_t size, char seed) {
  std::string bytes(size, 0);
  uint32_t state = static_cast<unsigned char>(seed);
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

void ExpectRefused(const Status& status, std::string_view id) {
  EXPECT_FALSE(status.ok()) << "wanted " << id;
  EXPECT_EQ(KindOf(status), ErrorKind::kDestination) << status.ToString();
  EXPECT_EQ(IdOf(status), id) << status.ToString();
}

void InThreads(int count, const std::function<void(int)>& act) {
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) threads.emplace_back(act, i);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

StoreMaker::StoreMaker(std::function<std::unique_ptr<StoreFixture>()> make)
    : make_(std::move(make)) {}

StoreConformance::StoreConformance()
    : fixture_(GetParam().Make()), store_(fixture_->Open()), other_(fixture_->Open()) {}
StoreConformance::~StoreConformance() = default;

StagedObject StoreConformance::Staged(Store& store, const std::string& path,
                                      const std::string& attempt,
                                      std::string_view bytes) {
  auto pending = store.Begin(TargetOf(path, attempt));
  EXPECT_TRUE(pending.ok()) << pending.status().ToString();
  if (!pending.ok()) return {};
  const size_t half = bytes.size() / 2;
  for (const std::string_view part : {bytes.substr(0, half), bytes.substr(half)}) {
    const Status written = (*pending)->Write(part);
    EXPECT_TRUE(written.ok()) << written.ToString();
  }
  EXPECT_EQ((*pending)->size(), static_cast<int64_t>(bytes.size()));
  auto staged = (*pending)->Stage();
  EXPECT_TRUE(staged.ok()) << staged.status().ToString();
  return staged.ok() ? *staged : StagedObject();
}

std::vector<std::string> StoreConformance::Listed(const std::string& folder) {
  auto objects = other_->List(folder);
  EXPECT_TRUE(objects.ok()) << objects.status().ToString();
  std::vector<std::string> paths;
  if (objects.ok()) {
    for (const ObjectInfo& object : *objects) paths.push_back(object.path);
  }
  return paths;
}

std::string StoreConformance::Bytes(const std::string& path) {
  auto bytes = other_->Get(path, 1 << 30);
  EXPECT_TRUE(bytes.ok()) << bytes.status().ToString();
  return bytes.ok() ? bytes->value_or("<absent>") : "<error>";
}

void StoreConformance::AbortAllBelow(const std::string& folder) {
  const auto leftovers = other_->ListStaged(folder);
  ASSERT_TRUE(leftovers.ok()) << leftovers.status().ToString();
  for (const StagedObject& object : *leftovers) EXPECT_TRUE(other_->Abort(object).ok());
}

using Paths = std::vector<std::string>;

// A linker may take this file into programs that have no store.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreConformance);

TEST_P(StoreConformance, WhatIsStagedIsDurableCompleteAndInvisible) {
  const StagedObject staged = Staged(kPart, "a1", "123456789");
  EXPECT_EQ(staged.path, kPart);
  EXPECT_EQ(staged.attempt, "a1");
  EXPECT_EQ(staged.size, 9);
  EXPECT_EQ(staged.crc32c, 0xE3069283u);
  EXPECT_EQ(Listed(), Paths());
  EXPECT_EQ(Listed("main/orders/L1"), Paths());
  EXPECT_EQ(*other_->Head(kPart), std::nullopt);
  EXPECT_EQ(*other_->Get(kPart, kSmall), std::nullopt);
}

TEST_P(StoreConformance, PublishedIsWholeUnderItsName) {
  const auto ref = store_->Publish(Staged(kPart, "a1", "123456789"));
  ASSERT_TRUE(ref.ok()) << ref.status().ToString();
  EXPECT_EQ(ref->path, kPart);
  EXPECT_EQ(ref->size, 9);
  EXPECT_EQ(ref->crc32c, 0xE3069283u);
  EXPECT_EQ(Listed(), Paths{kPart});
  EXPECT_EQ(Bytes(kPart), "123456789");
  const auto info = other_->Head(kPart);
  ASSERT_TRUE(info.ok() && info->has_value());
  EXPECT_EQ((*info)->path, kPart);
  EXPECT_EQ((*info)->size, 9);
  EXPECT_EQ((*info)->version_id, ref->version_id);
  EXPECT_GT((*info)->modified_micros, 0);
}

TEST_P(StoreConformance, ALostReplyOfPublishIsResolvedByPublishingAgain) {
  const StagedObject staged = Staged(kPart, "a1", "rows");
  const auto first = store_->Publish(staged);
  const auto again = store_->Publish(staged);
  const auto elsewhere = other_->Publish(staged);
  ASSERT_TRUE(first.ok() && again.ok() && elsewhere.ok());
  EXPECT_EQ(*first, *again);
  EXPECT_EQ(*first, *elsewhere);
  EXPECT_EQ(Listed(), Paths{kPart});
}

TEST_P(StoreConformance, WhatIsPublishedIsAdoptedAlsoWhenTheStagedObjectIsGone) {
  const StagedObject staged = Staged(kPart, "a1", "rows");
  const auto first = store_->Publish(staged);
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(store_->Abort(staged).ok());
  const auto again = other_->Publish(staged);
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_EQ(*first, *again);
}

TEST_P(StoreConformance, ANameThatSomebodyElseTookIsRefusedAndKept) {
  ASSERT_TRUE(store_->Publish(Staged(kPart, "a1", "one")).ok());
  ExpectRefused(other_->Publish(Staged(kPart, "a2", "two")).status(), "store.name-taken");
  ExpectRefused(other_->Publish(Staged(kPart, "a3", "three")).status(),
                "store.name-taken");
  EXPECT_EQ(Bytes(kPart), "one");
  ASSERT_EQ(*store_->Put("main/x", "put", PutMode::kCreateOnly), PutOutcome::kCreated);
  ExpectRefused(store_->Publish(Staged("main/x", "a4", "PUT")).status(),
                "store.name-taken");
  EXPECT_EQ(Bytes("main/x"), "put");
}

TEST_P(StoreConformance, AnotherAttemptOfTheSameBytesIsAdopted) {
  const auto first = store_->Publish(Staged(kPart, "a1", "same"));
  const auto second = other_->Publish(Staged(kPart, "a2", "same"));
  ASSERT_TRUE(second.ok()) << second.status().ToString();
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(Listed(), Paths{kPart});
}

TEST_P(StoreConformance, WhatIsNeitherStagedNorPublishedIsGone) {
  const StagedObject staged = Staged(kPart, "a1", "rows");
  ASSERT_TRUE(other_->Abort(staged).ok());
  ExpectRefused(store_->Publish(staged).status(), "store.staged-gone");
  EXPECT_EQ(Listed(), Paths());
}

TEST_P(StoreConformance, AbortIsIdempotentAndNeverTouchesWhatIsPublished) {
  const StagedObject lost = Staged(kPart, "a1", "lost");
  const StagedObject won = Staged(kPart, "a2", "won");
  ASSERT_TRUE(store_->Publish(won).ok());
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(store_->Abort(lost).ok());
    EXPECT_TRUE(other_->Abort(won).ok());
  }
  EXPECT_EQ(Bytes(kPart), "won");
  EXPECT_TRUE(store_->ListStaged("")->empty());
}

TEST_P(StoreConformance, WhatOneProcessStagedAnotherPublishes) {
  const StagedObject staged = Staged(kPart, "a1", "rows");
  store_.reset();
  ASSERT_TRUE(other_->Publish(staged).ok());
  EXPECT_EQ(Bytes(kPart), "rows");
}

TEST_P(StoreConformance, AnObjectIsStagedOnce) {
  auto pending = store_->Begin(TargetOf(kPart, "a1"));
  ASSERT_TRUE(pending.ok() && (*pending)->Write("rows").ok());
  const auto staged = (*pending)->Stage();
  ASSERT_TRUE(staged.ok());
  EXPECT_FALSE((*pending)->Stage().ok());
  EXPECT_FALSE((*pending)->Write("more").ok());
  pending->reset();
  ASSERT_TRUE(store_->Publish(*staged).ok());
  EXPECT_EQ(Bytes(kPart), "rows");
}

TEST_P(StoreConformance, DroppingAPendingObjectLeavesNothing) {
  for (const std::string& bytes :
       {std::string(), std::string("half a file"), Pattern(3 << 20, 1)}) {
    auto pending = store_->Begin(TargetOf(kPart, "a1"));
    ASSERT_TRUE(pending.ok()) << pending.status().ToString();
    ASSERT_TRUE((*pending)->Write(bytes).ok());
    EXPECT_EQ(Listed(), Paths());
    pending->reset();
    EXPECT_EQ(Listed(), Paths());
    EXPECT_TRUE(other_->ListStaged("")->empty());
  }
}

TEST_P(StoreConformance, TwoHandlesPublishOneStagedObjectAtOnce) {
  for (int round = 0; round < 20; ++round) {
    const std::string path = "t/L/part-" + std::to_string(round);
    const StagedObject staged = Staged(path, "a1", Pattern(1000, 2));
    std::vector<Result<ObjectRef>> refs(2, Status::Invalid("not run"));
    InThreads(2, [&](int i) { refs[i] = (i == 0 ? store_ : other_)->Publish(staged); });
    ASSERT_TRUE(refs[0].ok()) << refs[0].status().ToString();
    ASSERT_TRUE(refs[1].ok()) << refs[1].status().ToString();
    EXPECT_EQ(*refs[0], *refs[1]);
  }
  EXPECT_EQ(Listed().size(), 20u);
}

TEST_P(StoreConformance, OfManyAttemptsAtOnceOneIsPublished) {
  for (int round = 0; round < 10; ++round) {
    const std::string path = "t/L/part-" + std::to_string(round);
    std::atomic<int> winners = 0, refused = 0;
    std::array<std::atomic<bool>, 8> won{};
    InThreads(8, [&](int i) {
      const std::string attempt = "a" + std::to_string(i);
      const auto ref =
          (i % 2 == 0 ? store_ : other_)->Publish(Staged(path, attempt, attempt));
      if (ref.ok()) ++winners;
      won[static_cast<size_t>(i)] = ref.ok();
      if (IdOf(ref.status()) == "store.name-taken") ++refused;
    });
    EXPECT_EQ(winners + refused, 8);
    EXPECT_GE(winners, 1);
    EXPECT_TRUE(winners == 1 || !fixture_->promises().atomic) << winners;
    // Whoever was told that it won or lost: what is there is one winner's, whole.
    const std::string bytes = Bytes(path);
    ASSERT_EQ(bytes.size(), 2u);
    EXPECT_TRUE(won[static_cast<size_t>(bytes[1] - '0')]) << bytes;
  }
}

TEST_P(StoreConformance, PutCreatesOnlyWhatIsNotThere) {
  EXPECT_EQ(*store_->Put("t/_sluice/L1.json", "first", PutMode::kCreateOnly),
            PutOutcome::kCreated);
  EXPECT_EQ(*other_->Put("t/_sluice/L1.json", "second", PutMode::kCreateOnly),
            PutOutcome::kExists);
  EXPECT_EQ(Bytes("t/_sluice/L1.json"), "first");
  EXPECT_EQ(Listed(), Paths{"t/_sluice/L1.json"});
  EXPECT_TRUE(store_->ListStaged("")->empty());
}

TEST_P(StoreConformance, OfEightPutsAtOnceOneCreates) {
  for (int round = 0; round < 20; ++round) {
    const std::string path = "t/_sluice/" + std::to_string(round) + ".json";
    std::atomic<int> created = 0, existed = 0;
    std::array<std::atomic<bool>, 8> won{};
    InThreads(8, [&](int i) {
      const auto put = (i % 2 == 0 ? store_ : other_)
                           ->Put(path, "by " + std::to_string(i), PutMode::kCreateOnly);
      ASSERT_TRUE(put.ok()) << put.status().ToString();
      if (*put == PutOutcome::kExists) ++existed;
      if (*put == PutOutcome::kCreated) {
        ++created;
        won[static_cast<size_t>(i)] = true;
      }
    });
    EXPECT_EQ(created + existed, 8);
    EXPECT_GE(created, 1);
    EXPECT_TRUE(created == 1 || !fixture_->promises().atomic) << created;
    const std::string bytes = Bytes(path);
    ASSERT_EQ(bytes.size(), 4u);
    EXPECT_TRUE(won[static_cast<size_t>(bytes[3] - '0')]) << bytes;
  }
}

TEST_P(StoreConformance, AReaderOfAnOverwrittenObjectSeesOneOrTheOtherWhole) {
  const std::string one(100'000, '1'), two(150'000, '2');
  ASSERT_TRUE(store_->Put("t/head", one, PutMode::kOverwrite).ok());
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      const std::string seen = Bytes("t/head");
      ASSERT_TRUE(seen == one || seen == two) << seen.size();
      ASSERT_LE(Listed().size(), 1u);
    }
  });
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(*store_->Put("t/head", i % 2 == 0 ? two : one, PutMode::kOverwrite),
              PutOutcome::kCreated);
  }
  done = true;
  reader.join();
  EXPECT_EQ(Bytes("t/head"), one);
}

TEST_P(StoreConformance, GetRefusesWhatIsLargerThanAsked) {
  ASSERT_TRUE(store_->Put("x", "12345", PutMode::kCreateOnly).ok());
  EXPECT_EQ(*store_->Get("x", 5), "12345");
  const auto refused = store_->Get("x", 4);
  EXPECT_EQ(KindOf(refused.status()), ErrorKind::kDestination)
      << refused.status().ToString();
  EXPECT_EQ(*store_->Get("y", 5), std::nullopt);
}

TEST_P(StoreConformance, ReadGivesTheBytesOfThatVersion) {
  const std::string bytes = Pattern(100'000, 3);
  const auto ref = store_->Publish(Staged(kPart, "a1", bytes));
  ASSERT_TRUE(ref.ok());
  const auto file = other_->Read(*ref);
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  EXPECT_EQ(*(*file)->GetSize(), 100'000);
  EXPECT_EQ((*(*file)->ReadAt(99'990, 100))->ToString(), bytes.substr(99'990));
  EXPECT_EQ((*(*file)->Read(10))->ToString(), bytes.substr(0, 10));
  ASSERT_TRUE((*file)->Seek(50'000).ok());
  EXPECT_EQ((*(*file)->Read(10))->ToString(), bytes.substr(50'000, 10));
  EXPECT_EQ(*(*file)->Tell(), 50'010);
}

TEST_P(StoreConformance, AListingGivesTheSameTheSecondTime) {
  ASSERT_TRUE(store_->Publish(Staged(kPart, "a1", "rows")).ok());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Listed(), Paths{kPart});
}

TEST_P(StoreConformance, ReadRefusesAnotherObjectUnderTheName) {
  const auto ref = store_->Publish(Staged(kPart, "a1", "right"));
  ASSERT_TRUE(ref.ok());
  ObjectRef larger = *ref, other = *ref, absent = *ref;
  larger.size = 6;
  other.version_id += "1";
  other.crc32c ^= 1;
  absent.path = "main/orders/L1/absent";
  ExpectRefused(store_->Read(larger).status(), "store.object-changed");
  ExpectRefused(store_->Read(other).status(), "store.object-changed");
  // A lake that was copied or restored: the store calls it other, and nothing is wrong with it.
  ObjectRef restored = *ref;
  restored.version_id += "1";
  EXPECT_TRUE(store_->Read(restored).ok());
  EXPECT_EQ(KindOf(store_->Read(absent).status()), ErrorKind::kDestination);
}

TEST_P(StoreConformance, ListIsSortedByPathAndStaysBelowTheFolder) {
  for (const char* path :
       {"a/c", "ab/x", "a/b/z", "a.b", "a/b", "a/_sluice/L.json", "B/x"}) {
    if (std::string_view(path) == "a/b")
      continue;  // a folder and an object: not on every store
    ASSERT_TRUE(store_->Put(path, path, PutMode::kCreateOnly).ok()) << path;
  }
  const Paths all = {"B/x", "a.b", "a/_sluice/L.json", "a/b/z", "a/c", "ab/x"};
  EXPECT_EQ(Listed(), all);
  EXPECT_EQ(Listed("a"), (Paths{"a/_sluice/L.json", "a/b/z", "a/c"}));
  EXPECT_EQ(Listed("a/b"), Paths{"a/b/z"});
  EXPECT_EQ(Listed("nowhere/at/all"), Paths());
}

TEST_P(StoreConformance, ALeftoverIsListedByAnyoneAndAborted) {
  const StagedObject kept = Staged("t/L1/part-1", "a1", "kept");
  const StagedObject leftover = Staged("t/L2/part-1", "a2", "leftover");
  for (const char* folder : {"", "t", "t/L2"}) {
    const auto listed = other_->ListStaged(folder);
    ASSERT_TRUE(listed.ok()) << listed.status().ToString();
    int seen = 0;
    for (const StagedObject& object : *listed) {
      const bool named = fixture_->promises().names_attempts;
      EXPECT_TRUE(named || object.attempt.empty()) << object.attempt;
      const bool kept_one = ("/" + object.path).find("/L1/") != std::string::npos;
      if (named ? object.attempt != "a2" : kept_one) continue;
      ++seen;
      // Whatever the store calls it, its load is a segment of the path.
      EXPECT_NE(("/" + object.path).find("/L2/"), std::string::npos) << object.path;
      // gc spares what is young.
      EXPECT_GT(object.modified_micros, 0);
    }
    EXPECT_EQ(seen, 1) << folder;
  }
  AbortAllBelow("t/L2");
  ExpectRefused(store_->Publish(leftover).status(), "store.staged-gone");
  EXPECT_TRUE(store_->Publish(kept).ok());
  EXPECT_EQ(Listed(), Paths{"t/L1/part-1"});
}

TEST_P(StoreConformance, AbortingWhatIsListedNeverTouchesWhatIsPublished) {
  ASSERT_TRUE(store_->Publish(Staged("t/L/part-1", "a1", "published")).ok());
  Staged("t/L/part-2", "a1", "leftover");
  AbortAllBelow("");
  EXPECT_TRUE(other_->ListStaged("")->empty());
  EXPECT_EQ(Bytes("t/L/part-1"), "published");
  EXPECT_EQ(Listed(), Paths{"t/L/part-1"});
}

TEST_P(StoreConformance, DeleteIsIdempotentAndTakesNothingElse) {
  ASSERT_TRUE(store_->Put("a/b/c/1", "1", PutMode::kCreateOnly).ok());
  ASSERT_TRUE(store_->Put("a/b/2", "2", PutMode::kCreateOnly).ok());
  EXPECT_TRUE(store_->Delete("a/b/c/1").ok());
  EXPECT_TRUE(other_->Delete("a/b/c/1").ok());
  EXPECT_EQ(Listed(), Paths{"a/b/2"});
  EXPECT_TRUE(store_->Delete("a/b/2").ok());
  EXPECT_TRUE(store_->Delete("never/was/there").ok());
  EXPECT_EQ(Listed(), Paths());
  // The emptied folder's name is free for an object.
  EXPECT_EQ(*store_->Put("a", "object", PutMode::kCreateOnly), PutOutcome::kCreated);
}

TEST_P(StoreConformance, FoldersComeAndGoUnderTheirWriters) {
  InThreads(4, [&](int i) {
    const std::string name = "t/deep/folder/" + std::to_string(i);
    for (int round = 0; round < 25; ++round) {
      Store& store = i % 2 == 0 ? *store_ : *other_;
      const auto put = store.Put(name, name, PutMode::kCreateOnly);
      ASSERT_TRUE(put.ok()) << put.status().ToString();
      ASSERT_EQ(*put, PutOutcome::kCreated);
      ASSERT_EQ(*store.Get(name, kSmall), name);
      const Status deleted = store.Delete(name);
      ASSERT_TRUE(deleted.ok()) << deleted.ToString();
    }
  });
  EXPECT_EQ(Listed(), Paths());
}

TEST_P(StoreConformance, OddNamesAreNames) {
  const Paths names = {"main/%2E%2E/%5Fx",
                       "main/it's; drop/…",
                       "main/ünïcode/表/🦫",
                       "main/%/a%2Fb",
                       "main/" + std::string(200, 'x') + "/y",
                       "main/a+b&c#d@e,f(g)[h]{i}/$HOME"};
  for (const std::string& name : names) {
    const auto ref = store_->Publish(Staged(name, "a1", name));
    ASSERT_TRUE(ref.ok()) << ref.status().ToString();
    EXPECT_EQ(Bytes(name), name);
    EXPECT_TRUE(store_->Read(*ref).ok()) << name;
  }
  EXPECT_EQ(Listed().size(), names.size());
}

TEST_P(StoreConformance, AnEscapingPathIsRefused) {
  for (const std::string& path :
       Paths{"", "/etc/x", "../x", "a/../../x", "a/./b", "a//b", "a/",
             "t/_sluice/staging/x", std::string("a\0b", 3)}) {
    ExpectRefused(store_->Put(path, "x", PutMode::kOverwrite).status(), "store.bad-path");
    ExpectRefused(store_->Get(path, kSmall).status(), "store.bad-path");
    ExpectRefused(store_->Delete(path), "store.bad-path");
    ExpectRefused(store_->Begin({path, "_sluice/staging/x.tmp", "a1"}).status(),
                  "store.bad-path");
  }
  ExpectRefused(store_->Begin({"x", "y/x.tmp", "a1"}).status(), "store.bad-path");
  ExpectRefused(store_->Begin({"x", "_sluice/staging/../../x.tmp", "a1"}).status(),
                "store.bad-path");
}

TEST_P(StoreConformance, AnEmptyObjectIsAnObject) {
  const auto ref = store_->Publish(Staged(kPart, "a1", ""));
  ASSERT_TRUE(ref.ok()) << ref.status().ToString();
  EXPECT_EQ(ref->size, 0);
  EXPECT_EQ(ref->crc32c, 0u);
  EXPECT_EQ(Bytes(kPart), "");
  EXPECT_EQ(*(*store_->Read(*ref))->GetSize(), 0);
  EXPECT_EQ(*store_->Put("empty", "", PutMode::kCreateOnly), PutOutcome::kCreated);
  EXPECT_EQ(Bytes("empty"), "");
}

TEST_P(StoreConformance, TwentyMegabytesInOddPiecesArriveAsTheyWere) {
  const std::string bytes = Pattern(20 << 20, 4);
  auto pending = store_->Begin(TargetOf(kPart, "a1"));
  ASSERT_TRUE(pending.ok());
  std::string_view left = bytes;
  for (size_t piece = 1; !left.empty(); piece = piece * 3 + 1) {
    const std::string_view part = left.substr(0, piece);
    ASSERT_TRUE((*pending)->Write(part).ok());
    left.remove_prefix(part.size());
    if (piece > 5'000'000) piece = 0;
  }
  const auto staged = (*pending)->Stage();
  ASSERT_TRUE(staged.ok()) << staged.status().ToString();
  const StagedObject whole = Staged("main/whole", "a2", bytes);
  EXPECT_EQ(staged->crc32c, whole.crc32c);
  ASSERT_TRUE(store_->Publish(*staged).ok());
  EXPECT_TRUE(Bytes(kPart) == bytes);
}

TEST_P(StoreConformance, AListerNeverSeesAnObjectThatIsNotWhole) {
  const std::string bytes = Pattern(300'000, 5);
  std::atomic<bool> done = false;
  std::thread lister([&] {
    while (!done) {
      const auto objects = other_->List("");
      ASSERT_TRUE(objects.ok()) << objects.status().ToString();
      for (const ObjectInfo& object : *objects)
        ASSERT_EQ(object.size, 300'000) << object.path;
    }
  });
  for (int i = 0; i < 30; ++i) {
    const std::string path = "t/L/part-" + std::to_string(i);
    EXPECT_TRUE(i % 3 == 0 ? store_->Put(path, bytes, PutMode::kCreateOnly).ok()
                           : store_->Publish(Staged(path, "a1", bytes)).ok());
    EXPECT_TRUE(i % 5 != 4 || store_->Delete(path).ok());
  }
  done = true;
  lister.join();
}

TEST_P(StoreConformance, AProbeSaysWhatItSawAndLeavesNothing) {
  const auto verdict = store_->Probe();
  ASSERT_TRUE(verdict.ok()) << verdict.status().ToString();
  EXPECT_TRUE(verdict->create_only) << verdict->detail;
  EXPECT_EQ(verdict->Enforced(), fixture_->promises().atomic) << verdict->detail;
  EXPECT_TRUE(verdict->durable) << verdict->detail;
  EXPECT_FALSE(verdict->detail.empty());
  EXPECT_EQ(Listed(), Paths());
  EXPECT_TRUE(store_->ListStaged("")->empty());
}

TEST_P(StoreConformance, DescribesItself) { EXPECT_FALSE(store_->Describe().empty()); }

}  // namespace sluice
