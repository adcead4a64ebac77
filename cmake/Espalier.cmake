# SPDX-License-Identifier: BSD-2-Clause-Patent
# Shared CMake helpers: warnings, sanitizers, optional parts, tests.

# Warnings and sanitizers for our own host code.  Generated code (Verilated models) does not get them.
add_library(espalier_options INTERFACE)
target_compile_options(espalier_options INTERFACE -Wall -Wextra -Wshadow -Wno-unknown-pragmas)
if(ESPALIER_SANITIZE)
  target_compile_options(espalier_options INTERFACE -fsanitize=${ESPALIER_SANITIZE} -fno-omit-frame-pointer -g)
  target_link_options(espalier_options INTERFACE -fsanitize=${ESPALIER_SANITIZE})
endif()
if(ESPALIER_FUZZ)  # coverage for libFuzzer
  target_compile_options(espalier_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(espalier_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# espalier_switch_off(OPTION REASON): turns an optional part off with one clear line.
macro(espalier_switch_off option reason)
  message(STATUS "${option} off: ${reason}")
  set(${option} OFF)
endmacro()

# _BitInt wider than 128 bits, which the ap_int shim is made of, is a clang feature; g++ builds csim
# only against the vendor's ap_int.h (ESPALIER_AP_INT_DIR).
if(ESPALIER_CSIM AND NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND NOT ESPALIER_AP_INT_DIR)
  espalier_switch_off(ESPALIER_CSIM "${CMAKE_CXX_COMPILER_ID} has no _BitInt; use clang++-19, or set ESPALIER_AP_INT_DIR")
endif()

if(ESPALIER_TRANSLATOR)
  find_package(LLVM CONFIG QUIET HINTS /usr/lib/llvm-19/cmake /usr/lib/llvm-19/lib/cmake/llvm)
  find_program(ESPALIER_CLANG NAMES clang++-19)
  if(NOT LLVM_FOUND OR NOT LLVM_VERSION_MAJOR EQUAL 19 OR NOT ESPALIER_CLANG)
    espalier_switch_off(ESPALIER_TRANSLATOR "LLVM 19 not found; install clang-19 llvm-19-dev")
  endif()
endif()

if(ESPALIER_SIM)
  find_package(verilator QUIET HINTS $ENV{VERILATOR_ROOT} /usr/share/verilator)
  if(NOT verilator_FOUND)
    espalier_switch_off(ESPALIER_SIM "Verilator not found; install verilator")
  elseif(NOT ESPALIER_TRANSLATOR)
    espalier_switch_off(ESPALIER_SIM "the RTL is made by tools/hls2rtl, which is off")
  endif()
endif()

if(ESPALIER_TESTS)
  find_package(GTest QUIET)
  if(NOT GTest_FOUND)
    espalier_switch_off(ESPALIER_TESTS "GoogleTest not found; install libgtest-dev libgmock-dev")
  endif()
endif()

if(ESPALIER_BENCH)
  find_package(benchmark QUIET)
  if(NOT benchmark_FOUND)
    espalier_switch_off(ESPALIER_BENCH "Google Benchmark not found; install libbenchmark-dev")
  endif()
endif()

# espalier_test(NAME sources... LIBS targets... LABELS labels...): one GoogleTest program, registered with ctest as one
# test; target tests_LABEL builds all programs with that label.  `threads`: those that ThreadSanitizer is to see too.
function(espalier_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "LIBS;LABELS" ${ARGN})
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} espalier_options GTest::gmock GTest::gtest GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
  foreach(label ${arg_LABELS})
    if(NOT TARGET tests_${label})
      add_custom_target(tests_${label})
    endif()
    add_dependencies(tests_${label} ${name})
  endforeach()
endfunction()
