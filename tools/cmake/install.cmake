# Library, header, command, CMake package and pkg-config file.
#
# A shared library keeps its dependencies to itself.  An archive cannot: whoever
# links it finds them again, through the package config or the .pc file.
set(cmakedir "${CMAKE_INSTALL_LIBDIR}/cmake/asyncbatch")
set(configured "${CMAKE_CURRENT_BINARY_DIR}/install")

# The command finds its library wherever the tree is put; in /usr the system
# does, and packages want no path of their own.
file(RELATIVE_PATH to_library "/${CMAKE_INSTALL_BINDIR}"
    "/${CMAKE_INSTALL_LIBDIR}")
set_target_properties(asb PROPERTIES INSTALL_RPATH "$ORIGIN/${to_library}")
install(TARGETS asyncbatch asb EXPORT asyncbatchTargets FILE_SET HEADERS)
install(CODE "
    if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
        file(RPATH_REMOVE FILE
            \"\$ENV{DESTDIR}/usr/${CMAKE_INSTALL_BINDIR}/asyncbatch\")
    endif()")
install(EXPORT asyncbatchTargets NAMESPACE asyncbatch::
    DESTINATION "${cmakedir}")

get_target_property(library_type asyncbatch TYPE)
if(library_type STREQUAL "STATIC_LIBRARY")
    set(ASB_IS_STATIC ON)
    set(pc_cflags " -DASB_STATIC")
    set(pc_libs " -lcsv -lstdc++ -lm")
    string(JOIN " " pc_requires libcurl openssl libevent_core libevent_extra
        yaml-0.1 simdjson sqlite3 hiredis ${MSGPACK_MODULE_NAME})
else()
    set(ASB_IS_STATIC OFF)
    set(pc_cflags "")
    set(pc_libs "")
    set(pc_requires "")
endif()

configure_package_config_file(tools/cmake/asyncbatchConfig.cmake.in
    "${configured}/asyncbatchConfig.cmake" INSTALL_DESTINATION "${cmakedir}"
    NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${configured}/asyncbatchConfigVersion.cmake"
    COMPATIBILITY SameMajorVersion)
install(FILES "${configured}/asyncbatchConfig.cmake"
    "${configured}/asyncbatchConfigVersion.cmake"
    DESTINATION "${cmakedir}")

# The way from the .pc file to the prefix, so that the tree can be moved.
file(RELATIVE_PATH pc_up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" pc_up "${pc_up}")
configure_file(tools/cmake/asyncbatch.pc.in "${configured}/asyncbatch.pc" @ONLY)
install(FILES "${configured}/asyncbatch.pc"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
