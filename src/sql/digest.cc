#include "sql/digest.h"

#include <openssl/evp.h>

#include <cstring>
#include <string_view>
#include <vector>

#include "arrow/array/array_dict.h"
#include "arrow/array/data.h"
#include "arrow/record_batch.h"
#include "arrow/type.h"
#include "arrow/util/bit_util.h"
#include "arrow/util/cancel.h"
#include "sluice/version.h"
#include "sql/canonical.h"

namespace sluice {
namespace {

constexpr int64_t kFloatSize = 4;

/// How a column's cells become canonical bytes.
enum class Form {
  kNone,
  kNull,
  kBool,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kFloat,
  kDouble,
  kDecimal,
  kWideDecimal,
  kDate,
  kTimeOfDay,
  kTimestamp,
  kBytes32,
  kBytes64,
  kBytesFixed,
  kFloats,
};

Form FormOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::NA: return Form::kNull;
    case arrow::Type::BOOL: return Form::kBool;
    case arrow::Type::INT8: return Form::kInt8;
    case arrow::Type::INT16: return Form::kInt16;
    case arrow::Type::INT32: return Form::kInt32;
    case arrow::Type::INT64: return Form::kInt64;
    case arrow::Type::UINT8: return Form::kUint8;
    case arrow::Type::UINT16: return Form::kUint16;
    case arrow::Type::UINT32: return Form::kUint32;
    case arrow::Type::UINT64: return Form::kUint64;
    case arrow::Type::FLOAT: return Form::kFloat;
    case arrow::Type::DOUBLE: return Form::kDouble;
    case arrow::Type::DECIMAL128: {
      int scale = static_cast<const arrow::Decimal128Type&>(type).scale();
      return scale >= 0 && scale <= 38 ? Form::kDecimal : Form::kNone;
    }
    case arrow::Type::DECIMAL256: {
      int scale = static_cast<const arrow::Decimal256Type&>(type).scale();
      return scale >= 0 && scale <= 76 ? Form::kWideDecimal : Form::kNone;
    }
    case arrow::Type::DATE32: return Form::kDate;
    case arrow::Type::TIME64:
      return static_cast<const arrow::Time64Type&>(type).unit() == arrow::TimeUnit::MICRO
                 ? Form::kTimeOfDay
                 : Form::kNone;
    case arrow::Type::TIMESTAMP: return Form::kTimestamp;
    case arrow::Type::STRING:
    case arrow::Type::BINARY: return Form::kBytes32;
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY: return Form::kBytes64;
    case arrow::Type::FIXED_SIZE_BINARY: return Form::kBytesFixed;
    case arrow::Type::LIST:
      return static_cast<const arrow::ListType&>(type).value_type()->id() ==
                     arrow::Type::FLOAT
                 ? Form::kFloats
                 : Form::kNone;
    default: return Form::kNone;
  }
}

/// Scale of a decimal, fraction digits of a timestamp, width of fixed bytes.
int DetailOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
      return static_cast<const arrow::DecimalType&>(type).scale();
    case arrow::Type::TIMESTAMP:
      return 3 * static_cast<int>(static_cast<const arrow::TimestampType&>(type).unit());
    case arrow::Type::FIXED_SIZE_BINARY:
      return static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width();
    default: return 0;
  }
}

/// Raw access to an array: no virtual call and no shared_ptr per cell.
struct Cells {
  Form form = Form::kNone;
  int detail = 0;
  int64_t offset = 0;
  const uint8_t* valid = nullptr;  ///< null: every cell is
  const uint8_t* values = nullptr;
  const uint8_t* bytes = nullptr;

  bool IsNull(int64_t row) const {
    if (form == Form::kNull) return true;
    return valid != nullptr && !arrow::bit_util::GetBit(valid, offset + row);
  }
  template <typename T>
  T At(int64_t row) const {
    T value;
    std::memcpy(&value, values + (offset + row) * static_cast<int64_t>(sizeof(T)),
                sizeof(T));
    return value;
  }
  template <typename Offset>
  std::string_view BytesAt(int64_t row) const {
    auto begin = At<Offset>(row);
    auto end = At<Offset>(row + 1);
    return {reinterpret_cast<const char*>(bytes) + begin,
            static_cast<size_t>(end - begin)};
  }
  std::string_view FloatsAt(int64_t row) const {
    const int64_t begin = At<int32_t>(row) * kFloatSize;
    const int64_t end = At<int32_t>(row + 1) * kFloatSize;
    return {reinterpret_cast<const char*>(bytes) + begin,
            static_cast<size_t>(end - begin)};
  }
};

const uint8_t* DataOf(const arrow::ArrayData& data, size_t buffer) {
  if (data.buffers.size() <= buffer || data.buffers[buffer] == nullptr) return nullptr;
  return data.buffers[buffer]->data();
}

