# sluice_folder(NAME [THREADED] [LINK targets…] [PRIVATE targets…] [TEST_LINK targets…])
# One static library sluice_NAME of the *.cc beside the call, and one test program NAME_test of the
# *_test.cc. LINK: folders of lower layers, public. PRIVATE: client libraries nobody else sees.
# TEST_LINK: for the tests alone. THREADED: the tests run under the thread sanitizer too.
function(sluice_folder NAME)
  cmake_parse_arguments(ARG "THREADED" "" "LINK;PRIVATE;TEST_LINK" ${ARGN})
  file(GLOB _sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${NAME}/*.cc)
  set(_tests ${_sources})
  list(FILTER _sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER _tests INCLUDE REGEX "_test\\.cc$")
  if(_sources)
    add_library(sluice_${NAME} STATIC ${_sources})
    set(_scope PUBLIC)
    target_link_libraries(sluice_${NAME} PRIVATE sluice_flags ${ARG_PRIVATE})
  else()
    add_library(sluice_${NAME} INTERFACE)
    set(_scope INTERFACE)
  endif()
  target_include_directories(sluice_${NAME} ${_scope}
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src>)
  target_link_libraries(sluice_${NAME} ${_scope} Arrow::arrow_shared ${ARG_LINK})
  if(SLUICE_TESTS AND _tests)
    set(_threaded "")
    if(ARG_THREADED)
      set(_threaded THREADED)
    endif()
    sluice_test(${NAME}_test ${_threaded} SOURCES ${_tests}
      LINK sluice_${NAME} sluice_testing ${ARG_TEST_LINK})
  endif()
endfunction()

# sluice_test(NAME [THREADED] SOURCES files… LINK targets…)
# A GoogleTest program with the label unit (and threaded); built by the target unit_tests (and
# threaded_tests), so that a sanitized build makes no more than its tests need.
function(sluice_test NAME)
  cmake_parse_arguments(ARG "THREADED" "" "SOURCES;LINK" ${ARGN})
  add_executable(${NAME} ${ARG_SOURCES})
  target_link_libraries(${NAME} PRIVATE sluice_flags ${ARG_LINK} GTest::gmock_main)
  if(SLUICE_SANITIZE)
    # Compiled once and run once: a third less of that time. What is tested keeps its optimisation and
    # its lines; a test's own are in what it says.
    target_compile_options(${NAME} PRIVATE -O0 -g0)
  endif()
  add_test(NAME ${NAME} COMMAND ${NAME})
  set(_labels unit)
  add_dependencies(unit_tests ${NAME})
  if(ARG_THREADED)
    list(APPEND _labels threaded)
    add_dependencies(threaded_tests ${NAME})
  endif()
  set_tests_properties(${NAME} PROPERTIES LABELS "${_labels}" TIMEOUT 1200
    ENVIRONMENT "${SLUICE_SANITIZE_ENVIRONMENT}")
endfunction()
