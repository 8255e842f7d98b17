/// \file
/// The version of the program and of the contracts it writes into manifests.
#pragma once

namespace sluice {

inline constexpr char kVersion[] = "0.1.0";
/// `types` in a manifest: how source types arrive as Arrow types (docs/types.md).
inline constexpr int kTypesVersion = 1;
/// `sluice_manifest` in a slot: the shape of the slot's JSON.
inline constexpr int kManifestVersion = 1;
/// Version of the row digest's canonical forms (docs/digest.md).
inline constexpr int kDigestVersion = 1;

}  // namespace sluice
