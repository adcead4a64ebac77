# SPDX-License-Identifier: BSD-2-Clause-Patent
# Fails if the committed package or page differs from what specgen writes.
execute_process(COMMAND ${SPECGEN} ${WORK}/package.sv ${WORK}/page.md COMMAND_ERROR_IS_FATAL ANY)
foreach(pair "${WORK}/package.sv|${PACKAGE}" "${WORK}/page.md|${PAGE}")
  string(REPLACE "|" ";" pair "${pair}")
  list(GET pair 0 fresh)
  list(GET pair 1 kept)
  execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${fresh} ${kept} RESULT_VARIABLE differs)
  if(differs)
    message(FATAL_ERROR "${kept} is not what spec/ says; run: cmake --build build --target spec")
  endif()
endforeach()
