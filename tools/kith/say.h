/* tools/kith/say.h - words for a terminal, in which nothing that came from elsewhere can steer it.
 *
 * Names, values and statements are other people's texts. Written as escapes: C0 and DEL (\n, \t, \r, \u001b), C1
 * (\u0080 to \u009f), the controls of direction (U+202A..U+202E, U+2066..U+2069), and bytes that are no UTF-8 (\x9b). */
#ifndef KT_TOOLS_KITH_SAY_H
#define KT_TOOLS_KITH_SAY_H

#include "base/buf.h"

#include <stdio.h>

/* Appends `text`, escaped. */
void kt_say_put(KtBuf *out, const char *text, size_t len);
/* As fprintf; all of it is escaped but a newline at its very end. One line a call, so that no text makes another. */
void kt_say(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
