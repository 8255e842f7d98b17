#include "destination/stored.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "arrow/array/array_base.h"
#include "arrow/buffer.h"
#include "arrow/io/interfaces.h"
#include "arrow/memory_pool.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "arrow/util/cancel.h"
#include "arrow/util/key_value_metadata.h"
#include "base/crc32c.h"
#include "destination/layout.h"
#include "parquet/arrow/reader.h"
#include "parquet/exception.h"
#include "parquet/file_reader.h"
#include "parquet/metadata.h"
#include "parquet/properties.h"
#include "store/object_path.h"

namespace sluice {
namespace {

constexpr int64_t kReadSize = 1 << 20;
constexpr int64_t kRowsPerBatch = 8 * 1024;

Status Differs(const ObjectRef& object, const std::string& how) {
  return Error(
      ErrorKind::kMismatch, "stored.differs",
      fmt::format("stored bytes of {} differ from the receipt: {}", object.path, how));
}

Status Undecodable(const ObjectRef& object, const std::string& why) {
  return Error(ErrorKind::kMismatch, "stored.undecodable",
               fmt::format("{} cannot be read as Parquet: {}", object.path, why));
}

Status CheckPublished(const ChunkReceipt& receipt) {
  if (receipt.objects.size() == receipt.staged.size()) return Status::OK();
  return Error(
      ErrorKind::kFailed, "load.not-published",
      fmt::format("chunk {} has {} staged and {} published objects", receipt.ordinal,
                  receipt.staged.size(), receipt.objects.size()));
}

/// An object that is another, or gone, is a mismatch of what is stored; the rest is the
/// store's.
Result<std::shared_ptr<arrow::io::RandomAccessFile>> Open(Store& store,
                                                          const ObjectRef& object) {
  auto file = store.Read(object);
  if (file.ok()) return file;
  auto id = IdOf(file.status());
  if (id == "store.object-changed" || id == "store.object-gone") {
    return Differs(object, file.status().message());
  }
  return file;
}

/// The store's own checksum of the whole spares reading it. What differs is left to the bytes.
Result<bool> StoreVouches(Store& store, const ObjectRef& object) {
  ARROW_ASSIGN_OR_RAISE(const auto info, store.Head(object.path));
  return info && info->size == object.size && info->crc32c == object.crc32c;
}

Status CheckBytes(arrow::io::RandomAccessFile& file, const ObjectRef& object,
                  const arrow::StopToken& stop) {
  ARROW_ASSIGN_OR_RAISE(auto size, file.GetSize());
  if (size != object.size) {
    return Differs(object, fmt::format("{} bytes wanted, {} found", object.size, size));
  }
  uint32_t crc = 0;
  for (int64_t at = 0; at < size;) {
    ARROW_RETURN_NOT_OK(stop.Poll());
    ARROW_ASSIGN_OR_RAISE(auto piece, file.ReadAt(at, std::min(kReadSize, size - at)));
    if (piece->size() == 0)
      return Differs(object, fmt::format("it ends after {} bytes", at));
    crc = ExtendCrc32c(crc, std::string_view(*piece));
    at += piece->size();
  }
  if (crc == object.crc32c) return Status::OK();
  return Differs(object,
                 fmt::format("crc32c {:08x} wanted, {:08x} found", object.crc32c, crc));
}

/// An error of the decoder, as what it is: the store's own keep their kind.
Status Decoding(const ObjectRef& object, const Status& status) {
  if (status.ok() || !IdOf(status).empty() || KindOf(status) != ErrorKind::kFailed)
    return status;
  return Undecodable(object, status.message());
}

Result<int64_t> RowsInFooter(std::shared_ptr<arrow::io::RandomAccessFile> file,
                             const ObjectRef& object) {
  try {
    auto reader = parquet::ParquetFileReader::Open(std::move(file));
    return reader->metadata()->num_rows();
  } catch (const parquet::ParquetStatusException& error) {
    return Decoding(object, error.status());
  } catch (const parquet::ParquetException& error) {
    return Undecodable(object, error.what());
  }
}

Result<std::unique_ptr<parquet::arrow::FileReader>> OpenFile(
    std::shared_ptr<arrow::io::RandomAccessFile> file, const ObjectRef& object) {
  try {
    parquet::ReaderProperties properties(arrow::default_memory_pool());
    // Otherwise the reader holds whole column chunks.
    properties.enable_buffered_stream();
    properties.set_page_checksum_verification(true);
    auto opened = parquet::ParquetFileReader::Open(std::move(file), properties);
    parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
    arrow_properties.set_batch_size(kRowsPerBatch);
    arrow_properties.set_pre_buffer(false);
    auto reader = parquet::arrow::FileReader::Make(arrow::default_memory_pool(),
                                                   std::move(opened), arrow_properties);
    if (!reader.ok()) return Decoding(object, reader.status());
    return reader;
  } catch (const parquet::ParquetStatusException& error) {
    return Decoding(object, error.status());
  } catch (const parquet::ParquetException& error) {
    return Undecodable(object, error.what());
  }
}

/// One row group at a time: its rows are bounded by the memory of who wrote them, and a
/// batch never spans two.
class StoredRows final : public arrow::RecordBatchReader {
 public:
  StoredRows(Store& store, std::vector<ObjectRef> objects,
             std::shared_ptr<arrow::Schema> schema)
      : store_(store), objects_(std::move(objects)), schema_(std::move(schema)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status Start() {
    if (schema_ == nullptr && objects_.empty()) schema_ = arrow::schema({});
    return schema_ == nullptr ? OpenNextFile() : Status::OK();
  }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    while (*batch == nullptr) {
      if (rows_ != nullptr) {
        ARROW_RETURN_NOT_OK(Decoding(objects_[object_ - 1], rows_->ReadNext(batch)));
        if (*batch == nullptr) rows_.reset();
        continue;
      }
      if (file_ != nullptr && row_group_ < file_->num_row_groups()) {
        auto rows = file_->GetRecordBatchReader({row_group_++});
        if (!rows.ok()) return Decoding(objects_[object_ - 1], rows.status());
        rows_ = std::move(*rows);
        continue;
      }
      file_.reset();
      if (object_ == objects_.size()) return Status::OK();
      ARROW_RETURN_NOT_OK(OpenNextFile());
    }
    *batch = arrow::RecordBatch::Make(schema_, (*batch)->num_rows(), (*batch)->columns());
    return Status::OK();
  }

