/* tests/tck/feature.h - reads openCypher TCK feature files: Gherkin, as far as they use it.
 *
 * Outlines come out as one scenario for each row of their examples, `<name>` replaced textually in queries,
 * tables and step text. Everything lies in the arena. */
#ifndef KT_TESTS_TCK_FEATURE_H
#define KT_TESTS_TCK_FEATURE_H

#include "base/value.h"

typedef struct Table {
    uint32_t rows, cols; /* all rows have `cols` cells */
    const char **cell;   /* row by row, trimmed, as written */
} Table;

typedef struct Step {
    const char *text; /* without Given/When/Then/And */
    const char *doc;  /* text between """ lines, or NULL */
    Table table;
    uint32_t line;
} Step;

typedef struct Scenario {
    const char *file, *name; /* name: "[3] title", with " (example 2)" for an outline */
    uint32_t line;
    Step *step;
    uint32_t steps;
} Scenario;

typedef struct Scenarios {
    Scenario *at;
    uint32_t n, cap;
} Scenarios;

/* Appends the scenarios of one file. False: cannot be read or is not a feature file (said on stderr). */
bool feature_read(KtArena *arena, const char *path, Scenarios *out);

#endif
