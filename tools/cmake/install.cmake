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
    set(command
        \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/asyncbatch\")
    if(CMAKE_INSTALL_PREFIX MATCHES \"/usr$\")
        file(RPATH_REMOVE FILE \"\${command}\")
    endif()")
install(EXPORT asyncbatchTargets NAMESPACE asyncbatch::
    DESTINATION "${cmakedir}")

get_target_property(library_type asyncbatch TYPE)
set(below_libs "-lcsv -lstdc++ -lm")
string(JOIN " " below_requires libcurl openssl zlib libevent_core libevent_extra
    yaml-0.1 simdjson sqlite3 hiredis ${MSGPACK_MODULE_NAME})
if(PCRE2_FOUND)
    string(APPEND below_requires " libpcre2-8")
endif()
if(library_type STREQUAL "STATIC_LIBRARY")
    set(ASB_IS_STATIC ON)
    set(pc_cflags " -DASB_STATIC")
    set(pc_fields "Requires: ${below_requires}
Libs: -L\${libdir} -lasyncbatch ${below_libs}")
else()
    set(ASB_IS_STATIC OFF)
    set(pc_cflags "")
    set(pc_fields "Libs: -L\${libdir} -lasyncbatch")
    install(TARGETS asyncbatch_archive)
endif()

configure_package_config_file(tools/cmake/asyncbatchConfig.cmake.in
    "${configured}/asyncbatchConfig.cmake" INSTALL_DESTINATION "${cmakedir}"
    PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR
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
# The archive among shared libraries; `pkg-config --static` would have those
# linked in, too, and all that they need.
set(pc_cflags " -DASB_STATIC")
set(pc_fields "Requires: ${below_requires}
Libs: -L\${libdir} -l:libasyncbatch.a ${below_libs}")
configure_file(tools/cmake/asyncbatch.pc.in
    "${configured}/asyncbatch-static.pc" @ONLY)
install(FILES "${configured}/asyncbatch.pc" "${configured}/asyncbatch-static.pc"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
