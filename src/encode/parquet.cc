#include "encode/parquet.h"

#include <algorithm>
#include <array>
#include <utility>

#include "arrow/array/array_base.h"
#include "arrow/chunked_array.h"
#include "arrow/io/interfaces.h"
#include "arrow/memory_pool.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "arrow/type_traits.h"
#include "arrow/util/compression.h"
#include "arrow/util/key_value_metadata.h"
#include "encode/dense_column.h"
#include "encode/size_bound.h"
#include "parquet/arrow/writer.h"
#include "parquet/exception.h"
#include "parquet/properties.h"
#include "sluice/version.h"

namespace sluice {
namespace {

constexpr int64_t kRowGroupBytesMax = 32 << 20;
/// A file is full when less than this part of it is left: a tail of tiny row groups helps
/// nobody.
constexpr int64_t kFullPart = 8;

constexpr std::array<std::pair<std::string_view, arrow::Compression::type>, 6>
    kCompressions = {{
        {"zstd", arrow::Compression::ZSTD},
        {"snappy", arrow::Compression::SNAPPY},
        {"lz4", arrow::Compression::LZ4},
        {"gzip", arrow::Compression::GZIP},
        {"brotli", arrow::Compression::BROTLI},
        {"none", arrow::Compression::UNCOMPRESSED},
    }};

bool TakesLevel(arrow::Compression::type codec) {
  return codec == arrow::Compression::ZSTD || codec == arrow::Compression::GZIP ||
         codec == arrow::Compression::BROTLI;
}

int64_t SizeOf(const arrow::KeyValueMetadata* metadata) {
  int64_t size = 0;
  for (int64_t i = 0; metadata != nullptr && i < metadata->size(); ++i) {
    size +=
        16 + static_cast<int64_t>(metadata->key(i).size() + metadata->value(i).size());
  }
  return size;
}

std::shared_ptr<parquet::WriterProperties> PropertiesOf(
    const arrow::Schema& schema, const std::vector<ColumnChoice>& choices,
    const ParquetOptions& options, arrow::Compression::type codec) {
  parquet::WriterProperties::Builder builder;
  builder.memory_pool(options.pool)
      ->version(parquet::ParquetVersion::PARQUET_2_6)
      ->created_by(std::string("sluice ") + kVersion)
      ->compression(codec)
      ->data_pagesize(kDataPageSize)
      ->max_rows_per_page(kDataPageRows)
      ->dictionary_pagesize_limit(kDictionaryPageSize)
      ->max_statistics_size(kStatisticsValueMax)
      ->enable_store_decimal_as_integer()
      ->enable_write_page_index()
      ->enable_page_checksum();
  if (TakesLevel(codec)) builder.compression_level(options.compression_level);
  for (size_t i = 0; i < choices.size(); ++i) {
    const auto& name = schema.field(static_cast<int>(i))->name();
    if (!choices[i].statistics) builder.disable_statistics(name);
    if (choices[i].encoding == ColumnEncoding::kDictionary) continue;
    builder.disable_dictionary(name);
    if (choices[i].encoding == ColumnEncoding::kDelta) {
      builder.encoding(name, parquet::Encoding::DELTA_BINARY_PACKED);
    }
  }
  return builder.build();
}

/// Arrow's own words say what; an error of the stream is the store's and stays as it is.
Status OpenFailed(const Status& status) {
  if (!IdOf(status).empty() || KindOf(status) != ErrorKind::kFailed) return status;
  return Error(ErrorKind::kFailed, "parquet.open", status.message());
}

}  // namespace

Result<arrow::Compression::type> CompressionOf(std::string_view name) {
  std::string known;
  for (const auto& [word, codec] : kCompressions) {
    if (word == name) return codec;
    known += (known.empty() ? "" : ", ") + std::string(word);
  }
  return Error(ErrorKind::kUsage, "option.compression",
               "wanted a compression out of " + known + ", found " + std::string(name));
}

ParquetEncoder::ParquetEncoder(std::shared_ptr<arrow::Schema> schema,
                               const ParquetOptions& options,
                               std::shared_ptr<arrow::io::OutputStream> stream)
    : schema_(std::move(schema)),
      options_(options),
      row_group_bytes_(std::clamp<int64_t>(options.memory / 3, 1, kRowGroupBytesMax)),
      stream_(std::move(stream)) {}

ParquetEncoder::~ParquetEncoder() = default;

Result<std::unique_ptr<ParquetEncoder>> ParquetEncoder::Open(
    std::shared_ptr<arrow::Schema> schema, const ParquetOptions& options,
    std::shared_ptr<arrow::io::OutputStream> stream) {
  ARROW_RETURN_NOT_OK(CompressionOf(options.compression));
  auto with_pool = options;
  if (with_pool.pool == nullptr) with_pool.pool = arrow::default_memory_pool();
  auto encoder = std::unique_ptr<ParquetEncoder>(
      new ParquetEncoder(std::move(schema), with_pool, std::move(stream)));
  encoder->footer_bound_ =
      EmptyFileBound(*encoder->schema_, SizeOf(options.metadata.get()));
  return encoder;
}

Status ParquetEncoder::OpenWriter() {
  choices_.clear();
  for (int i = 0; i < schema_->num_fields(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto column, ColumnOfHeld(i));
    choices_.push_back(ChooseColumn(*schema_->field(i), column));
  }
  ARROW_ASSIGN_OR_RAISE(auto codec, CompressionOf(options_.compression));
  try {
    auto properties = PropertiesOf(*schema_, choices_, options_, codec);
    auto arrow_properties =
        parquet::ArrowWriterProperties::Builder().store_schema()->build();
    auto opened = parquet::arrow::FileWriter::Open(*schema_, options_.pool, stream_,
                                                   properties, arrow_properties);
    if (!opened.ok()) return OpenFailed(opened.status());
    writer_ = *std::move(opened);
  } catch (const parquet::ParquetException& error) {
    return Error(ErrorKind::kFailed, "parquet.open", error.what());
  }
  if (options_.metadata == nullptr) return Status::OK();
  return writer_->AddKeyValueMetadata(options_.metadata);
}

Result<arrow::ArrayVector> ParquetEncoder::ColumnOfHeld(int column) const {
  arrow::ArrayVector chunks;
  for (const auto& batch : held_) chunks.push_back(batch->column(column));
  return chunks;
}

Status ParquetEncoder::FlushRowGroup() {
  if (writer_ == nullptr) ARROW_RETURN_NOT_OK(OpenWriter());
  if (held_.empty()) return Status::OK();
  ARROW_RETURN_NOT_OK(writer_->NewRowGroup());
  for (int i = 0; i < schema_->num_fields(); ++i) {
    const auto& type = schema_->field(i)->type();
    bool dictionary =
        choices_[static_cast<size_t>(i)].encoding == ColumnEncoding::kDictionary;
    ARROW_ASSIGN_OR_RAISE(auto chunks, ColumnOfHeld(i));
    ARROW_ASSIGN_OR_RAISE(auto pieces,
                          UniformColumn(*type, chunks, dictionary, options_.pool));
    auto shown = pieces.empty() ? type : pieces[0]->type();
    auto column = std::make_shared<arrow::ChunkedArray>(std::move(pieces), shown);
    ARROW_RETURN_NOT_OK(writer_->WriteColumnChunk(column));
  }
  held_.clear();
  held_raw_ = held_bound_ = 0;
  footer_bound_ += RowGroupBound(*schema_);
  return Status::OK();
}

Result<int64_t> ParquetEncoder::SizeBound() const {
  ARROW_ASSIGN_OR_RAISE(auto written, stream_->Tell());
  int64_t open_group = held_.empty() ? 0 : held_bound_ + RowGroupBound(*schema_);
  return written + open_group + footer_bound_;
}

/// Values too long for the dictionaries this file has decided on.
bool ParquetEncoder::NeedsNewFile(const arrow::RecordBatch& batch) const {
  for (int i = 0; i < batch.num_columns() && writer_ != nullptr; ++i) {
    if (choices_[static_cast<size_t>(i)].encoding == ColumnEncoding::kDictionary &&
        arrow::is_base_binary_like(schema_->field(i)->type()->id()) &&
        LongestValue(*batch.column(i)) > kDictionaryPageSize) {
      return true;
    }
  }
  return false;
}

Status ParquetEncoder::CheckColumns(const arrow::RecordBatch& batch) const {
  if (batch.num_columns() != schema_->num_fields()) {
    return Error(ErrorKind::kFailed, "parquet.type",
                 "wanted " + std::to_string(schema_->num_fields()) + " columns, found " +
                     std::to_string(batch.num_columns()));
  }
  for (int i = 0; i < batch.num_columns(); ++i) {
    const auto& wanted = *schema_->field(i)->type();
    const auto& found = *batch.column(i)->type();
    if (found.Equals(wanted)) continue;
    if (found.id() == arrow::Type::DICTIONARY &&
        static_cast<const arrow::DictionaryType&>(found).value_type()->Equals(wanted)) {
      continue;
    }
    return Error(ErrorKind::kFailed, "parquet.type",
                 "wanted " + wanted.ToString() + " in column " +
                     schema_->field(i)->name() + ", found " + found.ToString());
  }
  return Status::OK();
}

Status ParquetEncoder::Hold(std::shared_ptr<arrow::RecordBatch> batch) {
  held_raw_ += RawSize(*batch);
  held_bound_ += EncodedBound(*batch);
  rows_ += batch->num_rows();
  held_.push_back(std::move(batch));
  return held_raw_ < row_group_bytes_ ? Status::OK() : FlushRowGroup();
}

Result<int64_t> ParquetEncoder::Write(const std::shared_ptr<arrow::RecordBatch>& batch) {
  ARROW_RETURN_NOT_OK(CheckColumns(*batch));
  if (batch->num_rows() == 0) return 0;
  if (held_raw_ > 0 && held_raw_ + RawSize(*batch) > row_group_bytes_) {
    ARROW_RETURN_NOT_OK(FlushRowGroup());
  }
  if (NeedsNewFile(*batch)) return 0;
  int64_t group = held_.empty() ? RowGroupBound(*schema_) : 0;
  ARROW_ASSIGN_OR_RAISE(auto bound, SizeBound());
  int64_t fit = RowsWithin(*batch, options_.file_size - bound - group);
  if (fit < batch->num_rows() && !held_.empty()) {
    // What is held is smaller once encoded than its bound says.
    ARROW_RETURN_NOT_OK(FlushRowGroup());
    ARROW_ASSIGN_OR_RAISE(bound, SizeBound());
    int64_t room = options_.file_size - bound - RowGroupBound(*schema_);
    fit = room < options_.file_size / kFullPart ? 0 : RowsWithin(*batch, room);
  }
  if (rows_ == 0) fit = std::max<int64_t>(fit, 1);
  if (fit == 0) return 0;
  ARROW_RETURN_NOT_OK(Hold(fit == batch->num_rows() ? batch : batch->Slice(0, fit)));
  return fit;
}

Status ParquetEncoder::Close() {
  ARROW_RETURN_NOT_OK(FlushRowGroup());
  return writer_->Close();
}

}  // namespace sluice
