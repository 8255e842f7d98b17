#include "app/verify_loads.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <set>

#include "arrow/record_batch.h"
#include "arrow/util/cancel.h"
#include "base/uri.h"
#include "destination/layout.h"
#include "destination/manifest.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

/// What was copied under a --memory that nobody remembers can be read back; SQLite's own
/// bound is below.
constexpr int64_t kRowBytesMax = int64_t{2} << 30;

/// What the source has of a load now; no session: it is not compared.
struct SourceSide {
  Session* session = nullptr;
  TableInfo table;
  std::string position;
};

/// Which verdict tells more about a load.
int Weight(ChunkOutcome outcome) {
  switch (outcome) {
    case ChunkOutcome::kEqual: return 0;
    case ChunkOutcome::kSourceMoved: return 1;
    case ChunkOutcome::kSourceDiffers: return 2;
    case ChunkOutcome::kStoredDiffers: return 3;
  }
  return 3;
}

/// A finding that is of no chunk.
ChunkVerdict Beside(ChunkOutcome outcome, std::string detail) {
  ChunkVerdict verdict;
  verdict.outcome = outcome;
  verdict.detail = std::move(detail);
  return verdict;
}

void Note(ChunkVerdict compared, VerifiedLoad* load) {
  if (compared.outcome == ChunkOutcome::kEqual) return;
  if (Weight(compared.outcome) > Weight(load->outcome)) load->outcome = compared.outcome;
  load->differences.push_back(std::move(compared));
}

class Verifier {
 public:
  Verifier(const VerifyRequest& request, const arrow::StopToken& stop)
      : request_(request), stop_(stop) {}

  Result<std::vector<VerifiedLoad>> Run() {
    for (const Endpoint& destination : request_.destinations) {
      if (!MayExist(destination)) continue;
      Place& place = places_.emplace_back();
      place.endpoint = destination;
      ARROW_ASSIGN_OR_RAISE(place.store, OpenStore(destination));
      ARROW_ASSIGN_OR_RAISE(place.destination, OpenDestination(destination));
    }
    if (places_.empty()) {
      return Error(ErrorKind::kUsage, "verify.no-destination",
                   "no such destination: " + request_.destinations.front().uri);
    }
    ARROW_ASSIGN_OR_RAISE(const std::vector<PlacedSlot> slots, Slots());
    if (request_.source) {
      ARROW_ASSIGN_OR_RAISE(source_, OpenSource(*request_.source));
      ARROW_ASSIGN_OR_RAISE(sessions_, source_->Open(Consistency::kSnapshot, 1));
    }
    std::vector<VerifiedLoad> verified;
    for (const auto& [place, path] : slots) {
      VerifiedLoad load;
      load.destination = place->endpoint;
      load.manifest = path;
      load.status = Verify(*place, path, &load);
      if (KindOf(load.status) == ErrorKind::kMismatch) {  // The slot itself.
        Note(Beside(ChunkOutcome::kStoredDiffers, load.status.message()), &load);
        load.status = Status::OK();
      }
      const bool cancelled =
          !load.status.ok() && KindOf(load.status) == ErrorKind::kCancelled;
      verified.push_back(std::move(load));
      if (cancelled) break;
    }
    return verified;
  }

 private:
  struct Place {
    Endpoint endpoint;
    std::unique_ptr<Store> store;
    std::unique_ptr<Destination> destination;
  };
  struct PlacedSlot {
    const Place* place;
    std::string path;
  };

  Result<std::vector<PlacedSlot>> Slots() {
    if (!request_.manifest.empty())
      return std::vector<PlacedSlot>{{&places_.front(), request_.manifest}};
    std::map<std::string, std::pair<LoadEntry, const Place*>> newest;
    for (const Place& place : places_) {
      ARROW_ASSIGN_OR_RAISE(const auto current, CurrentLoads(place));
      for (const LoadEntry& load : current) {
        auto& [entry, where] = newest[load.stream];
        // Ids of loads sort by time.
        if (entry.load >= load.load) continue;
        entry = load;
        where = &place;
      }
    }
    for (const std::string& stream : request_.streams) {
      if (!newest.contains(stream))
        return NothingCommitted("stream " + stream + " of job " + request_.job);
    }
    if (newest.empty()) return NothingCommitted("job " + request_.job);
    std::vector<PlacedSlot> slots;
    slots.reserve(newest.size());
    for (const auto& [stream, found] : newest)
      slots.push_back({found.second, found.first.manifest});
    return slots;
  }

