/// \file
/// Files on an object store, or on disk: Parquet, one folder per load, decided by slots.
#pragma once

#include <memory>

#include "sluice/destination.h"

namespace sluice {

/// Every path lies below the store's root (destination/layout.h).
std::unique_ptr<Destination> MakeObjectStoreDestination(std::unique_ptr<Store> store);

}  // namespace sluice
