/* storage/key.c - taking keys apart. Bytes that are no key of the family answer false. */
#include "storage/key.h"

bool kt_key_parse_u64(KtSpan key, uint64_t *out)
{
    if (key.len != 8)
        return false;
    *out = kt_load_be64(key.at);
    return true;
}

bool kt_key_parse_entity(KtSpan key, uint64_t *id, bool *out_of_line, KtToken *prop)
{
    if (key.len != 8 && key.len != 12)
        return false;
    *id = kt_load_be64(key.at);
    *out_of_line = key.len == 12;
    *prop = *out_of_line ? kt_load_be32(key.at + 8) : 0;
    return true;
}

bool kt_key_parse_adj(KtSpan key, KtAdjKey *out)
{
    if (key.len != KT_ADJ_LIST && key.len != KT_ADJ_SEGMENT_KEY)
        return false;
    *out = (KtAdjKey){
        .node = kt_load_be64(key.at),
        .dir = key.at[8],
        .type = kt_load_be32(key.at + 9),
        .segment = key.len == KT_ADJ_SEGMENT_KEY,
    };
    if (out->segment) {
        out->nbr = kt_load_be64(key.at + 13);
        out->rel = kt_load_be64(key.at + 21);
    }
    return out->dir == 1 || out->dir == 2;
}

bool kt_key_parse_label(KtSpan key, KtToken *label, KtNodeId *first)
{
    if (key.len != 12)
        return false;
    *label = kt_load_be32(key.at);
    uint64_t chunk = kt_load_be64(key.at + 4);
    if (chunk >> (64 - KT_LABEL_BITS))
        return false;
    *first = chunk << KT_LABEL_BITS;
    return true;
}
