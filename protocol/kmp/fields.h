/* protocol/kmp/fields.h - message bodies: one map with small numbers as keys, read and written by the table
 * in messages.def. Internal to protocol/kmp and to the writer of the vectors. */
#ifndef KT_PROTOCOL_KMP_FIELDS_H
#define KT_PROTOCOL_KMP_FIELDS_H

#include "protocol/kmp/frame.h"
#include "protocol/kmp/pack.h"

typedef enum KmpKey {
#define KMP_KEY(name, number, text) KMP_KEY_##name = (number),
#include "protocol/kmp/messages.def"
    KMP_KEY_COUNT = 128
} KmpKey;

typedef enum KmpForm {
    KMP_UINT,
    KMP_BOOL,
    KMP_TEXT_,
    KMP_BIN,
    KMP_TEXTS,
    KMP_UINTS,
    KMP_MAP,
    KMP_RAW
} KmpForm;

typedef struct KmpField {
    uint8_t message, key;
    KmpForm form;
    bool must;
} KmpField;

/* The row of (message, key), or NULL. */
const KmpField *kt_kmp_field(KmpType message, uint64_t key);
const char *kt_kmp_key_name(KmpKey key);

/* What was read under one key; `seen` false: absent, and the rest is 0. */
typedef struct KmpSlot {
    bool seen;
    uint64_t number; /* UINT, BOOL */
    KtText text;     /* TEXT, BIN; RAW: the bytes of the value */
    uint32_t n;      /* TEXTS, UINTS */
    const KtText *texts;
    const uint64_t *numbers;
    KtValue map;
} KmpSlot;

/* Only the slots of the message's own fields are filled in. */
typedef struct KmpBody {
    KmpSlot slot[KMP_KEY_COUNT];
} KmpBody;

/* Reads one body from `in`. Unknown keys are skipped. Lifetime: the bytes of `in` and `arena`.
 * Errors: PROTOCOL for broken msgpack, a wrong form, a key twice, a missing key; those of the value codec. */
KtStatus kt_kmp_body_decode(KmpType message, KtReader *in, KtArena *arena, KtDiag *diag,
                            KmpBody *out) KT_MUST_CHECK;
/* The same for a whole payload: nothing may be left over. */
KtStatus kt_kmp_payload_decode(KmpType message, const uint8_t *payload, size_t len, KtArena *arena,
                               KtDiag *diag, KmpBody *out) KT_MUST_CHECK;

/* ---- writing: open, keys in ascending order, close. At most 15 keys. ---- */

typedef struct KmpMap {
    KtBuf *out;
    size_t at; /* of the map's first byte */
    uint8_t n;
} KmpMap;

KmpMap kt_kmp_map_open(KtBuf *out);
void kt_kmp_map_key(KmpMap *map, KmpKey key); /* the caller writes the value */
void kt_kmp_map_uint(KmpMap *map, KmpKey key, uint64_t number);
void kt_kmp_map_bool(KmpMap *map, KmpKey key, bool b);
void kt_kmp_map_text(KmpMap *map, KmpKey key, KtText text);
void kt_kmp_map_bin(KmpMap *map, KmpKey key, const void *bytes, uint32_t len);
/* The same, left out when 0 or empty. */
void kt_kmp_map_uint_if(KmpMap *map, KmpKey key, uint64_t number);
void kt_kmp_map_text_if(KmpMap *map, KmpKey key, KtText text);
void kt_kmp_map_texts(KmpMap *map, KmpKey key, const KtText *text, uint32_t n);
void kt_kmp_map_position_if(KmpMap *map, const KtPos *at); /* left out when line is 0 */
void kt_kmp_map_close(KmpMap *map);

/* Reads what kt_kmp_map_position_if wrote; {0} for an absent slot. */
KtStatus kt_kmp_position(const KmpSlot *slot, KtDiag *diag, KtPos *out) KT_MUST_CHECK;

#endif
