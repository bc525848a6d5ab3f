/* storage/catalog.c - statistics for the planner: from memory, newest published. */
#include "storage/database_internal.h"

KtStats kt_stats(KtDatabase *db)
{
    KtStore *store = db->store;
    (void)pthread_rwlock_rdlock(&store->lock);
    KtStats stats = {.nodes = store->state.nodes, .rels = store->state.rels};
    (void)pthread_rwlock_unlock(&store->lock);
    return stats;
}

uint64_t kt_stats_label(KtDatabase *db, KtToken label)
{
    return kt_store_count(db->store, KT_NAME_LABEL, label);
}
uint64_t kt_stats_type(KtDatabase *db, KtToken type)
{
    return kt_store_count(db->store, KT_NAME_TYPE, type);
}