  /// Of the job and the streams that are asked for.
  Result<std::vector<LoadEntry>> CurrentLoads(const Place& place) const {
    std::vector<LoadEntry> current;
    ARROW_ASSIGN_OR_RAISE(const std::vector<TableName> tables,
                          place.destination->Tables());
    for (const TableName& table : tables) {
      ARROW_ASSIGN_OR_RAISE(std::vector<LoadEntry> loads,
                            place.destination->Loads(table));
      std::set<std::string> replaced;
      for (const LoadEntry& load : loads)
        replaced.insert(load.replaces.begin(), load.replaces.end());
      for (LoadEntry& load : loads) {
        if (load.outcome == Outcome::kCommitted && !load.dropped &&
            !replaced.contains(load.load) && load.job == request_.job &&
            Wanted(load.stream)) {
          current.push_back(std::move(load));
        }
      }
    }
    return current;
  }

  bool Wanted(const std::string& stream) const {
    const auto& streams = request_.streams;
    return streams.empty() ||
           std::find(streams.begin(), streams.end(), stream) != streams.end();
  }

  Status NothingCommitted(const std::string& what) const {
    std::vector<std::string> uris;
    for (const Endpoint& destination : request_.destinations)
      uris.push_back(destination.uri);
    return Error(
        ErrorKind::kUsage, "verify.nothing-committed",
        fmt::format("{} has no committed load at {}", what, fmt::join(uris, ", ")),
        "run it first; sluice status shows what is unfinished");
  }

  Status Verify(const Place& place, const std::string& path, VerifiedLoad* verified) {
    ARROW_ASSIGN_OR_RAISE(auto bytes, place.store->Get(path, kSlotSizeMax));
    if (!bytes) {
      return Error(ErrorKind::kUsage, "verify.no-manifest",
                   fmt::format("no such manifest: {}", path));
    }
    const std::string name = fs::path(path).stem().string();
    ARROW_ASSIGN_OR_RAISE(const Slot slot, ParseSlot(path, name, *std::move(bytes)));
    ARROW_ASSIGN_OR_RAISE(const Manifest manifest, ReadManifest(slot));
    verified->stream = manifest.spec.stream;
    verified->load = manifest.spec.load;
    verified->table = ToString(manifest.spec.relation.name);
    ARROW_ASSIGN_OR_RAISE(const LoadLayout layout, LoadLayout::Of(manifest.spec));
    verified->location = layout.folder();
    verified->rows = manifest.rows;
    verified->bytes = manifest.bytes;
    verified->chunks = static_cast<int64_t>(manifest.receipts.size());
    for (const ChunkReceipt& receipt : manifest.receipts) {
      verified->files += static_cast<int64_t>(receipt.objects.size());
    }
    ARROW_RETURN_NOT_OK(LookForStrangers(place, manifest, verified));
    ARROW_ASSIGN_OR_RAISE(const auto load, place.destination->Open(manifest.spec));
    ARROW_ASSIGN_OR_RAISE(const SourceSide side, SideOf(manifest, verified));
    return CompareChunks(manifest, *load, side, verified);
  }

  /// A reader who lists the folder would take what the slot does not name for rows of the load.
  static Status LookForStrangers(const Place& place, const Manifest& manifest,
                                 VerifiedLoad* verified) {
    std::set<std::string> named;
    for (const ChunkReceipt& receipt : manifest.receipts) {
      for (const ObjectRef& object : receipt.objects) named.insert(object.path);
    }
    ARROW_ASSIGN_OR_RAISE(const LoadLayout layout, LoadLayout::Of(manifest.spec));
    ARROW_ASSIGN_OR_RAISE(const auto objects, place.store->List(layout.folder()));
    for (const ObjectInfo& object : objects) {
      if (named.contains(object.path)) continue;
      Note(Beside(ChunkOutcome::kStoredDiffers, "the slot does not name " + object.path),
           verified);
    }
    return Status::OK();
  }

  /// The source's side; none where its table is not what it was, which is noted.
  Result<SourceSide> SideOf(const Manifest& manifest, VerifiedLoad* verified) {
    SourceSide side;
    if (source_ == nullptr) return side;
    side.position = sessions_.position;
    auto table = sessions_.sessions[0]->Describe(manifest.spec.relation);
    const bool gone = !table.ok() && (KindOf(table.status()) == ErrorKind::kUsage ||
                                      KindOf(table.status()) == ErrorKind::kSource);
    if (!table.ok() && !gone) return table.status();
    if (gone || table->key != manifest.spec.key) {
      const bool moved = std::none_of(
          manifest.receipts.begin(), manifest.receipts.end(), [&](const auto& receipt) {
            return !side.position.empty() && receipt.position == side.position;
          });
      Note(Beside(moved ? ChunkOutcome::kSourceMoved : ChunkOutcome::kSourceDiffers,
                  gone ? table.status().message() : "the table has another key"),
           verified);
      return SourceSide{};
    }
    side.session = sessions_.sessions[0].get();
    side.table = *std::move(table);
    verified->source_compared = true;
    return side;
  }

