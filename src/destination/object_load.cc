#include "destination/object_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "arrow/util/cancel.h"
#include "base/crash_point.h"
#include "base/side_by_side.h"
#include "destination/layout.h"
#include "destination/manifest.h"
#include "destination/prepare.h"
#include "destination/stored.h"
#include "encode/parquet.h"

namespace sluice {
namespace {

/// A lost reply to a publish is resolved by asking again: publishing looks before it
/// acts.
constexpr int kPublishRepliesLostMax = 3;

/// After a Put whose effect may be unknown: what the slot says, or the Put's error if it
/// is still free.
Result<Slot> Resolve(Store& store, const TableName& table, const std::string& load,
                     const Status& put) {
  if (!put.ok() && KindOf(put) != ErrorKind::kCommitUnknown) return put;
  ARROW_ASSIGN_OR_RAISE(auto slot, FindLoadSlot(store, table, load));
  if (slot.outcome != Outcome::kUndecided) return slot;
  if (!put.ok()) return put;
  return Error(ErrorKind::kDestination, "slot.vanished",
               fmt::format("the slot was written and is gone: {}", slot.path),
               "slots are never removed; look for whatever removes files below _sluice");
}

class ObjectLoad final : public Load {
 public:
  ObjectLoad(Store& store, LoadSpec spec, LoadLayout layout)
      : store_(store),
        spec_(std::move(spec)),
        table_(spec_.relation.name),
        layout_(std::move(layout)) {}

  Result<ChunkReceipt> Prepare(
      const PrepareContext& context,
      const std::shared_ptr<arrow::RecordBatchReader>& rows) override {
    return PrepareChunk(store_, spec_, layout_, context, *rows);
  }

  Result<std::vector<ChunkReceipt>> Publish(const std::vector<ChunkReceipt>& winners,
                                            const arrow::StopToken& stop) override;

  Result<std::shared_ptr<arrow::RecordBatchReader>> ReadBack(
      const ChunkReceipt& receipt) override {
    return ReadStoredRows(store_, receipt, spec_.schema);
  }
  Status CheckStored(const ChunkReceipt& receipt, const arrow::StopToken& stop) override {
    return CheckStoredObjects(store_, receipt, stop);
  }

  Status Retire(const ChunkReceipt& receipt) override;
  Result<Slot> Commit(const std::vector<ChunkReceipt>& published,
                      const ManifestFacts& facts) override;
  Result<Slot> FindSlot() override {
    return Located(FindLoadSlot(store_, table_, spec_.load));
  }
  Status Discard() override;
  Status CleanUp() override;

 private:
  Result<ObjectRef> PublishOne(const StagedObject& staged);
  /// What is staged and not published; by the places a store may list it under.
  Result<std::vector<StagedObject>> Leftovers();
  Result<Slot> Located(Result<Slot> slot) const {
    if (slot.ok()) slot->location = layout_.folder();
    return slot;
  }
  Status CheckOurs(const ChunkReceipt& receipt) const;

