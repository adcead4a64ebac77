# SPDX-License-Identifier: BSD-2-Clause-Patent
execute_process(COMMAND ${NM} -D --defined-only ${LIBRARY} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE "\n$" "" symbols "${symbols}")
string(REPLACE "\n" ";" symbols "${symbols}")
foreach(symbol ${symbols})
  if(NOT symbol MATCHES " espalier_[a-z_]+(@@ESPALIER_0)?$" AND NOT symbol MATCHES " A ESPALIER_0")
    message(FATAL_ERROR "libespalier exports what is no part of the C API: ${symbol}")
  endif()
endforeach()
