# bin/sluice with the Arrow it was built against beside it; for connector authors the public headers, the
# fakes and conformance suites, the library they need, and a CMake package (find_package(sluice)).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS sluice RUNTIME DESTINATION bin)
# Manual pages and completion scripts, written by the program itself.
install(CODE "set(SLUICE $<TARGET_FILE:sluice>)")
install(SCRIPT cmake/InstallPages.cmake)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION share/doc/sluice)
install(DIRECTORY include/sluice DESTINATION include FILES_MATCHING PATTERN "*.h")

if(ArrowWheel_FOUND)
  # The wheel is no package of the system: what the program links comes along.
  foreach(_library arrow arrow_compute parquet)
    install(FILES ${ArrowWheel_${_library}_LIBRARY} DESTINATION lib/sluice)
  endforeach()
  file(GLOB _notices ${ARROW_WHEEL_DIR}/../pyarrow-*.dist-info/licenses/*.txt)
  install(FILES ${_notices} DESTINATION share/doc/sluice/arrow)
  set_target_properties(sluice PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/sluice")
endif()

if(SLUICE_TESTS)
  install(DIRECTORY testing DESTINATION include FILES_MATCHING PATTERN "*.h")
  install(TARGETS sluice_base sluice_testing sluice_flags EXPORT sluiceTargets
    ARCHIVE DESTINATION lib/sluice INCLUDES DESTINATION include)
  install(EXPORT sluiceTargets NAMESPACE sluice:: DESTINATION lib/cmake/sluice)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/sluiceConfig.cmake @ONLY CONTENT [[
# Targets sluice::sluice_base and sluice::sluice_testing. Arrow: the system's, or the pyarrow wheel of
# ARROW_WHEEL_PYTHON (a python that has pyarrow @ArrowWheel_VERSION@).
include(CMakeFindDependencyMacro)
find_package(Arrow 25 QUIET CONFIG)
if(NOT Arrow_FOUND)
  list(APPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})
  find_dependency(ArrowWheel)
endif()
find_dependency(OpenSSL COMPONENTS Crypto)
foreach(_package fmt spdlog nlohmann_json GTest)
  find_dependency(${_package})
endforeach()
include(${CMAKE_CURRENT_LIST_DIR}/sluiceTargets.cmake)
]])
  write_basic_package_version_file(${CMAKE_BINARY_DIR}/sluiceConfigVersion.cmake COMPATIBILITY ExactVersion)
  install(FILES ${CMAKE_BINARY_DIR}/sluiceConfig.cmake ${CMAKE_BINARY_DIR}/sluiceConfigVersion.cmake
    cmake/FindArrowWheel.cmake DESTINATION lib/cmake/sluice)
endif()
