/// \file
/// What every Destination must do, sentence by sentence of sluice/destination.h. What it refuses has the
/// ids of docs/errors.md.
///
///   INSTANTIATE_TEST_SUITE_P(
///       Mine, DestinationConformance,
///       ::testing::Values(DestinationMaker([] { return … a fixture; })));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sluice/destination.h"
#include "testing/batches.h"

namespace sluice {

/// One destination, empty at first. Its destructor removes everything.
class DestinationFixture {
 public:
  virtual ~DestinationFixture() = default;
  /// A handle to it, as another process would have it. Outlives no fixture.
  virtual std::unique_ptr<Destination> Open() = 0;
  /// What a reader that follows no slots takes for data, by name.
  virtual std::vector<std::string> Visible() = 0;
};

/// Makes the fixture of one test. Naming it in a test program links the suite into it.
class DestinationMaker {
 public:
  explicit DestinationMaker(std::function<std::unique_ptr<DestinationFixture>()> make);
  std::unique_ptr<DestinationFixture> Make() const { return make_(); }

 private:
  friend void PrintTo(const DestinationMaker&, std::ostream* out) {
    *out << "a destination";
  }
  std::function<std::unique_ptr<DestinationFixture>()> make_;
};

/// Rows are (id int64, name utf8); chunk n has the ids from 10 n on.
class DestinationConformance : public ::testing::TestWithParam<DestinationMaker> {
 protected:
  DestinationConformance();
  ~DestinationConformance() override;

  LoadSpec Spec(const std::string& load) const;
  std::unique_ptr<Load> OpenLoad(Destination& destination, const std::string& load);
  std::shared_ptr<arrow::RecordBatchReader> Rows(int64_t ordinal, int64_t count) const;
  Chunk ChunkAt(int64_t ordinal, bool last = false) const;
  /// Prepares chunk `ordinal` with `count` rows as `attempt`.
  ChunkReceipt Prepared(Load& load, int64_t ordinal, const std::string& attempt,
                        int64_t count = 3, DigestKind digest = DigestKind::kNone);
  std::vector<ChunkReceipt> Published(Load& load,
                                      const std::vector<ChunkReceipt>& winners);
  ManifestFacts Facts(int64_t chunks) const;
  /// Two chunks of three rows, committed.
  std::vector<ChunkReceipt> Committed(const std::string& load);
  std::vector<Row> ReadBack(Load& load, const ChunkReceipt& receipt);
  Outcome OutcomeOf(const std::string& load);
  LoadEntry EntryOf(const std::string& load);

  const TableName table_{"main", "orders"};
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<DestinationFixture> fixture_;
  std::unique_ptr<Destination> destination_, other_;
};

}  // namespace sluice