  Status CompareChunks(const Manifest& manifest, Load& load, const SourceSide& side,
                       VerifiedLoad* verified) {
    if (manifest.receipts.size() != manifest.facts.chunks.size()) {
      return Error(ErrorKind::kMismatch, "slot.malformed",
                   "the slot's chunks and receipts do not agree");
    }
    CompareTask task{.load = load,
                     .chunks = manifest.facts.chunks,
                     .receipts = manifest.receipts,
                     .depth = request_.depth,
                     .source = side.session,
                     .table = &side.table,
                     .position = side.position,
                     .row_bytes_max = kRowBytesMax};
    ARROW_ASSIGN_OR_RAISE(CompareReport report, CompareLoad(task, stop_));
    for (ChunkVerdict& verdict : report.chunks) Note(std::move(verdict), verified);
    if (side.session == nullptr || manifest.facts.chunks.empty()) return Status::OK();
    return LookBeyond(manifest, side, verified);
  }

  /// Rows that came after the load's last key belong to no chunk.
  Status LookBeyond(const Manifest& manifest, const SourceSide& side,
                    VerifiedLoad* verified) {
    const KeyRange& last = manifest.facts.chunks.back().range;
    if (!last.upto) return Status::OK();
    ReadContext context;
    ReadTally tally;
    context.batch_rows = 1;
    context.stop = &stop_;
    context.tally = &tally;
    KeyRange beyond;
    beyond.after = last.upto;
    ARROW_ASSIGN_OR_RAISE(const auto rows,
                          side.session->Read(side.table, beyond, context));
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(rows->ReadNext(&batch));
    if (batch == nullptr || batch->num_rows() == 0) return Status::OK();
    const bool unmoved = std::all_of(
        manifest.receipts.begin(), manifest.receipts.end(), [&side](const auto& receipt) {
          return !side.position.empty() && receipt.position == side.position;
        });
    if (unmoved) {
      Note(Beside(ChunkOutcome::kSourceDiffers,
                  "the source has rows beyond the last chunk, and has not changed"),
           verified);
      return Status::OK();
    }
    Note(Beside(ChunkOutcome::kSourceMoved, "rows were added beyond the last key"),
         verified);
    return Status::OK();
  }

  const VerifyRequest& request_;
  const arrow::StopToken& stop_;
  std::deque<Place> places_;  ///< that exist; a deque, since slots point into it
  std::unique_ptr<Source> source_;
  SessionSet sessions_;
};

}  // namespace

bool IsManifestAddress(const std::string& argument) {
  // A URI may have options after the name.
  const bool is_uri = argument.find("://") != std::string::npos;
  const std::string name =
      argument.substr(0, is_uri ? argument.find('?') : argument.npos);
  return name.ends_with(".json") &&
         (name.starts_with("_sluice/") || name.find("/_sluice/") != std::string::npos);
}

Status TakeManifestAddress(const std::string& address, VerifyRequest* request) {
  ARROW_ASSIGN_OR_RAISE(const Uri uri, ParseUri(address));
  std::error_code error;
  const bool bare = uri.scheme.empty();
  const std::string path =
      bare ? fs::absolute(address, error).lexically_normal().string() : uri.path;
  ARROW_ASSIGN_OR_RAISE(const SlotAddress slot, ParseSlotAddress(path));
  const bool on_host = !uri.authority.empty();
  std::string root = slot.root.empty() && !on_host ? "/" : slot.root;
  if (!bare) {
    root = fmt::format("{}:{}{}{}", uri.scheme, on_host ? "//" : "", uri.authority,
                       EncodeUriPath(root));
  }
  ARROW_ASSIGN_OR_RAISE(Endpoint destination, ResolveRoot(root, address));
  request->destinations = {std::move(destination)};
  request->manifest = fmt::format("{}/_sluice/{}.json", slot.table_folder, slot.load);
  return Status::OK();
}

Result<std::vector<VerifiedLoad>> VerifyLoads(const VerifyRequest& request,
                                              const arrow::StopToken& stop) {
  return Verifier(request, stop).Run();
}

}  // namespace sluice
