# The manual and the shell completions, made from the option table, the commands
# and the public header.  Without Python there are none.
find_package(Python3 3.9 COMPONENTS Interpreter)
if(NOT Python3_FOUND)
    message(STATUS "No Python: no manual and no shell completions")
    return()
endif()

list(FILTER command_sources EXCLUDE REGEX "/main\\.c$")
add_executable(asb_tables tools/docs/tables.c ${command_sources})
target_include_directories(asb_tables PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
target_link_libraries(asb_tables PRIVATE asyncbatch asb_flags PkgConfig::EVENT)

string(TIMESTAMP today "%Y-%m-%d" UTC) # of SOURCE_DATE_EPOCH, where given
set(docs "${CMAKE_CURRENT_BINARY_DIR}/docs")
set(generators tools/docs/generate.py tools/docs/manual.py
    tools/docs/completions.py tools/docs/options.py)
set(headers
    "${CMAKE_CURRENT_SOURCE_DIR}/engine/include/asyncbatch/asyncbatch.h"
    "${CMAKE_CURRENT_SOURCE_DIR}/engine/include/asyncbatch/cache.h")
set(pages "${docs}/asyncbatch.1" "${docs}/asyncbatch.yaml.5"
    "${docs}/libasyncbatch.3")
set(completions "${docs}/asyncbatch.bash" "${docs}/_asyncbatch"
    "${docs}/asyncbatch.fish")
add_custom_command(OUTPUT ${pages} ${completions}
    COMMAND ${CMAKE_COMMAND} -E make_directory "${docs}"
    COMMAND asb_tables > "${docs}/tables.json"
    COMMAND Python3::Interpreter -B
        "${CMAKE_CURRENT_SOURCE_DIR}/tools/docs/generate.py"
        "${docs}/tables.json" "${docs}" "${today}" ${headers}
    DEPENDS asb_tables ${generators} ${headers} VERBATIM)
set(packed "")
foreach(page IN LISTS pages)
    add_custom_command(OUTPUT "${page}.gz" COMMAND gzip -9nkf "${page}"
        DEPENDS "${page}" VERBATIM)
    list(APPEND packed "${page}.gz")
    string(REGEX MATCH "[0-9]$" section "${page}")
    install(FILES "${page}.gz"
        DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}")
endforeach()
add_custom_target(asb_docs ALL DEPENDS ${packed} ${completions})
install(FILES "${docs}/asyncbatch.bash" RENAME asyncbatch
    DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
install(FILES "${docs}/_asyncbatch"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions")
install(FILES "${docs}/asyncbatch.fish"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
