/* tests/fuzz/fuzz_target.h - the entry point that libFuzzer and replay_main.c call. */
#ifndef KT_TESTS_FUZZ_FUZZ_TARGET_H
#define KT_TESTS_FUZZ_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* Runs the target on `size` bytes that may be anything. Always 0: a wrong result stops the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
