/* Stands in for Criterion in ThreadSanitizer builds: see tests/support/plain_test.h. */
#include "tests/support/plain_test.h"
