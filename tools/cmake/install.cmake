# Library, header, command, CMake package and pkg-config file.
set(cmakedir "${CMAKE_INSTALL_LIBDIR}/cmake/asyncbatch")
install(TARGETS asyncbatch asb EXPORT asyncbatchTargets FILE_SET HEADERS)
