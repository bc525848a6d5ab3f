/* storage/index_key.c - entries of the index family. */
#include "storage/index_key.h"

bool kt_index_key_prefix(KtBuf *out, uint32_t index, KtValue value)
{
    size_t before = out->len;
    kt_buf_be32(out, index);
    if (kt_key_put_index(out, value))
        return true;
    out->len = before;
    return false;
}

bool kt_index_key(KtBuf *out, uint32_t index, KtValue value, KtNodeId node)
{
    if (!kt_index_key_prefix(out, index, value))
        return false;
    kt_buf_be64(out, node);
    return true;
}

bool kt_index_key_parse(KtSpan key, uint32_t *index, KtNodeId *node)
{
    if (key.len < 4 + 1 + 8)
        return false;
    *index = kt_load_be32(key.at);
    *node = kt_load_be64(key.at + key.len - 8);
    return true;
}
