# Warnings and hardening, each probed: old compilers skip what they lack.
# Linked through $<BUILD_INTERFACE:> so that no consumer inherits them.
include(CheckCCompilerFlag)
include(CheckCXXCompilerFlag)
add_library(asb_flags INTERFACE)
target_compile_features(asb_flags INTERFACE c_std_11 cxx_std_17)
target_compile_definitions(asb_flags INTERFACE
    $<$<COMPILE_LANGUAGE:C>:_POSIX_C_SOURCE=200809L>
    $<$<COMPILE_LANGUAGE:C>:_DEFAULT_SOURCE>)

set(common -Wall -Wextra -Wpedantic -Wshadow -Wformat=2 -Wundef
    -Wimplicit-fallthrough)
set(c_only -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes
    -Werror=implicit -Werror=incompatible-pointer-types
    -Werror=int-conversion -Werror=format-security)
if(ASB_WERROR)
    list(APPEND common -Werror)
endif()

if(ASB_FUZZ)
    target_compile_options(asb_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
if(ASB_SANITIZE)
    target_compile_options(asb_flags INTERFACE -fsanitize=${ASB_SANITIZE}
        -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(asb_flags INTERFACE -fsanitize=${ASB_SANITIZE})
elseif(build_type MATCHES "REL")
    list(APPEND common -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
        -fstack-protector-strong -fstack-clash-protection
        -fcf-protection=full)
    list(APPEND c_only -fstrict-flex-arrays=3 -fzero-init-padding-bits=all)
    target_link_options(asb_flags INTERFACE
        LINKER:-z,relro,-z,now,-z,noexecstack LINKER:--as-needed)
endif()

foreach(flag IN LISTS common c_only)
    string(MAKE_C_IDENTIFIER "ASB_HAS${flag}" has)
    check_c_compiler_flag("${flag}" ${has})
    if(${has})
        if(flag IN_LIST common)
            target_compile_options(asb_flags INTERFACE "${flag}")
        else()
            target_compile_options(asb_flags INTERFACE
                "$<$<COMPILE_LANGUAGE:C>:${flag}>")
        endif()
    endif()
endforeach()
