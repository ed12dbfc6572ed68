# Jobs against other people's real programs, label `peers`.  Apertium is tried
# where it is installed; the others are fetched over the network, so only when
# asked for: `cmake -D ASB_PEER_TESTS=ON`, then `ctest -L peers`.
option(ASB_PEER_TESTS "Test against aimock (npm) and LiteLLM (PyPI)" OFF)
find_program(APERTIUM_APY apertium-apy)
find_program(APERTIUM apertium)

function(asb_peer_test name)
    add_test(NAME peers.${name}
        COMMAND Python3::Interpreter -B -m unittest -v test_${name}
        WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/peers")
    set_tests_properties(peers.${name} PROPERTIES LABELS peers TIMEOUT 900
        ENVIRONMENT "ASYNCBATCH=$<TARGET_FILE:asb>;ASB_PEERS=${PROJECT_BINARY_DIR}/peers")
endfunction()

if(APERTIUM_APY AND APERTIUM AND EXISTS /usr/share/apertium/modes/eng-spa.mode)
    asb_peer_test(apertium)
endif()
if(ASB_PEER_TESTS)
    asb_peer_test(aimock)
    asb_peer_test(litellm)
    asb_peer_test(prices)
endif()
