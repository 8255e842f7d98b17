/// \file
/// Loads, chunks and receipts full of edges, to be written and found again.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "sluice/state_store.h"

#define EXPECT_OK(expression)                                \
  do {                                                       \
    const ::sluice::Status expected_ok = (expression);       \
    EXPECT_TRUE(expected_ok.ok()) << expected_ok.ToString(); \
  } while (false)

#define EXPECT_REFUSED(expression, kind, id)                                        \
  do {                                                                              \
    const ::sluice::Status& was_refused = (expression);                             \
    EXPECT_FALSE(was_refused.ok());                                                 \
    EXPECT_EQ(::sluice::IdOf(was_refused), id) << was_refused.ToString();           \
    EXPECT_TRUE(::sluice::KindOf(was_refused) == (kind)) << was_refused.ToString(); \
  } while (false)

namespace sluice {

Key IntKey(int64_t value);
/// Every type of key scalar, at its edges.
Key WeirdKey();
/// As it is when it opens.
LoadState NewLoad(const std::string& job, const std::string& load,
                  const std::string& stream);
/// (100 (ordinal - 1), 100 ordinal]; the first is open below.
Chunk ChunkAt(int64_t ordinal, bool last);
ChunkReceipt ReceiptOf(const std::string& load, int64_t ordinal,
                       const std::string& attempt);
/// With the objects that publishing added.
ChunkReceipt Published(ChunkReceipt receipt);

void ExpectSame(const ChunkReceipt& a, const ChunkReceipt& b);
/// All but when it was updated.
void ExpectSame(const LoadState& a, const LoadState& b);

}  // namespace sluice
