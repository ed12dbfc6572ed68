# The command as its users see it, the installed package, and the rules that no
# compiler checks.

asb_test(cli cli/test_progress_text.c)
target_sources(test_progress_text PRIVATE
    "${PROJECT_SOURCE_DIR}/tools/asyncbatch/progress_text.c")

# One CTest entry per case: a line `def test_...` in cli/test_*.py.
find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
file(GLOB files CONFIGURE_DEPENDS cli/test_*.py)
foreach(file IN LISTS files)
    cmake_path(GET file STEM stem)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(STRINGS ${file} lines REGEX "^(class|    def test_)")
    foreach(line IN LISTS lines)
        if(line MATCHES "^class ([A-Za-z0-9_]+)")
            set(class ${CMAKE_MATCH_1})
        elseif(line MATCHES "def (test_[a-z0-9_]+)")
            set(case ${CMAKE_MATCH_1})
            string(REGEX REPLACE "^test_" "" short ${case})
            add_test(NAME cli.${stem}.${short}
                COMMAND Python3::Interpreter -B -m unittest -q
                    ${stem}.${class}.${case}
                WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/cli")
            set_tests_properties(cli.${stem}.${short} PROPERTIES
                LABELS cli TIMEOUT 60
                SKIP_REGULAR_EXPRESSION "\\(skipped="
                ENVIRONMENT "ASYNCBATCH=$<TARGET_FILE:asb>")
        endif()
    endforeach()
endforeach()

# Rules of the tree; `tools/lint.sh --list` names them.
foreach(rule IN ITEMS layers doors pure quiet banned length space format)
    add_test(NAME lint.${rule} COMMAND "${PROJECT_SOURCE_DIR}/tools/lint.sh" ${rule}
        WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set_tests_properties(lint.${rule} PROPERTIES LABELS lint TIMEOUT 60)
endforeach()
add_test(NAME lint.symbols
    COMMAND "${PROJECT_SOURCE_DIR}/tools/symbols.sh" $<TARGET_FILE:asyncbatch>
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
set_tests_properties(lint.symbols PROPERTIES LABELS lint TIMEOUT 60)

# Other people's projects against an installed tree.
set(sanitize "")
if(ASB_SANITIZE)
    set(sanitize "-fsanitize=${ASB_SANITIZE}")
endif()
foreach(case IN ITEMS header cmake pkgconfig hosts moved)
    add_test(NAME embed.${case}
        COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/embed/run.sh" "${PROJECT_BINARY_DIR}" ${case}
        WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    set_tests_properties(embed.${case} PROPERTIES LABELS embed TIMEOUT 120
        RESOURCE_LOCK install
        ENVIRONMENT "CC=${CMAKE_C_COMPILER};CXX=${CMAKE_CXX_COMPILER};CFLAGS=${sanitize};CXXFLAGS=${sanitize};LDFLAGS=${sanitize}")
endforeach()

# What is installed beside it.  A package is made of what is to be shipped only.
set(cases manual completions)
if(NOT ASB_SANITIZE AND BUILD_SHARED_LIBS)
    list(APPEND cases deb static)
endif()
foreach(case IN LISTS cases)
    add_test(NAME embed.package_${case}
        COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/embed/package.sh" "${PROJECT_BINARY_DIR}" ${case}
        WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    set_tests_properties(embed.package_${case} PROPERTIES LABELS embed
        TIMEOUT 300 RESOURCE_LOCK install SKIP_RETURN_CODE 77)
endforeach()
