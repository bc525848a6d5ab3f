# What every target of ours is compiled with. KITH_SANITIZE: "", address or thread.
# KITH_FUZZ: libFuzzer's instrumentation everywhere and the targets of kt_fuzz (clang only).
set(KITH_SANITIZE "" CACHE STRING "address (with undefined) or thread")
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_C_VISIBILITY_PRESET hidden)

add_library(kith_flags INTERFACE)
target_include_directories(kith_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(kith_flags INTERFACE _GNU_SOURCE)
target_compile_options(kith_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes
    -Wmissing-prototypes -Wformat=2 -Wundef -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla
    -fstack-protector-strong -fno-common)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    target_compile_options(kith_flags INTERFACE -Werror -Wlogical-op -Wduplicated-cond -Wno-switch-default)
else() # clang only fuzzes and checks style: its own opinions are no errors
    target_compile_options(kith_flags INTERFACE -Wno-string-conversion -Wno-format-nonliteral)
endif()
if(KITH_SANITIZE STREQUAL "address")
    target_compile_options(kith_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(kith_flags INTERFACE -fsanitize=address,undefined)
elseif(KITH_SANITIZE STREQUAL "thread")
    target_compile_options(kith_flags INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
    target_link_options(kith_flags INTERFACE -fsanitize=thread)
elseif(NOT KITH_SANITIZE STREQUAL "")
    message(FATAL_ERROR "KITH_SANITIZE is \"\", address or thread")
endif()
option(KITH_FUZZ "build for libFuzzer (clang)" OFF)
if(KITH_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "KITH_FUZZ needs clang: cmake --preset fuzz")
    endif()
    target_compile_options(kith_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
# When it optimises (and under TSan) gcc follows KT_TRY into functions that it inlines in part, and cannot know that
# KT_OK means that the out parameter is set. The presets dev and asan keep the warning.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND (CMAKE_BUILD_TYPE STREQUAL "Release" OR KITH_SANITIZE STREQUAL "thread"))
    target_compile_options(kith_flags INTERFACE -Wno-maybe-uninitialized)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(kith_flags INTERFACE -O3 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-clash-protection)
    target_link_options(kith_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
