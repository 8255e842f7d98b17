/// \file
/// The one place that names concrete sources, stores and states: a table from a URI's
/// scheme to what opens it. To add a connector, add a line to a table in connectors.cc.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/uri.h"
#include "sluice/destination.h"
#include "sluice/source.h"
#include "sluice/state_store.h"

namespace sluice {

/// A source or a destination, found to be one but not opened.
struct Endpoint {
  std::string scheme;
  /// On this machine: absolute, symbolic links followed as far as it exists. "" elsewhere.
  std::string path;
  /// Canonical: the same place has the same text. Without secrets, and without options that do not say
  /// where ("s3://bucket/prefix?endpoint=…" keeps that one).
  std::string uri;
  bool only_looks = false;  ///< to be opened for looking: waits for nobody long
  Uri given;  ///< as it was written, secrets and options included: to open it, never to show it
};

/// kUsage: an unknown scheme (names the nearest), one that is not in this version, an
/// option or a host where the scheme has none. A bare path is a SQLite file as source, a
/// folder as destination.
Result<Endpoint> ResolveSource(std::string_view uri);
Result<Endpoint> ResolveDestination(std::string_view uri);

struct ConnectorOption {
  std::string_view name, values, meaning;
};
/// What a scheme can be used for, and the options its URI takes.
struct ConnectorInfo {
  std::string_view scheme;
  std::string_view form;   ///< "sqlite:///absolute.db, sqlite:relative.db or a path"
  bool is_source = false;  ///< else a destination
  std::span<const ConnectorOption> options;
};
std::vector<ConnectorInfo> Connectors();

/// The same place, opened to look: whoever asks waits in front of a terminal. A lock is waited for a
/// few seconds, a store that does not answer half a minute.
Endpoint ToLookAt(Endpoint endpoint);

Result<std::unique_ptr<Source>> OpenSource(const Endpoint& endpoint);
Result<std::unique_ptr<Store>> OpenStore(const Endpoint& endpoint);
Result<std::unique_ptr<Destination>> OpenDestination(const Endpoint& endpoint);

/// Whether there is anything to look into: false for a folder that is absent. A place elsewhere
/// says so itself when it is asked.
bool MayExist(const Endpoint& destination);

/// The destination a manifest's address lies in: `root` is the address cut before the table's
/// folder, with the scheme; `address` the whole, whose options count.
Result<Endpoint> ResolveRoot(std::string_view root, std::string_view address);

/// The URI of an object or folder below a destination, of its path there.
std::string UriBelow(const Endpoint& destination, std::string_view path);

/// kUsage where a run would write into its own source: the destination is the database's
/// file or lies below it, or the state is the database or lies where the destination's
/// files go.
Status CheckApart(const Endpoint& source, const Endpoint& destination,
                  const std::string& state);

enum class StateAccess {
  kReadWrite,  ///< made where there is none
  kReadOnly,   ///< never made, never written
};
/// `state` is what StatePath gave: a file's path, or the URI of a server's schema.
Result<std::unique_ptr<StateStore>> OpenState(const std::string& state,
                                              StateAccess access);
/// Null where there is none: none is made.
Result<std::unique_ptr<StateStore>> OpenStateIfThere(const std::string& state,
                                                     StateAccess access);
/// What --state says, else SLUICE_STATE, else $XDG_STATE_HOME/sluice/state.db, else
/// $HOME/.local/state/sluice/state.db; kUsage "state.no-home" where nothing does. References in a URI are
/// replaced: it is never to be shown.
Result<std::string> StatePath(const std::string& flag);
/// As it may be shown: the path, or the URI without user, password and options.
std::string ShownState(const std::string& state);
/// A file of this machine, not a schema of a server.
bool IsStateFile(const std::string& state);

/// The schema a query's rows are in: SQLite's "main", a server's database.
std::string SchemaOf(const Endpoint& source);

/// What a command prints; run without a shell, within a minute. kUsage "secret.command".
Result<std::string> OutputOfCommand(const std::string& command);

struct LibraryVersion {
  std::string name, version;
};
/// Of what the program stands on, as linked.
std::vector<LibraryVersion> LibraryVersions();

}  // namespace sluice
