#include "encode/size_bound.h"

#include <algorithm>

#include "arrow/array/array_base.h"
#include "arrow/array/array_binary.h"
#include "arrow/array/array_dict.h"
#include "arrow/buffer.h"
#include "arrow/ipc/writer.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "arrow/type_traits.h"
#include "arrow/util/byte_size.h"

namespace sluice {
namespace {

/// Page header, column metadata and index entries without their extremes.
constexpr int64_t kPageBytes = 128;
constexpr int64_t kColumnChunkBytes = 384;

int64_t BinaryBytes(const arrow::Array& array) {
  if (array.length() == 0) return 0;
  if (array.type_id() == arrow::Type::LARGE_STRING ||
      array.type_id() == arrow::Type::LARGE_BINARY) {
    const auto& large = static_cast<const arrow::LargeBinaryArray&>(array);
    return large.value_offset(array.length()) - large.value_offset(0);
  }
  const auto& small = static_cast<const arrow::BinaryArray&>(array);
  return small.value_offset(array.length()) - small.value_offset(0);
}

/// Bytes of the values that the rows of a dictionary show.
int64_t ShownBytes(const arrow::DictionaryArray& array) {
  const auto& dictionary = *array.dictionary();
  if (!arrow::is_binary_like(dictionary.type_id())) return 16 * array.length();
  const auto& values = static_cast<const arrow::BinaryArray&>(dictionary);
  int64_t bytes = 0;
  for (int64_t i = 0; i < array.length(); ++i) {
    if (!array.IsNull(i)) bytes += values.value_length(array.GetValueIndex(i));
  }
  return bytes;
}

/// Bytes of a column's values in their plain Parquet form.
int64_t PlainBytes(const arrow::Array& array) {
  int64_t rows = array.length();
  const auto& type = *array.type();
  if (arrow::is_base_binary_like(type.id())) return 4 * rows + BinaryBytes(array);
  if (type.id() == arrow::Type::DICTIONARY) {
    return 4 * rows + ShownBytes(static_cast<const arrow::DictionaryArray&>(array));
  }
  if (type.id() == arrow::Type::NA) return 0;
  if (type.id() == arrow::Type::BOOL) return rows / 8 + 1;
  // Small integers are stored in four bytes.
  if (arrow::is_fixed_width(type.id())) return rows * std::max(4, type.bit_width() / 8);
  return 2 * arrow::util::TotalBufferSize(array) + 16 * rows;
}

int64_t ExtremesOf(const arrow::DataType& type) {
  return 4 * (arrow::is_base_binary_like(type.id()) ? kStatisticsValueMax : 16);
}

int64_t ColumnBound(const arrow::Array& array) {
  int64_t rows = array.length();
  int64_t plain = PlainBytes(array);
  // A dictionary that is given up half-way has cost its indices; levels cost up to two
  // bits a row; incompressible bytes grow a little, differences of random integers too.
  int64_t values = plain + plain / 32 + 3 * rows + rows / 4;
  int64_t pages = 1 + rows / kDataPageRows + values / kDataPageSize;
  return values + pages * (kPageBytes + ExtremesOf(*array.type()));
}

int64_t RawColumn(const arrow::Array& array) {
  int64_t rows = array.length();
  const auto& type = *array.type();
  int64_t validity = rows / 8 + 1;
  if (type.id() == arrow::Type::LARGE_STRING || type.id() == arrow::Type::LARGE_BINARY) {
    return validity + 8 * rows + BinaryBytes(array);
  }
  if (arrow::is_base_binary_like(type.id()))
    return validity + 4 * rows + BinaryBytes(array);
  if (type.id() == arrow::Type::DICTIONARY) {
    const auto& dictionary =
        *static_cast<const arrow::DictionaryArray&>(array).dictionary();
    // Batches share their dictionary, or most of it.
    return validity + 4 * rows +
           std::min(arrow::util::TotalBufferSize(dictionary), 16 * rows);
  }
  if (type.id() == arrow::Type::NA) return 0;
  if (arrow::is_fixed_width(type.id())) return validity + rows * type.bit_width() / 8;
  return arrow::util::TotalBufferSize(array);
}

}  // namespace

int64_t EncodedBound(const arrow::RecordBatch& batch) {
  int64_t bound = 0;
  for (int i = 0; i < batch.num_columns(); ++i) bound += ColumnBound(*batch.column(i));
  return bound;
}

int64_t RowGroupBound(const arrow::Schema& schema) {
  int64_t bound = 64;
  for (const auto& field : schema.fields()) {
    bound += kColumnChunkBytes + 2 * static_cast<int64_t>(field->name().size()) +
             2 * ExtremesOf(*field->type());
  }
  return bound;
}

int64_t EmptyFileBound(const arrow::Schema& schema, int64_t metadata_size) {
  auto message = arrow::ipc::SerializeSchema(schema);
  int64_t arrow_schema = message.ok() ? (*message)->size() * 4 / 3 + 64 : 0;
  int64_t bound = 1024 + metadata_size + arrow_schema;
  for (const auto& field : schema.fields())
    bound += 64 + static_cast<int64_t>(field->name().size());
  return bound;
}

int64_t RowsWithin(const arrow::RecordBatch& batch, int64_t room) {
  if (EncodedBound(batch) <= room) return batch.num_rows();
  int64_t fits = 0;
  int64_t exceeds = batch.num_rows();
  while (exceeds - fits > 1) {
    int64_t middle = fits + (exceeds - fits) / 2;
    (EncodedBound(*batch.Slice(0, middle)) <= room ? fits : exceeds) = middle;
  }
  return fits;
}

int64_t RawSize(const arrow::RecordBatch& batch) {
  int64_t size = 0;
  for (int i = 0; i < batch.num_columns(); ++i) size += RawColumn(*batch.column(i));
  return size;
}

}  // namespace sluice
