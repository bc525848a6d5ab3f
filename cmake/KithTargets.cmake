# kt_library(NAME SOURCES ... LIBS ...): a static library of one folder.
# kt_program(NAME SOURCES ... LIBS ...): a program in build/<preset>/bin.
# kt_unit_test(PATH [NO_TSAN] LIBS ...): tests/unit/PATH.c as one Criterion program and one ctest of label `unit`;
#   PATH is like base/test_key. NO_TSAN: not built under ThreadSanitizer (a test of what an uninstrumented
#   library does with threads).
# kt_fuzz(NAME SOURCES ... LIBS ...): a libFuzzer program build/fuzz/bin/fuzz_NAME, built by the preset fuzz only.
function(kt_library name)
    cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
    add_library(${name} STATIC ${A_SOURCES})
    target_link_libraries(${name} PUBLIC kith_flags ${A_LIBS})
endfunction()

function(kt_program name)
    cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
    add_executable(${name} ${A_SOURCES})
    target_link_libraries(${name} PRIVATE kith_flags ${A_LIBS})
endfunction()

function(kt_unit_test path)
    cmake_parse_arguments(A "NO_TSAN" "" "LIBS;SOURCES" ${ARGN})
    if(A_NO_TSAN AND KITH_SANITIZE STREQUAL "thread")
        return()
    endif()
    string(REPLACE "/" "_" name ${path})
    add_executable(unit_${name} ${CMAKE_SOURCE_DIR}/tests/unit/${path}.c ${A_SOURCES})
    target_link_libraries(unit_${name} PRIVATE kith_flags ${A_LIBS})
    if(KITH_SANITIZE STREQUAL "thread")
        # Criterion aborts under TSan: there <criterion/criterion.h> is tests/support/plain_test.h.
        target_include_directories(unit_${name} BEFORE PRIVATE ${CMAKE_SOURCE_DIR}/tests/support/plain)
        target_link_libraries(unit_${name} PRIVATE m)
    else()
        target_link_libraries(unit_${name} PRIVATE criterion)
    endif()
    # Criterion's macros are not clean under our warnings.
    target_compile_options(unit_${name} PRIVATE -Wno-missing-prototypes -Wno-pedantic -Wno-conversion -Wno-sign-conversion -Wno-cast-qual -Wno-write-strings)
    add_test(NAME unit/${path}
        COMMAND ${CMAKE_SOURCE_DIR}/tests/support/run_unit.sh $<TARGET_FILE:unit_${name}> ${CMAKE_SOURCE_DIR}/tests/unit/${path}.c)
    set_tests_properties(unit/${path} PROPERTIES LABELS unit TIMEOUT 300
        ENVIRONMENT "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/support/tsan.supp:die_after_fork=0")
endfunction()

function(kt_fuzz name)
    cmake_parse_arguments(A "" "" "SOURCES;LIBS" ${ARGN})
    if(NOT KITH_FUZZ)
        return()
    endif()
    add_executable(fuzz_${name} ${A_SOURCES})
    target_link_libraries(fuzz_${name} PRIVATE kith_flags ${A_LIBS})
    target_compile_options(fuzz_${name} PRIVATE -Wno-missing-prototypes)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endfunction()
