#include "encode/dense_column.h"

#include <algorithm>

#include "arrow/array/array_binary.h"
#include "arrow/array/array_dict.h"
#include "arrow/array/concatenate.h"
#include "arrow/chunked_array.h"
#include "arrow/compute/cast.h"
#include "arrow/compute/exec.h"
#include "arrow/datum.h"
#include "arrow/type.h"
#include "arrow/type_traits.h"
#include "encode/size_bound.h"

namespace sluice {
namespace {

const arrow::Array& DictionaryOf(const arrow::Array& chunk) {
  return *static_cast<const arrow::DictionaryArray&>(chunk).dictionary();
}

bool IsPrefix(const arrow::Array& shorter, const arrow::Array& longer) {
  return &shorter == &longer || shorter.RangeEquals(longer, 0, shorter.length(), 0);
}

/// The dictionary that begins with every chunk's own, when there is one: a memo that only
/// grew.
std::shared_ptr<arrow::Array> GrownDictionary(const arrow::ArrayVector& chunks) {
  const auto* longest = &static_cast<const arrow::DictionaryArray&>(*chunks[0]);
  for (const auto& chunk : chunks) {
    const auto& one = static_cast<const arrow::DictionaryArray&>(*chunk);
    if (one.dictionary()->length() > longest->dictionary()->length()) longest = &one;
  }
  for (const auto& chunk : chunks) {
    if (!IsPrefix(DictionaryOf(*chunk), *longest->dictionary())) return nullptr;
  }
  return longest->dictionary();
}

bool MayShare(const arrow::DataType& type, const arrow::ArrayVector& chunks) {
  if (!arrow::is_binary_like(type.id())) return false;
  int64_t rows = 0;
  int64_t entries = 0;
  for (const auto& chunk : chunks) {
    if (chunk->type_id() != arrow::Type::DICTIONARY) return false;
    if (DictionaryOf(*chunk).null_count() > 0) return false;
    rows += chunk->length();
    entries = std::max(entries, DictionaryOf(*chunk).length());
  }
  // A dictionary page holds every entry, shown by a row or not.
  return entries <= rows;
}

Result<arrow::ArrayVector> Shared(const arrow::DataType& type,
                                  const arrow::ArrayVector& chunks) {
  auto dictionary = GrownDictionary(chunks);
  if (dictionary == nullptr) return arrow::ArrayVector{};
  auto dictionary_type = arrow::dictionary(arrow::int32(), dictionary->type());
  arrow::ArrayVector shared;
  for (const auto& chunk : chunks) {
    const auto& indices = static_cast<const arrow::DictionaryArray&>(*chunk).indices();
    if (indices->type_id() != arrow::Type::INT32 || !dictionary->type()->Equals(type))
      return arrow::ArrayVector{};
    shared.push_back(
        std::make_shared<arrow::DictionaryArray>(dictionary_type, indices, dictionary));
  }
  return shared;
}

Result<std::shared_ptr<arrow::Array>> Dense(const arrow::DataType& type,
                                            const std::shared_ptr<arrow::Array>& chunk,
                                            arrow::MemoryPool* pool) {
  if (chunk->type_id() != arrow::Type::DICTIONARY) return chunk;
  arrow::compute::ExecContext context(pool);
  context.set_use_threads(false);
  ARROW_ASSIGN_OR_RAISE(
      auto dense, arrow::compute::Cast(chunk, type.GetSharedPtr(),
                                       arrow::compute::CastOptions::Safe(), &context));
  return dense.make_array();
}

/// Appends `chunk` to `pieces` in slices of about a page of bytes.
void CutToPages(const std::shared_ptr<arrow::Array>& chunk, arrow::ArrayVector* pieces) {
  if (!arrow::is_binary_like(chunk->type_id())) {
    pieces->push_back(chunk);
    return;
  }
  const auto& values = static_cast<const arrow::BinaryArray&>(*chunk);
  int64_t begin = 0;
  for (int64_t i = 0; i < values.length(); ++i) {
    bool last = i + 1 == values.length();
    int64_t bytes = values.value_offset(i + 1) - values.value_offset(begin);
    if (!last && bytes < kDataPageSize) continue;
    pieces->push_back(chunk->Slice(begin, i + 1 - begin));
    begin = i + 1;
  }
}

}  // namespace

Result<arrow::ArrayVector> UniformColumn(const arrow::DataType& type,
                                         const arrow::ArrayVector& chunks,
                                         bool dictionary_wanted,
                                         arrow::MemoryPool* pool) {
  if (dictionary_wanted && MayShare(type, chunks)) {
    ARROW_ASSIGN_OR_RAISE(auto shared, Shared(type, chunks));
    if (!shared.empty()) return shared;
  }
  arrow::ArrayVector pieces;
  for (const auto& chunk : chunks) {
    ARROW_ASSIGN_OR_RAISE(auto dense, Dense(type, chunk, pool));
    CutToPages(dense, &pieces);
  }
  return pieces;
}

}  // namespace sluice
