# SPDX-License-Identifier: BSD-2-Clause-Patent
# What `cmake --install` puts where: the C library with its headers, for pkg-config (espalier) and CMake
# (find_package(espalier), target espalier::espalier), and the command.  C++ is embedded by source
# (docs/api.md): its interface is not kept binary-compatible.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
if(NOT TARGET espalier_c)
  return()
endif()

install(TARGETS espalier_c EXPORT espalier COMPONENT library
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library NAMELINK_COMPONENT library
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set_target_properties(espalier_c PROPERTIES EXPORT_NAME espalier)
install(FILES host/include/espalier/espalier.h host/include/espalier/espalier_policy.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/espalier COMPONENT library)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT library)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/espalier)
install(EXPORT espalier FILE espalier-targets.cmake NAMESPACE espalier:: DESTINATION ${package} COMPONENT library)
configure_package_config_file(cmake/package/espalier-config.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/espalier-config.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/espalier-config-version.cmake
  COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/espalier-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/espalier-config-version.cmake DESTINATION ${package} COMPONENT library)

file(RELATIVE_PATH ESPALIER_PC_UP  # the file finds its own prefix, wherever it is moved to
  ${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" ESPALIER_PC_UP ${ESPALIER_PC_UP})
configure_file(cmake/package/espalier.pc.in espalier.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/espalier.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT library)

if(TARGET espalier)
  install(TARGETS espalier RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT command)
endif()
