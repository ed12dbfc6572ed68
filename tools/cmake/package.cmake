# `cpack -G DEB` in the build folder makes a Debian package: command, library,
# header, manual and completions.
set(CPACK_PACKAGE_NAME asyncbatch)
set(CPACK_PACKAGE_VENDOR "asyncbatch")
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(ASB_MAINTAINER "asyncbatch authors <asyncbatch@packages.invalid>"
    CACHE STRING "Who answers for the package: NAME <MAIL>")
set(CPACK_PACKAGE_CONTACT "${ASB_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY
    "batches many small requests through a paid API")
set(CPACK_PACKAGE_DESCRIPTION
    "Groups many small requests (texts to translate or classify, prompts, chat
requests) into as few paid API calls as is safe, keeps as many calls in flight
as the provider allows, and gives every answer back exactly once, in order.
.
A command, and a C library with one header on libevent and libcurl.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
file(WRITE "${configured}/triggers" "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${configured}/triggers")

# What a program that links the archive needs.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libevent-dev, libcurl4-openssl-dev, \
libssl-dev, zlib1g-dev, libyaml-dev, libmsgpack-dev, libsimdjson-dev, \
libsqlite3-dev, libhiredis-dev, libcsv-dev, libpcre2-dev")

set(doc "${CMAKE_INSTALL_DATADIR}/doc/asyncbatch")
file(READ LICENSE license)
string(REGEX REPLACE "\n\n" "\n.\n" license "${license}")
string(REGEX REPLACE "\n([^\n])" "\n \\1" license " ${license}")
file(CONFIGURE OUTPUT "${configured}/copyright" CONTENT
"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: asyncbatch

Files: *
Copyright: the authors of asyncbatch
License: Expat
${license}" @ONLY)
file(CONFIGURE OUTPUT "${configured}/changelog" CONTENT
"asyncbatch (${PROJECT_VERSION}) unstable; urgency=medium

  * See CHANGES.md.

 -- ${CPACK_PACKAGE_CONTACT}  Sun, 01 Nov 2026 00:00:00 +0000
" @ONLY)
add_custom_command(OUTPUT "${configured}/changelog.gz"
    COMMAND gzip -9nkf "${configured}/changelog"
    DEPENDS "${configured}/changelog" VERBATIM)
add_custom_target(asb_changelog ALL DEPENDS "${configured}/changelog.gz")
install(FILES "${configured}/copyright" "${configured}/changelog.gz"
    CHANGES.md README.md DESTINATION "${doc}")
install(DIRECTORY tools/examples DESTINATION "${doc}")

include(CPack)
