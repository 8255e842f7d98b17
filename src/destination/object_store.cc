#include "destination/object_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/path_name.h"
#include "destination/layout.h"
#include "destination/manifest.h"
#include "destination/object_load.h"
#include "destination/stored.h"
#include "store/object_path.h"

namespace sluice {
namespace {

/// What of one load lies about.
struct Traces {
  struct Folder {
    int64_t files = 0, size = 0;
    ObjectInfo one;  ///< of its parts
  };
  bool slot = false, dropped = false;
  std::map<std::string, Folder> folders;  ///< that hold parts
  int64_t staged = 0, modified_micros = 0;
};

Status FillFromSlot(Store& store, const Traces& traces, LoadEntry* entry) {
  ARROW_ASSIGN_OR_RAISE(auto slot, FindLoadSlot(store, entry->table, entry->load));
  entry->outcome = slot.outcome;
  if (slot.outcome != Outcome::kCommitted) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto manifest, ReadManifest(slot));
  ARROW_ASSIGN_OR_RAISE(const auto layout, LoadLayout::Of(manifest.spec));
  entry->location = layout.folder();
  entry->job = manifest.spec.job;
  entry->stream = manifest.spec.stream;
  entry->source = manifest.spec.source;
  entry->replaces = manifest.facts.replaces;
  entry->rows = manifest.rows;
  entry->size = manifest.bytes;
  // What lies elsewhere is somebody's copy, whatever its name says.
  const auto own = traces.folders.find(layout.folder());
  const int64_t visible = own == traces.folders.end() ? 0 : own->second.files;
  entry->files = 0;
  for (const auto& receipt : manifest.receipts) {
    entry->files += static_cast<int64_t>(receipt.objects.size());
  }
  const int64_t wanted = entry->dropped ? 0 : entry->files;
  entry->staged += std::max<int64_t>(0, visible - wanted);
  return Status::OK();
}

class ObjectStoreDestination final : public Destination {
 public:
  explicit ObjectStoreDestination(std::unique_ptr<Store> store)
      : store_(std::move(store)) {}

  std::string Describe() const override { return store_->Describe(); }
  Result<ProbeVerdict> Probe() override { return store_->Probe(); }
  Result<std::unique_ptr<Load>> Open(const LoadSpec& spec) override {
    return OpenObjectLoad(*store_, spec);
  }
  Result<std::vector<TableName>> Tables() override;
  Result<std::vector<LoadEntry>> Loads(const TableName& table) override;
  Status Drop(const TableName& table, const std::string& load) override;
  Result<int64_t> Collect(const TableName& table, const std::string& load) override;

 private:
  Result<std::map<std::string, Traces>> TracesOf(const TableName& table);
  Result<int64_t> AbortStaged(const TableName& table, const std::string& load);
  /// Removes the parts in a load's folder, save those in `keep`.
  Result<int64_t> RemoveParts(const LoadLayout& layout,
                              const std::set<std::string>& keep);
  /// Without a slot, folders that another root's load made are taken out: `raw/main/orders/LOAD` of
  /// the root above is `main/orders/LOAD` of the root `raw`.
  Status KeepProven(std::map<std::string, Traces>* loads);
  /// Removes every part of a load whose folder nobody told.
  Result<int64_t> RemovePartsAnywhere(const TableName& table, const std::string& load);
  Status MarkDropped(const LoadLayout& layout, const std::string& load);

