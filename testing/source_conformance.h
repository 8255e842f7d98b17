/// \file
/// What every Source and Session must do, sentence by sentence of sluice/source.h.
///
///   INSTANTIATE_TEST_SUITE_P(Mine, SourceConformance,
///                            ::testing::Values(SourceMaker([] { return … a SourceWorld; })));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "sluice/source.h"
#include "testing/batches.h"

namespace sluice {

enum class SampleType { kInteger, kText };
struct SampleColumn {
  std::string name;
  SampleType type = SampleType::kInteger;
  bool nullable = false;
};
/// A table as the suite describes it; the world says it in its own SQL.
struct SampleTable {
  std::string name;
  std::vector<SampleColumn> columns;
  std::vector<std::string> key;  ///< the PRIMARY KEY; empty: none
};

/// One database, empty at first, and somebody else who writes to it. What cannot be done there ends
/// the test program. A write must succeed while snapshots are open.
class SourceWorld {
 public:
  virtual ~SourceWorld() = default;
  /// Of the tables made below.
  virtual std::string schema() const = 0;
  /// Rows as testing/batches.h has them: integers in decimal.
  virtual void Create(const SampleTable& table, const std::vector<Row>& rows) = 0;
  virtual void Insert(const SampleTable& table, const std::vector<Row>& rows) = 0;
  virtual void AddColumn(const SampleTable& table, const SampleColumn& column) = 0;
  virtual void Drop(const SampleTable& table) = 0;
  virtual Result<std::unique_ptr<Source>> Open() = 0;
  /// Can there be a table and a column of that name?
  virtual bool CanName(const std::string&) const { return true; }
};

/// Makes the world of one test. Naming it in a test program links the suite into it.
class SourceMaker {
 public:
  explicit SourceMaker(std::function<std::unique_ptr<SourceWorld>()> make);
  std::unique_ptr<SourceWorld> Make() const { return make_(); }

 private:
  friend void PrintTo(const SourceMaker&, std::ostream* out) { *out << "a source"; }
  std::function<std::unique_ptr<SourceWorld>()> make_;
};

class SourceConformance : public ::testing::TestWithParam<SourceMaker> {
 protected:
  SourceConformance();
  ~SourceConformance() override;

  SessionSet OpenSessions(int count = 1, Consistency wanted = Consistency::kSnapshot);
  TableInfo Described(Session& session, const SampleTable& table);
  Result<TableInfo> TryDescribe(Session& session, const Relation& relation);
  Relation RelationOf(const SampleTable& table) const;
  std::vector<Row> Read(Session& session, const TableInfo& table,
                        const KeyRange& range = {}, const ReadContext& context = {});
  /// The ranges that Bound cuts a table into.
  std::vector<KeyRange> Cut(Session& session, const TableInfo& table,
                            int64_t rows_wanted);

  std::unique_ptr<SourceWorld> world_;
  std::unique_ptr<Source> source_;  ///< of the newest OpenSessions
};

}  // namespace sluice
