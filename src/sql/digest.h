/// \file
/// The row digest in its client form: computed from decoded rows, equal to what a server
/// computes from stored ones (docs/digest.md).
#pragma once

#include <memory>

#include "sluice/error.h"
#include "sluice/table.h"

namespace arrow {
class StopToken;
}

namespace sluice {

/// Adds rows of one schema to a digest, in any order. One thread. Nothing is allocated
/// per row.
class RowDigester {
 public:
  /// `schema` is logical: a batch may carry a field as its type or as dictionary(integer,
  /// type).
  explicit RowDigester(std::shared_ptr<arrow::Schema> schema);
  ~RowDigester();
  RowDigester(RowDigester&&) noexcept;
  RowDigester& operator=(RowDigester&&) noexcept;

  /// kFailed "digest.type" for a column without a canonical form, or not of the schema.
  Status Add(const arrow::RecordBatch& batch);
  /// Of all rows so far; DigestKind::kClient, kDigestVersion.
  Digest digest() const;

 private:
  struct Working;
  std::unique_ptr<Working> working_;
};

/// The digest of every row of `rows`. Cancelled when `stop` is requested.
Result<Digest> DigestRows(arrow::RecordBatchReader& rows, const arrow::StopToken& stop);

}  // namespace sluice
