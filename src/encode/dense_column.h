/// \file
/// The chunks of one column brought into a form that is written without surprises.
#pragma once

#include <memory>

#include "arrow/type_fwd.h"
#include "sluice/error.h"

namespace sluice {

/// `chunks` as one dictionary shared by all, where every chunk is one and its values are
/// strings or bytes; else as plain values of `type`. Either way cut into pieces of about
/// a page, so that giant values do not pile up in the encoder.
Result<arrow::ArrayVector> UniformColumn(const arrow::DataType& type,
                                         const arrow::ArrayVector& chunks,
                                         bool dictionary_wanted, arrow::MemoryPool* pool);

}  // namespace sluice
