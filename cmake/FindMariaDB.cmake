# MariaDB Connector/C (Debian: libmariadb-dev): the target MariaDB::client.
find_path(MARIADB_INCLUDE_DIR mysql.h PATH_SUFFIXES mariadb)
find_library(MARIADB_LIBRARY mariadb)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(MariaDB REQUIRED_VARS MARIADB_LIBRARY MARIADB_INCLUDE_DIR)
mark_as_advanced(MARIADB_INCLUDE_DIR MARIADB_LIBRARY)
if(MariaDB_FOUND AND NOT TARGET MariaDB::client)
  add_library(MariaDB::client UNKNOWN IMPORTED)
  set_target_properties(MariaDB::client PROPERTIES
    IMPORTED_LOCATION ${MARIADB_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${MARIADB_INCLUDE_DIR})
endif()