  Store& store_;
  const LoadSpec spec_;
  const TableName& table_;
  const LoadLayout layout_;
};

Status ObjectLoad::CheckOurs(const ChunkReceipt& receipt) const {
  if (receipt.load != spec_.load) {
    return Error(ErrorKind::kFailed, "load.receipt",
                 fmt::format("wanted a receipt of load {}, found one of load {}",
                             spec_.load, receipt.load));
  }
  for (const auto& object : receipt.staged) {
    if (layout_.IsPart(object.path)) continue;
    return Error(
        ErrorKind::kFailed, "load.receipt",
        fmt::format("wanted parts below {}, found {}", layout_.folder(), object.path));
  }
  return Status::OK();
}

Result<ObjectRef> ObjectLoad::PublishOne(const StagedObject& staged) {
  auto published = store_.Publish(staged);
  for (int lost = 1; lost < kPublishRepliesLostMax; ++lost) {
    if (published.ok() || KindOf(published.status()) != ErrorKind::kCommitUnknown) break;
    published = store_.Publish(staged);
  }
  return published;
}

Result<std::vector<StagedObject>> ObjectLoad::Leftovers() {
  ARROW_ASSIGN_OR_RAISE(auto leftovers, store_.ListStaged(layout_.staging()));
  if (spec_.path.empty()) return leftovers;
  // A store without a staging area of its own lists by the names to come.
  ARROW_ASSIGN_OR_RAISE(auto named, store_.ListStaged(layout_.folder()));
  for (StagedObject& object : named) {
    const bool known =
        std::find(leftovers.begin(), leftovers.end(), object) != leftovers.end();
    if (!known && layout_.IsPart(object.path)) leftovers.push_back(std::move(object));
  }
  return leftovers;
}

Result<std::vector<ChunkReceipt>> ObjectLoad::Publish(
    const std::vector<ChunkReceipt>& winners, const arrow::StopToken& stop) {
  ARROW_ASSIGN_OR_RAISE(auto slot, FindSlot());
  if (slot.outcome == Outcome::kDiscarded) {
    return Error(
        ErrorKind::kHeld, "load.discarded",
        fmt::format("load {} was discarded meanwhile: {}", spec_.load, slot.path),
        "run again: a new load begins");
  }
  std::vector<ChunkReceipt> published = winners;
  struct Task {
    const StagedObject* staged;
    ObjectRef* object;
  };
  std::vector<Task> tasks;
  for (auto& receipt : published) {
    ARROW_RETURN_NOT_OK(CheckOurs(receipt));
    receipt.objects.assign(receipt.staged.size(), {});
    for (size_t i = 0; i < receipt.staged.size(); ++i)
      tasks.push_back({&receipt.staged[i], &receipt.objects[i]});
  }
  ARROW_RETURN_NOT_OK(ForEachSideBySide(tasks.size(), store_.width(), [&](size_t at) {
    ARROW_RETURN_NOT_OK(stop.Poll());
    ARROW_ASSIGN_OR_RAISE(*tasks[at].object, PublishOne(*tasks[at].staged));
    return Reach(CrashPoint::kPublishObject);
  }));
  return published;
}

Status ObjectLoad::Retire(const ChunkReceipt& receipt) {
  ARROW_RETURN_NOT_OK(CheckOurs(receipt));
  for (const auto& object : receipt.staged) ARROW_RETURN_NOT_OK(store_.Abort(object));
  // An attempt that died left no receipt of what it had staged.
  ARROW_ASSIGN_OR_RAISE(const auto leftovers, Leftovers());
  for (const auto& object : leftovers) {
    if (object.attempt == receipt.attempt) ARROW_RETURN_NOT_OK(store_.Abort(object));
  }
  return Status::OK();
}

Result<Slot> ObjectLoad::Commit(const std::vector<ChunkReceipt>& published,
                                const ManifestFacts& facts) {
  ARROW_ASSIGN_OR_RAISE(auto json, CommittedSlot(spec_, published, facts));
  // Also where create-only is not enforced, a slot that is there is never written again.
  ARROW_ASSIGN_OR_RAISE(auto slot, FindSlot());
  if (slot.outcome != Outcome::kUndecided) return slot;
  ARROW_RETURN_NOT_OK(Reach(CrashPoint::kSlotBegun));
  auto put = store_.Put(layout_.slot(), json, PutMode::kCreateOnly);
  ARROW_ASSIGN_OR_RAISE(slot, Located(Resolve(store_, table_, spec_.load, put.status())));
  // Beyond this point the load is decided.
  ARROW_RETURN_NOT_OK(Reach(CrashPoint::kSlotWritten));
  return slot;
}

Status ObjectLoad::Discard() {
  ARROW_ASSIGN_OR_RAISE(auto slot, TakeSlotAsDiscarded(store_, table_, spec_.load));
  if (slot.outcome == Outcome::kCommitted) {
    return Error(ErrorKind::kHeld, "load.committed",
                 fmt::format("load {} is committed and cannot be discarded: {}",
                             spec_.load, slot.path));
  }
  // Beyond this point the load is discarded; what is left of it is garbage.
  ARROW_RETURN_NOT_OK(Reach(CrashPoint::kDiscardSlot));
  bool first = true;
  auto half = [&first] {
    bool reached = std::exchange(first, false);
    return reached ? Reach(CrashPoint::kDiscardHalf) : Status::OK();
  };
  ARROW_ASSIGN_OR_RAISE(const auto staged, Leftovers());
  for (const auto& object : staged) {
    ARROW_RETURN_NOT_OK(store_.Abort(object));
    ARROW_RETURN_NOT_OK(half());
  }
  ARROW_ASSIGN_OR_RAISE(auto visible, store_.List(layout_.folder()));
  for (const auto& object : visible) {
    if (!layout_.IsPart(object.path)) continue;
    ARROW_RETURN_NOT_OK(store_.Delete(object.path));
    ARROW_RETURN_NOT_OK(half());
  }
  return Status::OK();
}

Status ObjectLoad::CleanUp() {
  ARROW_ASSIGN_OR_RAISE(auto slot, FindSlot());
  if (slot.outcome == Outcome::kUndecided) {
    return Error(ErrorKind::kFailed, "load.undecided",
                 fmt::format("wanted a decided load, found no slot: {}", slot.path));
  }
  ARROW_ASSIGN_OR_RAISE(const auto staged, Leftovers());
  for (const auto& object : staged) ARROW_RETURN_NOT_OK(store_.Abort(object));
  return Status::OK();
}

}  // namespace

Result<std::unique_ptr<Load>> OpenObjectLoad(Store& store, const LoadSpec& spec) {
  if (spec.load.empty() || spec.relation.name.table.empty()) {
    return Error(
        ErrorKind::kUsage, "load.name",
        fmt::format("wanted a load and a table, found load \"{}\" of table \"{}\"",
                    spec.load, ToString(spec.relation.name)));
  }
  ARROW_RETURN_NOT_OK(CompressionOf(spec.compression));
  ARROW_ASSIGN_OR_RAISE(LoadLayout layout, LoadLayout::Of(spec));
  return std::make_unique<ObjectLoad>(store, spec, std::move(layout));
}

Result<Slot> FindLoadSlot(Store& store, const TableName& table, const std::string& load) {
  const LoadLayout layout(table, load);
  Slot slot;
  slot.path = layout.slot();
  ARROW_ASSIGN_OR_RAISE(auto bytes, store.Get(slot.path, kSlotSizeMax));
  if (bytes) {
    ARROW_ASSIGN_OR_RAISE(slot, ParseSlot(slot.path, load, std::move(*bytes)));
  }
  slot.location = layout.folder();
  return slot;
}

Result<Slot> TakeSlotAsDiscarded(Store& store, const TableName& table,
                                 const std::string& load) {
  ARROW_ASSIGN_OR_RAISE(auto slot, FindLoadSlot(store, table, load));
  if (slot.outcome != Outcome::kUndecided) return slot;
  auto put = store.Put(slot.path, DiscardedSlot(load), PutMode::kCreateOnly);
  return Resolve(store, table, load, put.status());
}

}  // namespace sluice
