/* storage/txn/view.c - opening, limiting, committing and closing a view. */
#include "storage/graph_internal.h"

#include "base/clock.h"

#include <stdlib.h>

#define MOST_AGE_NS ((int64_t)3600 * 1000 * 1000 * 1000) /* a snapshot holds back compaction */
#define MOST_PARKED_NS ((int64_t)60 * 1000 * 1000 * 1000)

static KtStatus check_bookmark(KtDatabase *db, const KtViewSpec *spec, KtDiag *diag)
{
    KtCommit published = kt_database_published(db);
    if (spec->at_least <= published)
        return KT_OK;
    return kt_diag_set(diag, KT_ERR_DURABILITY_GAP, NULL,
                       "The bookmark names commit %llu; this database is at commit %llu.",
                       (unsigned long long)spec->at_least, (unsigned long long)published);
}

static KtStatus open_parts(KtView *view)
{
    KT_TRY(kt_arena_open(view->budget, &view->scratch));
    if (view->write)
        KT_TRY(kt_arena_open(view->budget, &view->arena));
    kt_overlay_init(&view->overlay, view->arena, view->budget);
    return kt_fetch_open(view->db->store->kv, view->at->snapshot, view->db->cache, view->at->number,
                         view->budget, &view->diag, &view->fetch);
}

KtStatus kt_view_open(KtDatabase *db, const KtViewSpec *spec, KtDiag *diag, KtView **out)
{
    KT_TRY(check_bookmark(db, spec, diag));
    if (spec->write && kt_database_latched(db))
        return kt_diag_set(diag, KT_ERR_READ_ONLY_LATCHED, NULL,
                           "The database is closed for writing since a write to its disk failed.");
    KtView *view = calloc(1, sizeof *view);
    if (!view)
        return KT_ERR_MEMORY;
    view->db = db;
    view->write = spec->write;
    view->see = KT_SEE_ALL;
    view->deadline_ns = spec->deadline_ns;
    view->cancel = spec->cancel;
    view->budget = spec->budget;
    view->diag = diag;
    view->opened_ns = kt_clock_ns();
    view->at = kt_published_hold(db);
    atomic_fetch_add_explicit(&db->views, 1, memory_order_relaxed);
    KtStatus status = open_parts(view);
    if (status != KT_OK) {
        kt_view_close(view);
        return status;
    }
    *out = view;
    return KT_OK;
}

KtDatabase *kt_view_database(const KtView *view) { return view->db; }
KtCommit kt_view_number(const KtView *view) { return view->at->number; }
bool kt_view_writes(const KtView *view) { return view->write; }
const KtSchema *kt_view_schema(const KtView *view) { return &view->at->schema->schema; }

void kt_view_set_limits(KtView *view, int64_t deadline_ns, const atomic_bool *cancel)
{
    view->deadline_ns = deadline_ns;
    view->cancel = cancel;
}

void kt_view_park(KtView *view)
{
    kt_fetch_park(view->fetch);
    kt_arena_reset(view->scratch);
    view->parked_ns = kt_clock_ns();
}

void kt_view_close(KtView *view)
{
    if (!view)
        return;
    kt_fetch_close(view->fetch);
    kt_overlay_close(&view->overlay);
    kt_arena_close(view->arena);
    kt_arena_close(view->scratch);
    kt_published_drop(view->db, view->at);
    atomic_fetch_sub_explicit(&view->db->views, 1, memory_order_release);
    free(view);
}

KtStatus kt_view_enter(KtView *view, bool write)
{
    if (view->cancel && atomic_load_explicit(view->cancel, memory_order_relaxed))
        return kt_diag_set(view->diag, KT_ERR_CANCELLED, NULL, "The statement was cancelled.");
    int64_t now =
        kt_clock_coarse_ns(); /* every call comes here: the exact time only where it decides */
    if (view->deadline_ns != 0 && now + KT_CLOCK_TICK_NS >= view->deadline_ns)
        now = kt_clock_ns();
    if (view->deadline_ns != 0 && now >= view->deadline_ns)
        return kt_diag_set(view->diag, KT_ERR_DEADLINE, NULL, "The statement ran out of time.");
    if (now - view->opened_ns > MOST_AGE_NS ||
        (view->parked_ns != 0 && now - view->parked_ns > MOST_PARKED_NS))
        return kt_diag_set(
            view->diag, KT_ERR_SNAPSHOT_TOO_OLD, NULL,
            "The snapshot that the query reads is too old: it is kept 1 hour, and 60 s without being read.");
    view->parked_ns = 0;
    if (!write)
        return KT_OK;
    if (!view->write)
        return kt_diag_set(view->diag, KT_ERR_WRITE_IN_READ_ONLY, NULL,
                           "The transaction may only read.");
    if (view->done)
        return kt_diag_set(view->diag, KT_ERR_TRANSACTION_STATE, NULL,
                           "The transaction has ended.");
    return KT_OK;
}

KtMark kt_mark(const KtView *view) { return view->overlay.n; }
void kt_see(KtView *view, KtMark mark) { view->see = mark; }

void kt_undo(KtView *view, KtMark mark)
{
    kt_overlay_undo(&view->overlay, mark);
    if (view->judged > mark)
        view->judged = mark;
}

KtWriteCounts kt_view_counts(const KtView *view, KtMark since)
{
    return kt_overlay_counts(&view->overlay, since);
}

static KtStatus commit(KtView *view, KtDiag *diag, KtCommit *out)
{
    if (view->overlay.n == 0) {
        *out = view->at->number;
        return KT_OK;
    }
    view->see = KT_SEE_ALL;
    KT_TRY(kt_statement_end_at(view, diag));
    KT_TRY(kt_unique_check_all(view, diag));
    return kt_sequence(view->db, view->overlay.change, view->overlay.n, diag, out);
}

KtStatus kt_view_commit(KtView *view, KtDiag *diag, KtCommit *out)
{
    view->diag = diag;
    KT_TRY(kt_view_enter(view, view->write));
    KtStatus status = commit(view, diag, out);
    view->done = true;
    return status == KT_OK
               ? KT_OK
               : kt_diag_set(diag, status, NULL, "The transaction could not be committed.");
}