  const std::unique_ptr<Store> store_;
};

Result<std::vector<TableName>> ObjectStoreDestination::Tables() {
  std::set<std::string> folders;
  ARROW_ASSIGN_OR_RAISE(auto objects, store_->List(""));
  ARROW_ASSIGN_OR_RAISE(auto staged, store_->ListStaged(""));
  std::vector<std::string> paths;
  paths.reserve(objects.size() + staged.size());
  for (auto& object : objects) paths.push_back(std::move(object.path));
  for (auto& object : staged) paths.push_back(std::move(object.path));
  std::map<std::string, TableName> cut;
  for (const auto& path : paths) {
    auto meaning = MeaningOf(path);
    if (meaning.kind == PathMeaning::Kind::kOther) continue;
    folders.insert(meaning.table_folder);
    if (meaning.kind != PathMeaning::Kind::kSlot || cut.contains(meaning.table_folder) ||
        TableOfFolder(meaning.table_folder)) {
      continue;
    }
    // A name that was cut to fit a path is found in a manifest only.
    ARROW_ASSIGN_OR_RAISE(auto bytes, store_->Get(path, kSlotSizeMax));
    if (!bytes) continue;
    ARROW_ASSIGN_OR_RAISE(auto slot, ParseSlot(path, meaning.load, std::move(*bytes)));
    if (slot.outcome != Outcome::kCommitted) continue;
    ARROW_ASSIGN_OR_RAISE(auto manifest, ReadManifest(slot));
    cut[meaning.table_folder] = manifest.spec.relation.name;
  }
  std::vector<TableName> tables;
  for (const auto& folder : folders) {
    auto table = TableOfFolder(folder);
    if (table)
      tables.push_back(std::move(*table));
    else if (cut.contains(folder))
      tables.push_back(cut[folder]);
  }
  std::sort(tables.begin(), tables.end());
  return tables;
}

Result<std::map<std::string, Traces>> ObjectStoreDestination::TracesOf(
    const TableName& table) {
  auto folder = TableFolder(table);
  std::map<std::string, Traces> loads;
  ARROW_ASSIGN_OR_RAISE(auto objects, store_->List(folder));
  for (const auto& object : objects) {
    auto meaning = MeaningOf(object.path);
    if (meaning.kind == PathMeaning::Kind::kOther || meaning.load.empty()) continue;
    auto& traces = loads[meaning.load];
    traces.slot |= meaning.kind == PathMeaning::Kind::kSlot;
    traces.dropped |= meaning.kind == PathMeaning::Kind::kDropped;
    traces.modified_micros = std::max(traces.modified_micros, object.modified_micros);
    if (meaning.kind != PathMeaning::Kind::kPart) continue;
    auto& parts = traces.folders[SplitPath(object.path).folder];
    ++parts.files;
    parts.size += object.size;
    parts.one = object;
  }
  ARROW_ASSIGN_OR_RAISE(auto staged, store_->ListStaged(folder));
  for (const auto& object : staged) {
    // A store shows a leftover under its staging path or under the name it would have
    // had.
    auto meaning = MeaningOf(object.path);
    if (meaning.load.empty()) continue;
    // What it is of, only a load that is known here can say.
    if (meaning.deep && !loads.contains(meaning.load)) continue;
    auto& traces = loads[meaning.load];
    ++traces.staged;
    traces.modified_micros = std::max(traces.modified_micros, object.modified_micros);
  }
  ARROW_RETURN_NOT_OK(KeepProven(&loads));
  return loads;
}

Status ObjectStoreDestination::KeepProven(std::map<std::string, Traces>* loads) {
  for (auto at = loads->begin(); at != loads->end();) {
    Traces& traces = at->second;
    if (traces.slot || traces.folders.empty()) {
      ++at;
      continue;
    }
    std::vector<std::string> others;
    for (const auto& [folder, parts] : traces.folders) {
      ARROW_ASSIGN_OR_RAISE(const bool ours, BelongsToItsFolder(*store_, parts.one));
      if (!ours) others.push_back(folder);
    }
    for (const std::string& folder : others) traces.folders.erase(folder);
    const bool nothing = traces.folders.empty() && !traces.dropped;
    // What is staged under the names of others is theirs as well.
    at = nothing && !others.empty() ? loads->erase(at) : std::next(at);
  }
  return Status::OK();
}

Result<std::vector<LoadEntry>> ObjectStoreDestination::Loads(const TableName& table) {
  ARROW_ASSIGN_OR_RAISE(auto loads, TracesOf(table));
  std::vector<LoadEntry> entries;
  for (const auto& [load, traces] : loads) {
    LoadLayout layout(table, load);
    LoadEntry entry;
    entry.table = table;
    entry.load = load;
    entry.dropped = traces.dropped;
    entry.manifest = layout.slot();
    entry.location =
        traces.folders.size() == 1 ? traces.folders.begin()->first : layout.folder();
    for (const auto& [folder, parts] : traces.folders) {
      entry.size += parts.size;
      entry.files += parts.files;
    }
    entry.staged = traces.staged;
    entry.modified_micros = traces.modified_micros;
    if (traces.dropped && traces.slot) {
      // Slots stay for ever: they are not read again at each commit.
      entry.outcome = Outcome::kCommitted;
      entry.staged += std::exchange(entry.files, 0);
    } else if (traces.slot) {
      ARROW_RETURN_NOT_OK(FillFromSlot(*store_, traces, &entry));
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

Status ObjectStoreDestination::MarkDropped(const LoadLayout& layout,
                                           const std::string& load) {
  auto put = store_->Put(layout.dropped(), DroppedMark(load), PutMode::kCreateOnly);
  if (put.ok()) return Status::OK();
  if (KindOf(put.status()) != ErrorKind::kCommitUnknown) return put.status();
  ARROW_ASSIGN_OR_RAISE(auto found, store_->Head(layout.dropped()));
  return found ? Status::OK() : put.status();
}

Result<int64_t> ObjectStoreDestination::RemoveParts(const LoadLayout& layout,
                                                    const std::set<std::string>& keep) {
  int64_t removed = 0;
  ARROW_ASSIGN_OR_RAISE(auto objects, store_->List(layout.folder()));
  for (const auto& object : objects) {
    if (!layout.IsPart(object.path) || keep.contains(object.path)) continue;
    ARROW_RETURN_NOT_OK(store_->Delete(object.path));
    ++removed;
  }
  return removed;
}

Result<int64_t> ObjectStoreDestination::RemovePartsAnywhere(const TableName& table,
                                                            const std::string& load) {
  int64_t removed = 0;
  std::map<std::string, bool> ours;  // by folder
  ARROW_ASSIGN_OR_RAISE(auto objects, store_->List(TableFolder(table)));
  for (const auto& object : objects) {
    const auto meaning = MeaningOf(object.path);
    if (meaning.kind != PathMeaning::Kind::kPart || meaning.load != load) continue;
    const auto [folder, first] = ours.try_emplace(SplitPath(object.path).folder, false);
    if (first) {
      ARROW_ASSIGN_OR_RAISE(folder->second, BelongsToItsFolder(*store_, object));
    }
    if (!folder->second) continue;
    ARROW_RETURN_NOT_OK(store_->Delete(object.path));
    ++removed;
  }
  return removed;
}

Status ObjectStoreDestination::Drop(const TableName& table, const std::string& load) {
  ARROW_ASSIGN_OR_RAISE(auto slot, FindLoadSlot(*store_, table, load));
  if (slot.outcome != Outcome::kCommitted) {
    return Error(ErrorKind::kUsage, "load.not-committed",
                 fmt::format("only a committed load can be dropped; load {} is not: {}",
                             load, slot.path));
  }
  ARROW_ASSIGN_OR_RAISE(const auto manifest, ReadManifest(slot));
  ARROW_ASSIGN_OR_RAISE(const auto layout, LoadLayout::Of(manifest.spec));
  ARROW_RETURN_NOT_OK(MarkDropped(layout, load));
  return RemoveParts(layout, {}).status();
}

Result<int64_t> ObjectStoreDestination::AbortStaged(const TableName& table,
                                                    const std::string& load) {
  int64_t removed = 0;
  ARROW_ASSIGN_OR_RAISE(auto leftovers, store_->ListStaged(TableFolder(table)));
  for (const auto& object : leftovers) {
    // What belongs to no load was half of a small object when its writer died.
    const auto meaning = MeaningOf(object.path);
    const bool stray = meaning.kind == PathMeaning::Kind::kStaged && meaning.load.empty();
    if (!stray && meaning.load != load) continue;
    ARROW_RETURN_NOT_OK(store_->Abort(object));
    ++removed;
  }
  return removed;
}

Result<int64_t> ObjectStoreDestination::Collect(const TableName& table,
                                                const std::string& load) {
  ARROW_ASSIGN_OR_RAISE(auto slot, TakeSlotAsDiscarded(*store_, table, load));
  if (slot.outcome != Outcome::kCommitted) {
    ARROW_ASSIGN_OR_RAISE(auto staged, AbortStaged(table, load));
    ARROW_ASSIGN_OR_RAISE(auto parts, RemovePartsAnywhere(table, load));
    return staged + parts;
  }
  ARROW_ASSIGN_OR_RAISE(auto manifest, ReadManifest(slot));
  ARROW_ASSIGN_OR_RAISE(const auto layout, LoadLayout::Of(manifest.spec));
  ARROW_ASSIGN_OR_RAISE(auto dropped, store_->Head(layout.dropped()));
  std::set<std::string> keep;
  for (const auto& receipt : manifest.receipts) {
    for (const auto& object : receipt.objects) {
      if (!dropped) keep.insert(object.path);
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto staged, AbortStaged(table, load));
  ARROW_ASSIGN_OR_RAISE(auto parts, RemoveParts(layout, keep));
  return staged + parts;
}

}  // namespace

std::unique_ptr<Destination> MakeObjectStoreDestination(std::unique_ptr<Store> store) {
  return std::make_unique<ObjectStoreDestination>(std::move(store));
}

}  // namespace sluice
