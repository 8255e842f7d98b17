/// \file
/// MySQL and MariaDB servers as sources.
#pragma once

#include <memory>
#include <string>

#include "base/uri.h"
#include "driver/mysql.h"
#include "sluice/error.h"
#include "sluice/source.h"

namespace sluice {

/// mysql://user:password@host:port/database?option=value. Options: tls (disabled, preferred,
/// required, verify-ca, verify-identity), tls_ca, connect_timeout, read_timeout (seconds). Without tls:
/// verify-identity off loopback or with a tls_ca, else preferred. kUsage "uri.…".
Result<mysql::ConnectOptions> MysqlOptionsFrom(const Uri& uri);

/// Connects once, so that what is no such server, user or database fails at once (driver/mysql.h).
Result<std::unique_ptr<Source>> OpenMysqlSource(const mysql::ConnectOptions& options);

}  // namespace sluice
