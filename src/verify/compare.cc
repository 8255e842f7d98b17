#include "verify/compare.h"

#include <fmt/format.h>

#include "arrow/record_batch.h"
#include "arrow/util/cancel.h"
#include "sql/digest.h"
#include "verify/content.h"
#include "verify/counts.h"

namespace sluice {
namespace {

Result<Digest> CountRows(arrow::RecordBatchReader& rows, const arrow::StopToken& stop) {
  Digest counted;
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    ARROW_RETURN_NOT_OK(stop.Poll());
    ARROW_RETURN_NOT_OK(rows.ReadNext(&batch));
    if (batch == nullptr) return counted;
    counted.rows += batch->num_rows();
  }
}

/// What the source has in the chunk's range now. A server that can tell by itself is asked: reading
/// the rows again would decode them as the copy did, mistakes and all.
Result<Digest> DigestSource(const CompareTask& task, const Chunk& chunk,
                            const arrow::StopToken& stop) {
  if (task.depth == VerifyDepth::kContent) {
    ARROW_ASSIGN_OR_RAISE(auto told, task.source->DigestOf(*task.table, chunk.range));
    if (told) {
      told->kind = DigestKind::kClient;  // The two forms agree on every row as delivered.
      return *told;
    }
  }
  ReadContext context;
  context.stop = &stop;
  context.row_bytes_max = task.row_bytes_max;
  ARROW_ASSIGN_OR_RAISE(auto rows, task.source->Read(*task.table, chunk.range, context));
  if (task.depth == VerifyDepth::kContent) return DigestRows(*rows, stop);
  return CountRows(*rows, stop);
}

bool SameRows(const Digest& a, const Digest& b) {
  if (a.kind == DigestKind::kNone || b.kind == DigestKind::kNone) return a.rows == b.rows;
  return a == b;
}

std::string Difference(std::string_view who, const Digest& wanted, const Digest& found) {
  if (wanted.rows != found.rows) {
    return fmt::format("{} rows in the manifest, {} {}", wanted.rows, found.rows, who);
  }
  return fmt::format("the digest of {} rows {} differs from the manifest's", found.rows,
                     who);
}

/// The stored side: fills the verdict, returns what the source must be equal to.
Result<Digest> CompareStored(const CompareTask& task, const ChunkReceipt& receipt,
                             const arrow::StopToken& stop, ChunkVerdict* verdict) {
  auto wanted = receipt.digest;
  wanted.rows = receipt.rows;
  verdict->stored_rows = receipt.rows;
  auto counts = VerifyCounts(task.load, receipt, stop);
  Result<Digest> stored = wanted;
  if (counts.ok() && task.depth == VerifyDepth::kContent) {
    stored = DigestStored(task.load, receipt, stop);
    counts = stored.status();
  }
  if (!counts.ok()) {
    if (KindOf(counts) != ErrorKind::kMismatch) return counts;
    verdict->outcome = ChunkOutcome::kStoredDiffers;
    verdict->detail = counts.message();
    return wanted;
  }
  verdict->stored_rows = stored->rows;
  if (!SameRows(wanted, *stored)) {
    verdict->outcome = ChunkOutcome::kStoredDiffers;
    verdict->detail = Difference("stored", wanted, *stored);
    return wanted;
  }
  // A manifest without digests vouches for its files by checksum: the source is compared
  // to them.
  return *stored;
}

Result<ChunkVerdict> CompareChunk(const CompareTask& task, size_t index,
                                  const arrow::StopToken& stop) {
  const auto& chunk = task.chunks[index];
  const auto& receipt = task.receipts[index];
  ChunkVerdict verdict;
  verdict.ordinal = chunk.ordinal;
  verdict.rows = receipt.rows;
  ARROW_ASSIGN_OR_RAISE(auto wanted, CompareStored(task, receipt, stop, &verdict));
  if (task.source == nullptr || verdict.outcome != ChunkOutcome::kEqual) return verdict;
  ARROW_ASSIGN_OR_RAISE(auto found, DigestSource(task, chunk, stop));
  verdict.source_rows = found.rows;
  if (SameRows(wanted, found)) return verdict;
  bool unmoved = !task.position.empty() && task.position == receipt.position;
  verdict.outcome = unmoved ? ChunkOutcome::kSourceDiffers : ChunkOutcome::kSourceMoved;
  verdict.detail = Difference("at the source", wanted, found);
  return verdict;
}

void Count(const ChunkVerdict& verdict, CompareReport* report) {
  report->rows += verdict.rows;
  switch (verdict.outcome) {
    case ChunkOutcome::kEqual: ++report->equal; break;
    case ChunkOutcome::kStoredDiffers: ++report->stored_differs; break;
    case ChunkOutcome::kSourceDiffers: ++report->source_differs; break;
    case ChunkOutcome::kSourceMoved: ++report->source_moved; break;
  }
}

}  // namespace

const char* ToString(ChunkOutcome outcome) {
  switch (outcome) {
    case ChunkOutcome::kEqual: return "equal";
    case ChunkOutcome::kStoredDiffers: return "stored-differs";
    case ChunkOutcome::kSourceDiffers: return "source-differs";
    case ChunkOutcome::kSourceMoved: return "source-moved";
  }
  return "unknown";
}

Result<CompareReport> CompareLoad(const CompareTask& task, const arrow::StopToken& stop) {
  if (task.chunks.size() != task.receipts.size()) {
    return Error(ErrorKind::kFailed, "verify.receipts",
                 fmt::format("{} chunks and {} receipts", task.chunks.size(),
                             task.receipts.size()));
  }
  CompareReport report;
  for (size_t i = 0; i < task.chunks.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto verdict, CompareChunk(task, i, stop));
    Count(verdict, &report);
    report.chunks.push_back(std::move(verdict));
  }
  return report;
}

Status VerdictOf(const CompareReport& report, bool strict) {
  for (const auto& chunk : report.chunks) {
    bool bad = chunk.outcome == ChunkOutcome::kStoredDiffers ||
               chunk.outcome == ChunkOutcome::kSourceDiffers ||
               (strict && chunk.outcome == ChunkOutcome::kSourceMoved);
    if (!bad) continue;
    return Error(ErrorKind::kMismatch, fmt::format("verify.{}", ToString(chunk.outcome)),
                 fmt::format("chunk {}: {}", chunk.ordinal, chunk.detail));
  }
  return Status::OK();
}

}  // namespace sluice
