/// \file
/// One load on a store of objects.
#pragma once

#include <memory>

#include "sluice/destination.h"

namespace sluice {

/// `store` outlives the load. kUsage for a compression or a name that cannot be written.
Result<std::unique_ptr<Load>> OpenObjectLoad(Store& store, const LoadSpec& spec);

/// The decision about a load, read from its slot; kUndecided without one. `location` is the default
/// folder.
Result<Slot> FindLoadSlot(Store& store, const TableName& table, const std::string& load);
/// Takes the slot as discarded unless it is taken; returns what it says then.
Result<Slot> TakeSlotAsDiscarded(Store& store, const TableName& table,
                                 const std::string& load);

}  // namespace sluice
