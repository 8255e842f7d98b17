#include "destination/prepare.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "arrow/record_batch.h"
#include "arrow/util/cancel.h"
#include "arrow/util/key_value_metadata.h"
#include "encode/parquet.h"
#include "sluice/version.h"
#include "sql/digest.h"
#include "store/pending_object.h"

namespace sluice {
namespace {

ParquetOptions OptionsOf(const LoadSpec& spec, const LoadLayout& layout,
                         const PrepareContext& context) {
  ParquetOptions options;
  options.compression = spec.compression;
  options.compression_level = spec.compression_level;
  options.file_size = spec.file_size;
  options.memory = context.memory;
  options.pool = context.pool;
  options.metadata = arrow::KeyValueMetadata::Make(
      {"sluice.load", kFolderEntry, "sluice.chunk", "sluice.attempt", "sluice.source",
       "sluice.version"},
      {spec.load, layout.folder(), std::to_string(context.chunk.ordinal), context.attempt,
       spec.source, kVersion});
  return options;
}

/// The parts of one attempt, one open at a time.
class Parts {
 public:
  Parts(Store& store, const LoadSpec& spec, const LoadLayout& layout,
        const PrepareContext& context)
      : store_(store),
        spec_(spec),
        layout_(layout),
        context_(context),
        options_(OptionsOf(spec, layout, context)) {}

  Status Write(std::shared_ptr<arrow::RecordBatch> batch) {
    while (batch->num_rows() > 0) {
      if (encoder_ == nullptr) ARROW_RETURN_NOT_OK(Begin());
      ARROW_ASSIGN_OR_RAISE(auto taken, encoder_->Write(batch));
      if (taken < batch->num_rows()) ARROW_RETURN_NOT_OK(Stage());
      batch = batch->Slice(taken);
    }
    return Status::OK();
  }

  Result<std::vector<StagedObject>> Finish() {
    bool first = context_.chunk.ordinal == 1 && staged_.empty();
    if (encoder_ == nullptr && first) ARROW_RETURN_NOT_OK(Begin());
    if (encoder_ != nullptr) ARROW_RETURN_NOT_OK(Stage());
    return std::move(staged_);
  }

  /// `why`, after everything staged is aborted.
  Status Abandon(Status why) {
    if (stream_ != nullptr) {
      auto aborted = stream_->Abort();
      if (!aborted.ok()) why = InContext(why, aborted.message());
    }
    encoder_.reset();
    stream_.reset();
    pending_.reset();
    for (const auto& object : staged_) {
      auto aborted = store_.Abort(object);
      if (aborted.ok()) continue;
      why = InContext(
          why, fmt::format("{} stays staged ({})", object.path, aborted.message()));
    }
    return why;
  }

 private:
  Status Begin() {
    auto n = static_cast<int64_t>(staged_.size());
    auto ordinal = context_.chunk.ordinal;
    StageTarget target;
    target.path = layout_.Part(ordinal, n, spec_.attempt_names ? context_.attempt : "");
    target.staging_path = layout_.StagingPart(ordinal, n, context_.attempt);
    target.attempt = context_.attempt;
    ARROW_ASSIGN_OR_RAISE(pending_, store_.Begin(target));
    stream_ = std::make_shared<PendingStream>(*pending_);
    ARROW_ASSIGN_OR_RAISE(encoder_,
                          ParquetEncoder::Open(spec_.schema, options_, stream_));
    return Status::OK();
  }

  Status Stage() {
    ARROW_RETURN_NOT_OK(encoder_->Close());
    int64_t rows = encoder_->rows();
    encoder_.reset();
    ARROW_RETURN_NOT_OK(stream_->Close());
    ARROW_ASSIGN_OR_RAISE(auto object, pending_->Stage());
    stream_.reset();
    pending_.reset();
    object.rows = rows;
    staged_.push_back(std::move(object));
    return Status::OK();
  }

  Store& store_;
  const LoadSpec& spec_;
  const LoadLayout& layout_;
  const PrepareContext& context_;
  const ParquetOptions options_;
  std::vector<StagedObject> staged_;
  // The encoder writes into the stream, the stream into the object: destroyed in this
  // order.
  std::unique_ptr<PendingObject> pending_;
  std::shared_ptr<PendingStream> stream_;
  std::unique_ptr<ParquetEncoder> encoder_;
};

Status WriteAll(const PrepareContext& context, arrow::RecordBatchReader& rows,
                Parts* parts, RowDigester* digester, int64_t* count) {
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    if (context.stop != nullptr) ARROW_RETURN_NOT_OK(context.stop->Poll());
    ARROW_RETURN_NOT_OK(rows.ReadNext(&batch));
    if (batch == nullptr) return Status::OK();
    if (digester != nullptr) ARROW_RETURN_NOT_OK(digester->Add(*batch));
    *count += batch->num_rows();
    ARROW_RETURN_NOT_OK(parts->Write(std::move(batch)));
  }
}

}  // namespace

Result<ChunkReceipt> PrepareChunk(Store& store, const LoadSpec& spec,
                                  const LoadLayout& layout, const PrepareContext& context,
                                  arrow::RecordBatchReader& rows) {
  if (context.digest == DigestKind::kServer) {
    return Error(ErrorKind::kFailed, "load.digest-kind",
                 "a destination takes client digests only");
  }
  ChunkReceipt receipt;
  receipt.load = spec.load;
  receipt.ordinal = context.chunk.ordinal;
  receipt.attempt = context.attempt;
  std::optional<RowDigester> digester;
  if (context.digest == DigestKind::kClient) digester.emplace(spec.schema);

  Parts parts(store, spec, layout, context);
  auto written =
      WriteAll(context, rows, &parts, digester ? &*digester : nullptr, &receipt.rows);
  if (!written.ok()) return parts.Abandon(written);
  auto staged = parts.Finish();
  if (!staged.ok()) return parts.Abandon(staged.status());

  receipt.staged = std::move(*staged);
  if (digester) receipt.digest = digester->digest();
  receipt.digest.rows = receipt.rows;
  receipt.cost.rows = receipt.rows;
  for (const auto& object : receipt.staged) receipt.cost.encoded_bytes += object.size;
  return receipt;
}

}  // namespace sluice