Cells CellsOf(const arrow::ArrayData& data) {
  Cells cells;
  cells.form = FormOf(*data.type);
  cells.detail = DetailOf(*data.type);
  cells.offset = data.offset;
  cells.valid = DataOf(data, 0);
  cells.values = DataOf(data, 1);
  cells.bytes = DataOf(data, 2);
  if (cells.form == Form::kFloats) {
    const arrow::ArrayData& floats = *data.child_data[0];
    // A NULL among them has no canonical form.
    if (floats.GetNullCount() > 0) cells.form = Form::kNone;
    if (DataOf(floats, 1) != nullptr)
      cells.bytes = DataOf(floats, 1) + floats.offset * kFloatSize;
  }
  return cells;
}

/// A column of a batch: cells, reached through indices where it is a dictionary.
struct Column {
  Cells cells;
  Cells indices;
  bool encoded = false;
};

int64_t IndexAt(const Cells& indices, int64_t row) {
  switch (indices.form) {
    case Form::kInt8: return indices.At<int8_t>(row);
    case Form::kInt16: return indices.At<int16_t>(row);
    case Form::kInt32: return indices.At<int32_t>(row);
    case Form::kInt64: return indices.At<int64_t>(row);
    case Form::kUint8: return indices.At<uint8_t>(row);
    case Form::kUint16: return indices.At<uint16_t>(row);
    case Form::kUint32: return indices.At<uint32_t>(row);
    default: return indices.At<int64_t>(row);
  }
}

/// Canonical bytes of a cell that is neither NULL nor a string.
char* WriteFixed(char* out, const Cells& cells, int64_t row) {
  switch (cells.form) {
    case Form::kBool:
      *out = arrow::bit_util::GetBit(cells.values, cells.offset + row) ? '1' : '0';
      return out + 1;
    case Form::kInt8: return WriteInt(out, cells.At<int8_t>(row));
    case Form::kInt16: return WriteInt(out, cells.At<int16_t>(row));
    case Form::kInt32: return WriteInt(out, cells.At<int32_t>(row));
    case Form::kInt64: return WriteInt(out, cells.At<int64_t>(row));
    case Form::kUint8: return WriteUint(out, cells.At<uint8_t>(row));
    case Form::kUint16: return WriteUint(out, cells.At<uint16_t>(row));
    case Form::kUint32: return WriteUint(out, cells.At<uint32_t>(row));
    case Form::kUint64: return WriteUint(out, cells.At<uint64_t>(row));
    case Form::kFloat: return WriteDouble(out, static_cast<double>(cells.At<float>(row)));
    case Form::kDouble: return WriteDouble(out, cells.At<double>(row));
    case Form::kDecimal:
      return WriteDecimal(out, cells.values + (cells.offset + row) * 16, cells.detail);
    case Form::kWideDecimal:
      return WriteWideDecimal(out, cells.values + (cells.offset + row) * 32,
                              cells.detail);
    case Form::kTimeOfDay: return WriteTimeOfDay(out, cells.At<int64_t>(row));
    case Form::kDate: return WriteDate(out, cells.At<int32_t>(row));
    case Form::kTimestamp:
      return WriteTimestamp(out, cells.At<int64_t>(row), cells.detail);
    default: return out;
  }
}

class Sha256 {
 public:
  // Fetched once: a fetch per row costs more than the hash of a short row.
  Sha256() : algorithm_(Algorithm()), context_(EVP_MD_CTX_new()) {}
  ~Sha256() { EVP_MD_CTX_free(context_); }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  bool Hash(std::string_view bytes, uint8_t (&hash)[32]) {
    return EVP_DigestInit_ex2(context_, algorithm_, nullptr) == 1 &&
           EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1 &&
           EVP_DigestFinal_ex(context_, hash, nullptr) == 1;
  }

 private:
  /// Fetched once for the process: to look it up costs more than to hash a short row.
  static const EVP_MD* Algorithm() {
    static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return algorithm;
  }

  const EVP_MD* algorithm_;
  EVP_MD_CTX* context_;
};

uint64_t BigEndian64(const uint8_t* bytes) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = (value << 8) | bytes[i];
  return value;
}

Status HashFailed() {
  return Error(ErrorKind::kFailed, "digest.sha256", "the crypto library refused SHA-256");
}

}  // namespace

struct RowDigester::Working {
  explicit Working(std::shared_ptr<arrow::Schema> logical) : schema(std::move(logical)) {
    columns.resize(static_cast<size_t>(schema->num_fields()));
    row.resize(size_t{8} << 10);
    digest.kind = DigestKind::kClient;
    digest.version = kDigestVersion;
  }

  Status Bind(const arrow::RecordBatch& batch);
  Status AddRow(int64_t at);
  char* AppendCell(char* out, const Cells& cells, int64_t at);
  char* AppendBytes(char* out, std::string_view value);
  char* Grow(char* out, size_t more);

  std::shared_ptr<arrow::Schema> schema;
  std::vector<Column> columns;
  std::vector<char> row;
  Sha256 sha256;
  bool failed = false;
  Digest digest;
};

