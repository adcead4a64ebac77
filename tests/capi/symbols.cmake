# SPDX-License-Identifier: BSD-2-Clause-Patent
# What libespalier exports is what symbols.txt lists: a call may be added, none may go within a major
# version.
execute_process(COMMAND ${NM} -D --defined-only ${LIBRARY} OUTPUT_VARIABLE lines COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" lines "${lines}")
foreach(line ${lines})
  if(line MATCHES " T (espalier_[a-z0-9_]+)@@ESPALIER_0$")
    list(APPEND exported ${CMAKE_MATCH_1})
  elseif(NOT line MATCHES " A ESPALIER_0")
    message(FATAL_ERROR "libespalier exports what is no part of the C API: ${line}")
  endif()
endforeach()
file(STRINGS ${EXPECTED} expected)
list(SORT exported)
list(SORT expected)
if(NOT exported STREQUAL expected)
  message(FATAL_ERROR "libespalier exports\n${exported}\nbut symbols.txt says\n${expected}")
endif()
