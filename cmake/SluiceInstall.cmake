# bin/sluice with the Arrow it was built against beside it; for programs the library of all layers and the
# public headers; for connector authors the fakes and conformance suites; and a CMake package for both.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS sluice RUNTIME DESTINATION bin COMPONENT program)
# Manual pages and completion scripts, written by the program itself.
install(CODE "set(SLUICE $<TARGET_FILE:sluice>)" COMPONENT program)
install(SCRIPT cmake/InstallPages.cmake COMPONENT program)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION share/doc/sluice COMPONENT program)

if(ArrowWheel_FOUND)
  # The wheel is no package of the system: what the program links comes along.
  foreach(_library arrow arrow_compute parquet)
    install(FILES ${ArrowWheel_${_library}_LIBRARY} DESTINATION lib/sluice COMPONENT program)
  endforeach()
  file(GLOB _notices ${ARROW_WHEEL_DIR}/../pyarrow-*.dist-info/licenses/*.txt)
  install(FILES ${_notices} DESTINATION share/doc/sluice/arrow COMPONENT program)
  set_target_properties(sluice PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/sluice")
endif()

# The library, and what it asks of whoever links it.
install(DIRECTORY include/sluice DESTINATION include COMPONENT library FILES_MATCHING PATTERN "*.h")
install(DIRECTORY examples DESTINATION share/doc/sluice COMPONENT library)
set(SLUICE_LAYERS base driver sql source plan encode store state destination verify transfer app)
list(TRANSFORM SLUICE_LAYERS PREPEND sluice_ OUTPUT_VARIABLE _layers)
install(TARGETS sluice_library ${_layers} sluice_flags EXPORT sluiceTargets
  ARCHIVE DESTINATION lib/sluice COMPONENT library INCLUDES DESTINATION include)
if(SLUICE_TESTS)
  install(DIRECTORY testing DESTINATION include COMPONENT library FILES_MATCHING PATTERN "*.h")
  install(TARGETS sluice_testing EXPORT sluiceTargets
    ARCHIVE DESTINATION lib/sluice COMPONENT library INCLUDES DESTINATION include)
endif()
install(EXPORT sluiceTargets NAMESPACE sluice:: DESTINATION lib/cmake/sluice COMPONENT library)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/sluiceConfig.cmake @ONLY CONTENT [[
# Targets sluice::sluice, and for authors of connectors sluice::sluice_testing. Arrow: the system's, or the
# pyarrow wheel of ARROW_WHEEL_PYTHON (a python that has pyarrow @ArrowWheel_VERSION@).
include(CMakeFindDependencyMacro)
list(APPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})
find_package(Arrow 25 QUIET CONFIG)
if(Arrow_FOUND)
  find_dependency(Parquet CONFIG)
  find_package(ArrowCompute QUIET CONFIG)
  if(NOT TARGET Arrow::arrow_compute_shared AND TARGET ArrowCompute::arrow_compute_shared)
    add_library(Arrow::arrow_compute_shared ALIAS ArrowCompute::arrow_compute_shared)
  endif()
else()
  find_dependency(ArrowWheel)
endif()
find_dependency(OpenSSL COMPONENTS Crypto)
foreach(_package SQLite3 MariaDB CURL pugixml Threads yaml-cpp nlohmann_json fmt spdlog)
  find_dependency(${_package})
endforeach()
find_package(GTest QUIET)  # sluice_testing alone needs it
include(${CMAKE_CURRENT_LIST_DIR}/sluiceTargets.cmake)
]])
write_basic_package_version_file(${CMAKE_BINARY_DIR}/sluiceConfigVersion.cmake COMPATIBILITY ExactVersion)
install(FILES ${CMAKE_BINARY_DIR}/sluiceConfig.cmake ${CMAKE_BINARY_DIR}/sluiceConfigVersion.cmake
  cmake/FindArrowWheel.cmake cmake/FindMariaDB.cmake DESTINATION lib/cmake/sluice COMPONENT library)