Status RowDigester::Working::Bind(const arrow::RecordBatch& batch) {
  if (batch.num_columns() != schema->num_fields()) {
    return Error(ErrorKind::kFailed, "digest.type",
                 "wanted a batch of " + std::to_string(schema->num_fields()) +
                     " columns, found " + std::to_string(batch.num_columns()));
  }
  for (int i = 0; i < batch.num_columns(); ++i) {
    const auto& data = *batch.column_data(i);
    const auto& wanted = *schema->field(i)->type();
    auto& column = columns[static_cast<size_t>(i)];
    column.encoded = data.type->id() == arrow::Type::DICTIONARY;
    if (column.encoded) column.indices = CellsOf(data);
    if (column.encoded) {
      const auto& type = static_cast<const arrow::DictionaryType&>(*data.type);
      column.indices.form = FormOf(*type.index_type());
    }
    const auto& values = column.encoded ? *data.dictionary : data;
    column.cells = CellsOf(values);
    if (column.cells.form == Form::kNone || !values.type->Equals(wanted)) {
      return Error(ErrorKind::kFailed, "digest.type",
                   "wanted values of type " + wanted.ToString() +
                       " with a canonical form, found " + values.type->ToString() +
                       " in column " + schema->field(i)->name());
    }
  }
  return Status::OK();
}

char* RowDigester::Working::Grow(char* out, size_t more) {
  auto used = static_cast<size_t>(out - row.data());
  row.resize((used + more) * 2);
  return row.data() + used;
}

char* RowDigester::Working::AppendBytes(char* out, std::string_view value) {
  if (value.size() > static_cast<size_t>(kDigestInlineMax)) {
    uint8_t hash[32];
    failed |= !sha256.Hash(value, hash);
    *out++ = '#';
    for (uint8_t byte : hash) {
      *out++ = "0123456789abcdef"[byte >> 4];
      *out++ = "0123456789abcdef"[byte & 15];
    }
    return out;
  }
  out = WriteUint(out, value.size());
  *out++ = ':';
  std::memcpy(out, value.data(), value.size());
  return out + value.size();
}

char* RowDigester::Working::AppendCell(char* out, const Cells& cells, int64_t at) {
  if (cells.IsNull(at)) {
    *out = '~';
    return out + 1;
  }
  switch (cells.form) {
    case Form::kBytes32: return AppendBytes(out, cells.BytesAt<int32_t>(at));
    case Form::kBytes64: return AppendBytes(out, cells.BytesAt<int64_t>(at));
    case Form::kFloats: return AppendBytes(out, cells.FloatsAt(at));
    case Form::kBytesFixed: {
      auto width = static_cast<size_t>(cells.detail);
      const auto* begin = cells.values + static_cast<size_t>(cells.offset + at) * width;
      return AppendBytes(out, {reinterpret_cast<const char*>(begin), width});
    }
    default: break;
  }
  // Most values are shorter than ten bytes: written where they belong, behind a one-digit
  // length.
  char* value = out + 2;
  char* end = WriteFixed(value, cells, at);
  auto size = static_cast<size_t>(end - value);
  if (size >= 10) {
    std::memmove(value + 1, value, size);
    *out++ = static_cast<char>('0' + size / 10);
    ++end;
  }
  out[0] = static_cast<char>('0' + size % 10);
  out[1] = ':';
  return end;
}

Status RowDigester::Working::AddRow(int64_t at) {
  constexpr size_t kCellRoom = kDigestInlineMax + 2 * kCanonicalRoom;
  char* out = row.data();
  for (const auto& column : columns) {
    if (static_cast<size_t>(row.data() + row.size() - out) < kCellRoom)
      out = Grow(out, kCellRoom);
    if (!column.encoded) {
      out = AppendCell(out, column.cells, at);
    } else if (column.indices.IsNull(at)) {
      *out++ = '~';
    } else {
      out = AppendCell(out, column.cells, IndexAt(column.indices, at));
    }
  }
  uint8_t hash[32];
  failed |= !sha256.Hash({row.data(), static_cast<size_t>(out - row.data())}, hash);
  if (failed) return HashFailed();
  digest.high.Add(BigEndian64(hash));
  digest.low.Add(BigEndian64(hash + 8));
  ++digest.rows;
  ++digest.hashed;
  return Status::OK();
}

RowDigester::RowDigester(std::shared_ptr<arrow::Schema> schema)
    : working_(std::make_unique<Working>(std::move(schema))) {}
RowDigester::~RowDigester() = default;
RowDigester::RowDigester(RowDigester&&) noexcept = default;
RowDigester& RowDigester::operator=(RowDigester&&) noexcept = default;

Status RowDigester::Add(const arrow::RecordBatch& batch) {
  ARROW_RETURN_NOT_OK(working_->Bind(batch));
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    ARROW_RETURN_NOT_OK(working_->AddRow(row));
  }
  return Status::OK();
}

Digest RowDigester::digest() const { return working_->digest; }

Result<Digest> DigestRows(arrow::RecordBatchReader& rows, const arrow::StopToken& stop) {
  RowDigester digester(rows.schema());
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    ARROW_RETURN_NOT_OK(stop.Poll());
    ARROW_RETURN_NOT_OK(rows.ReadNext(&batch));
    if (batch == nullptr) return digester.digest();
    ARROW_RETURN_NOT_OK(digester.Add(*batch));
  }
}

}  // namespace sluice
