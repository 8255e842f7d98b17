/// \file
/// Where a load's objects lie below the destination's root:
///   {schema}/{table}/{load}/part-{chunk:06}-{n:03}.parquet   what readers see; the folder may be
///                                                            deeper (base/path_template.h)
///   {schema}/{table}/_sluice/{load}.json                     the slot, or manifest
///   {schema}/{table}/_sluice/{load}.dropped.json             its objects are gone
///   {schema}/{table}/_sluice/staging/{load}/{chunk:06}-{n:03}.{attempt}.tmp
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/error.h"
#include "sluice/receipt.h"
#include "sluice/table.h"

namespace sluice {

/// Where a part says in its own metadata which folder below the root it was made for: what a path
/// alone cannot say, where one root lies within another.
inline constexpr char kFolderEntry[] = "sluice.folder";

class LoadLayout {
 public:
  /// Of the default folder.
  LoadLayout(const TableName& table, std::string_view load);
  /// Of the folder that the load's template asks for; kUsage "path.template".
  static Result<LoadLayout> Of(const LoadSpec& spec);

  const std::string& folder() const { return folder_; }  ///< of the objects
  const std::string& staging() const { return staging_; }
  std::string slot() const { return control_ + ".json"; }
  std::string dropped() const { return control_ + ".dropped.json"; }
  /// `attempt` is "" where the store enforces create-only: then the name is the same for
  /// every attempt.
  std::string Part(int64_t ordinal, int64_t n, std::string_view attempt) const;
  std::string StagingPart(int64_t ordinal, int64_t n, std::string_view attempt) const;
  /// Whether `path` is a part of this load, of any attempt.
  bool IsPart(std::string_view path) const;

 private:
  std::string folder_, staging_, control_;
};

/// "{schema}/{table}/_sluice/staging", and what belongs to no load in it.
std::string StagingFolder(const TableName& table);

/// What a path below the root says it is.
struct PathMeaning {
  enum class Kind { kOther, kPart, kSlot, kDropped, kStaged };
  Kind kind = Kind::kOther;
  std::string table_folder;  ///< "{schema}/{table}"
  std::string load;          ///< of a part: as its folder says, at any depth
  bool deep =
      false;  ///< of a part: not in the default folder, so that another root's part
              ///< may look like it
};
PathMeaning MeaningOf(std::string_view path);

/// The table of a "{schema}/{table}" folder; nothing where a name was cut to fit.
std::optional<TableName> TableOfFolder(std::string_view folder);

/// A slot's path or URI taken apart: "file:///lake/main/orders/_sluice/0190….json".
struct SlotAddress {
  std::string root;  ///< "file:///lake"
  std::string table_folder, load;
};
/// kUsage "manifest.address".
Result<SlotAddress> ParseSlotAddress(std::string_view address);

}  // namespace sluice
