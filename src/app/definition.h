/// \file
/// What decides the bytes of a load, as canonical text: a run that finds an unfinished
/// load of another definition stops. Connections, memory and rate are no part of it.
#pragma once

#include <string>
#include <vector>

#include "sluice/transfer.h"

namespace sluice {

/// JSON with sorted members, of the stream's columns, where, sql, policies, mode, format,
/// compression, file size and path, and of the destination; the source's schema is added by its
/// fingerprint elsewhere.
std::string DefinitionOf(const StreamSpec& stream, const std::string& source_uri,
                         const std::string& destination_uri);
/// What differs between two such texts: "compression was … and is …"; none: they are the same.
std::vector<std::string> DifferencesOf(const std::string& before, const std::string& now);
/// The URI of the destination in such a text; "" in one of an unknown form.
std::string DestinationIn(const std::string& definition);

/// A job's name for a copy without a file: "copy-" and 12 hex digits of the two places.
std::string CopyJobName(const std::string& source_uri,
                        const std::string& destination_uri);

}  // namespace sluice
