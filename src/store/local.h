/// \file
/// The local filesystem as a Store.
///
/// Staged: a whole, synced file below some `…/_sluice/staging/`. Published: a second,
/// hard-linked name (renamed where the filesystem has no links); the staging name stays
/// until Abort removes it.
/// - List never enters `_sluice/staging`; ListStaged shows nothing else: every file
///   there, also the name left by a publish, and `put-{nonce}.tmp` of a Put that was
///   killed. `path` of an entry is its staging path, `attempt` what its name says
///   (`….{attempt}.tmp`). For a folder `x/y` what is below `x/_sluice/staging/y` belongs
///   to it too: the leftovers of load `y`.
/// - Put writes `put-{nonce}.tmp` in the folder's `_sluice/staging/STEM` (of
///   `x/_sluice/STEM.json` in `x/_sluice/staging/STEM`), and links or renames it to its
///   name.
/// - A version is the inode's number. Where that means nothing any more (the tree was
///   copied, or its filesystem invents numbers at every mount) the bytes decide; Read
///   with version "" compares sizes only.
#pragma once

#include <memory>
#include <string>

#include "sluice/store.h"

namespace sluice {

/// `root_dir` is created if absent. Symbolic links below it are not followed.
Result<std::unique_ptr<Store>> OpenLocalStore(const std::string& root_dir);

}  // namespace sluice