 private:
  Status OpenNextFile() {
    const auto& object = objects_[object_++];
    ARROW_ASSIGN_OR_RAISE(auto stored, Open(store_, object));
    ARROW_ASSIGN_OR_RAISE(file_, OpenFile(std::move(stored), object));
    std::shared_ptr<arrow::Schema> found;
    ARROW_RETURN_NOT_OK(Decoding(object, file_->GetSchema(&found)));
    if (schema_ == nullptr) schema_ = found;
    if (!found->Equals(*schema_, /*check_metadata=*/false)) {
      return Undecodable(object, fmt::format("columns {} wanted, {} found",
                                             schema_->ToString(), found->ToString()));
    }
    row_group_ = 0;
    return Status::OK();
  }

  Store& store_;
  const std::vector<ObjectRef> objects_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<parquet::arrow::FileReader> file_;
  std::unique_ptr<arrow::RecordBatchReader> rows_;
  size_t object_ = 0;  ///< the next to open
  int row_group_ = 0;  ///< the next to read
};

}  // namespace

Result<bool> BelongsToItsFolder(Store& store, const ObjectInfo& part) {
  auto file = store.Read(ObjectRef{part.path, "", part.size, 0});
  if (!file.ok()) {
    const auto id = IdOf(file.status());
    if (id == "store.object-changed" || id == "store.object-gone") return false;
    return file.status();
  }
  try {
    const auto reader = parquet::ParquetFileReader::Open(*std::move(file));
    const auto entries = reader->metadata()->key_value_metadata();
    return entries != nullptr &&
           entries->Get(kFolderEntry).ValueOr("") == SplitPath(part.path).folder;
  } catch (const parquet::ParquetStatusException& error) {
    if (!IdOf(error.status()).empty()) return error.status();  // The store's.
    return false;
  } catch (const parquet::ParquetException&) {
    return false;
  }
}

Status CheckStoredObjects(Store& store, const ChunkReceipt& receipt,
                          const arrow::StopToken& stop) {
  ARROW_RETURN_NOT_OK(CheckPublished(receipt));
  for (size_t i = 0; i < receipt.objects.size(); ++i) {
    const auto& object = receipt.objects[i];
    const auto& staged = receipt.staged[i];
    if (object.size != staged.size || object.crc32c != staged.crc32c) {
      return Differs(object, "another size or checksum was staged");
    }
    ARROW_ASSIGN_OR_RAISE(auto file, Open(store, object));
    ARROW_ASSIGN_OR_RAISE(const bool vouched, StoreVouches(store, object));
    if (!vouched) ARROW_RETURN_NOT_OK(CheckBytes(*file, object, stop));
    ARROW_ASSIGN_OR_RAISE(auto rows, RowsInFooter(std::move(file), object));
    if (rows != staged.rows) {
      return Differs(object, fmt::format("{} rows wanted, {} found", staged.rows, rows));
    }
  }
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatchReader>> ReadStoredRows(
    Store& store, const ChunkReceipt& receipt, std::shared_ptr<arrow::Schema> schema) {
  ARROW_RETURN_NOT_OK(CheckPublished(receipt));
  auto rows = std::make_shared<StoredRows>(store, receipt.objects, std::move(schema));
  ARROW_RETURN_NOT_OK(rows->Start());
  return rows;
}

}  // namespace sluice
