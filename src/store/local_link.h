/// \file
/// Giving a file a name that nobody else has: the one atomic step the local store rests
/// on.
#pragma once

#include <string>

#include "sluice/store.h"
#include "store/local_tree.h"

namespace sluice {

/// A name in a folder that is open.
struct NameAt {
  int folder = -1;
  const std::string& name;
};

/// How the filesystem creates a name only where there is none.
enum class LinkMeans { kLink, kRename };

/// Gives `from` the name `to` unless that exists: by link, where the filesystem has
/// links, else by renameat2(RENAME_NOREPLACE). 0, or errno (EEXIST). `used` says which it
/// was; after kLink `from` is still there.
int LinkNew(const NameAt& from, const NameAt& to, LinkMeans* used = nullptr);

/// Creates, creates again and expects refusal; then twenty rounds of four creators at
/// once, one winner each. Works below _sluice/staging, out of every lister's sight, and
/// removes what it made.
Result<ProbeVerdict> ProbeLocalTree(const LocalTree& tree);

}  // namespace sluice
