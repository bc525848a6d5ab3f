/* server/task.c - the work of a request, in slices: decode, parse, wait for the turn, run, commit, stream.
 *
 * What must hold: rows of an auto-commit statement that writes leave only after its commit has returned; a cursor
 * never has more in ROWS than its credit; whoever ends, by whatever way, has closed query and view and handed the
 * turn on before the loop hears of it. */
#include "server/task_internal.h"

#include "base/clock.h"
#include "server/server.h"

/* ---- answers ---- */

static KtStatus respond(KtTask *task, KmpResponse *response)
{
    response->request = task->message.header.request;
    return kt_kmp_response_encode(&task->out, &task->wire, response, &task->diag);
}

static KtStatus send_head(KtTask *task)
{
    const KtStatementFacts *facts = kt_statement_facts(task->statement);
    task->columns = facts->columns;
    return respond(task, &(KmpResponse){.type = KMP_HEAD,
                                        .as.head = {.cursor = task->cursor,
                                                    .query = task->query_id,
                                                    .columns = facts->columns,
                                                    .column = facts->column}});
}

static KtStatus send_ok(KtTask *task)
{
    const KtWriteCounts *c = &task->summary.counts;
    const struct {
        KtText name;
        uint64_t n;
    } all[] = {
        {KT_TEXT_LITERAL("nodes_created"), c->nodes_created},
        {KT_TEXT_LITERAL("nodes_deleted"), c->nodes_deleted},
        {KT_TEXT_LITERAL("rels_created"), c->rels_created},
        {KT_TEXT_LITERAL("rels_deleted"), c->rels_deleted},
        {KT_TEXT_LITERAL("props_set"), c->props_set},
        {KT_TEXT_LITERAL("labels_added"), c->labels_added},
        {KT_TEXT_LITERAL("labels_removed"), c->labels_removed},
        {KT_TEXT_LITERAL("indexes_added"), c->indexes_added},
        {KT_TEXT_LITERAL("indexes_removed"), c->indexes_removed},
        {KT_TEXT_LITERAL("constraints_added"), c->constraints_added},
        {KT_TEXT_LITERAL("constraints_removed"), c->constraints_removed},
    };
    KtMapEntry entry[KT_COUNT(all)];
    uint32_t n = 0;
    for (size_t i = 0; i < KT_COUNT(all); i++)
        if (all[i].n)
            entry[n++] = (KtMapEntry){all[i].name, kt_int((int64_t)all[i].n)};
    bool open = task->kind == KT_TASK_BEGIN || (task->kind == KT_TASK_RUN && task->explicit_txn);
    KmpOk ok = {
        .rows = task->rows_out,
        .counters = kt_map(entry, n),
        .commit = task->commit,
        .plan_us = (uint64_t)(task->summary.plan_ns / 1000),
        .run_us = (uint64_t)(task->summary.run_ns / 1000),
        .peak_bytes = task->summary.peak_bytes,
        .plan = task->summary.plan,
        .tx_state = open ? KMP_TX_OPEN : KMP_TX_NONE,
    };
    return respond(task, &(KmpResponse){.type = KMP_OK, .as.ok = ok});
}

/* ---- ending ---- */

static void txn_close(KtServer *server, KtTxn *txn)
{
    kt_view_close(txn->view);
    txn->view = NULL;
    if (txn->holds_turn) {
        txn->holds_turn = false;
        kt_turn_release(server->db, &txn->turn);
    }
}

/* Gives up all that the task holds, but for frames that are made. */
static void let_go(KtTask *task)
{
    kt_query_close(task->query);
    task->query = NULL;
    if (task->statement)
        kt_statement_release(task->statement);
    task->statement = NULL;
    if (task->explicit_txn && task->kind == KT_TASK_RUN) {
        if (task->txn->view) {
            kt_view_set_limits(task->txn->view, task->txn->end_ns, NULL);
            kt_view_park(task->txn->view);
        }
    } else if (task->txn && (task->kind == KT_TASK_RUN || task->status != KT_OK)) {
        txn_close(task->server, task->txn);
    }
    kt_buf_close(&task->carry);
    kt_buf_close(&task->held);
    if (task->message.header.length > KT_SHELF_MESSAGE) { /* its first block is as large */
        kt_arena_close(task->arena);
        task->arena = NULL;
    } else {
        kt_arena_reset(task->arena);
    }
    task->phase = KT_PHASE_END;
}

void kt_task_name_memory_limit(KtTask *task)
{
    const KtBudget *refused = atomic_load_explicit(&task->budget.refused, memory_order_relaxed),
                   *all = &task->server->queries;
    bool of_txn = !refused && task->txn && task->txn != &task->own;
    if (of_txn)
        refused = atomic_load_explicit(&task->txn->budget.refused, memory_order_relaxed);
    if (!refused)
        return; /* the machine itself had none, or another part: its words stand */
    KtDiag *diag = &task->diag, was = *diag;
    const char *said = was.status == KT_ERR_MEMORY ? was.message : "memory ran out";
    kt_diag_clear(diag);
    if (refused == all) {
        kt_diag_set(
            diag, KT_ERR_MEMORY, was.at.line ? &was.at : NULL,
            "%s: all statements and open cursors together are at their limit of %zu bytes (setting memory queries)",
            said, all->limit);
        kt_diag_hint(
            diag, "%s",
            "Close open cursors, run it when fewer statements run, or raise memory queries.");
    } else {
        kt_diag_set(diag, KT_ERR_MEMORY, was.at.line ? &was.at : NULL,
                    "%s: the %s is at its limit of %zu bytes (setting memory query)", said,
                    of_txn ? "transaction" : "statement", refused->limit);
        kt_diag_hint(diag, "%s",
                     of_txn ? "Write in smaller transactions, or raise memory query."
                            : "Narrow the query, or raise memory query.");
    }
    diag->compile_time = was.compile_time;
}

static KtWork fail(KtTask *task, KtStatus status)
{
    if (task->batch.out) { /* rows before the error are right, and go out */
        KtDiag keep = task->diag;
        if (kt_task_batch_close(task, 0) != KT_OK)
            kt_buf_clear(&task->out);
        task->diag = keep;
    }
    if (task->explicit_txn && task->txn->diag.status == status && task->phase > KT_PHASE_PARSE) {
        task->diag =
            task->txn->diag; /* storage knows more than the query, which only repeats the kind */
    }
    if (status == KT_ERR_MEMORY)
        kt_task_name_memory_limit(task);
    task->status = status;
    task->reached = task->phase;
    let_go(task);
    return KT_WORK_FAILED;
}

static KtWork finish(KtTask *task)
{
    KtStatus status = kt_task_batch_close(task, 0);
    if (status == KT_OK && task->query) {
        kt_query_summary(task->query, &task->summary);
        if (task->summary.commit)
            task->commit = task->summary.commit; /* a schema statement commits by itself */
    }
    if (status == KT_OK && !task->silent)
        status = send_ok(task);
    if (status != KT_OK)
        return fail(task, status);
    let_go(task);
    return KT_WORK_DONE;
}

/* ---- RUN ---- */

static bool has_kind_not_served(KtValue value, unsigned depth, KtKind *out)
{
    switch ((KtKind)value.kind) {
    case KT_NULL:
    case KT_BOOL:
    case KT_INT:
    case KT_FLOAT:
    case KT_TEXT:
    case KT_BYTES: return false;
    case KT_LIST:
        for (uint32_t i = 0; i < value.len && depth < KMP_DEPTH_MOST; i++)
            if (has_kind_not_served(value.as.list[i], depth + 1, out))
                return true;
        return false;
    case KT_MAP:
        for (uint32_t i = 0; i < value.len && depth < KMP_DEPTH_MOST; i++)
            if (has_kind_not_served(value.as.map[i].value, depth + 1, out))
                return true;
        return false;
    case KT_NODE:
    case KT_REL:
    case KT_PATH:
    case KT_DATE:
    case KT_LOCAL_TIME:
    case KT_TIME:
    case KT_LOCAL_DATETIME:
    case KT_DATETIME:
    case KT_DURATION:
    case KT_POINT:
    case KT_VECTOR:
    case KT_UUID:
    case KT_KIND_COUNT: break;
    }
    *out = (KtKind)value.kind;
    return true;
}

static int64_t sooner(int64_t a, int64_t b) { return a == 0 ? b : b == 0 || a < b ? a : b; }

static int64_t after_ms(int64_t from_ns, uint64_t ms)
{
    return ms > (uint64_t)INT64_MAX / 4 / 1000000 ? 0 : from_ns + (int64_t)ms * 1000000;
}

static KtStatus decode(KtTask *task)
{
    KT_TRY(kt_kmp_request_decode(&task->message, task->arena, &task->diag, &task->request));
    if (task->kind == KT_TASK_REFUSED)
        return kt_diag_set(&task->diag, KT_ERR_PROTOCOL, NULL,
                           "a message of type %u is not a request", task->message.header.type);
    uint64_t deadline_ms = 0, min_commit = 0;
    if (task->kind == KT_TASK_RUN) {
        const KmpRun *run = &task->request.as.run;
        deadline_ms = run->deadline_ms;
        min_commit = run->min_commit;
        kt_task_grant(task, run->credit_rows, run->credit_bytes);
        KtKind kind;
        for (uint32_t i = 0; run->params.kind == KT_MAP && i < run->params.len; i++) {
            const KtMapEntry *entry = &run->params.as.map[i];
            if (has_kind_not_served(entry->value, 0, &kind))
                return kt_diag_set(
                    &task->diag, KT_ERR_NOT_SUPPORTED, NULL,
                    "parameter $%.*s: a value of type %s is not supported as a parameter",
                    (int)entry->key.len, entry->key.at, kt_kind_name(kind));
        }
    } else if (task->kind == KT_TASK_BEGIN) {
        deadline_ms = task->request.as.begin.deadline_ms;
        min_commit = task->request.as.begin.min_commit;
    }
    task->deadline_ns = task->arrived_ns + task->limit_ns;
    if (deadline_ms)
        task->deadline_ns = sooner(task->deadline_ns, after_ms(task->arrived_ns, deadline_ms));
    if (task->explicit_txn)
        task->deadline_ns = sooner(task->deadline_ns, task->txn->end_ns);
    KtCommit published = kt_database_published(task->server->db);
    if (min_commit > published)
        return kt_diag_set(&task->diag, KT_ERR_DURABILITY_GAP, NULL,
                           "commit %llu was asked for, and this database ends at commit %llu",
                           (unsigned long long)min_commit, (unsigned long long)published);
    if (task->kind == KT_TASK_RUN && task->explicit_txn &&
        min_commit > kt_view_number(task->txn->view))
        return kt_diag_set(
            &task->diag, KT_ERR_TRANSACTION_STATE, NULL,
            "commit %llu was asked for inside a transaction that reads commit %llu; ask for it at BEGIN",
            (unsigned long long)min_commit, (unsigned long long)kt_view_number(task->txn->view));
    return KT_OK;
}

static KtStatus parse(KtTask *task)
{
    const KmpRun *run = &task->request.as.run;
    KtValue params = run->params.kind == KT_MAP ? run->params : kt_map(NULL, 0);
    task->request.as.run.params = params;
    KT_TRY(kt_query_parse(task->server->engine, run->text, params, &task->diag, &task->statement));
    const KtStatementFacts *facts = kt_statement_facts(task->statement);
    task->statement_kind = facts->kind;
    bool writes = facts->kind != KT_STATEMENT_READ;
    if (task->explicit_txn && facts->kind == KT_STATEMENT_SCHEMA)
        return kt_diag_set(
            &task->diag, KT_ERR_TRANSACTION_STATE, NULL,
            "a schema statement is a commit of its own and cannot run inside a transaction");
    if (writes && (task->explicit_txn ? !task->txn->writing : run->read_only))
        return kt_diag_set(&task->diag, KT_ERR_WRITE_IN_READ_ONLY, NULL,
                           task->explicit_txn
                               ? "this statement writes, and its transaction was begun as read-only"
                               : "this statement writes, and the request says read-only");
    task->txn->writing =
        task->explicit_txn ? task->txn->writing : facts->kind == KT_STATEMENT_WRITE;
    return KT_OK;
}

static KtStatus view_open(KtTask *task, int64_t deadline_ns)
{
    uint64_t at_least = task->kind == KT_TASK_RUN ? task->request.as.run.min_commit
                                                  : task->request.as.begin.min_commit;
    bool begin = task->kind == KT_TASK_BEGIN;
    KtViewSpec spec = {.at_least = at_least,
                       .deadline_ns = deadline_ns,
                       .write = task->txn->writing,
                       .budget = begin ? &task->txn->budget : &task->budget,
                       .cancel = begin ? NULL : &task->cancel};
    /* The view keeps the place of its words: they must live as long as it does. */
    KtDiag *diag = begin ? &task->txn->diag : &task->diag;
    KtStatus status = kt_view_open(task->server->db, &spec, diag, &task->txn->view);
    if (status != KT_OK && begin)
        task->diag = *diag;
    return status;
}

static KtStatus open_query(KtTask *task)
{
    if (task->explicit_txn)
        kt_diag_clear(&task->txn->diag);
    else if (task->statement_kind != KT_STATEMENT_SCHEMA)
        KT_TRY(view_open(task, task->deadline_ns));
    KtQuerySpec spec = {.view = task->txn->view,
                        .params = task->request.as.run.params,
                        .sink = &task->sink,
                        .budget = &task->budget,
                        .deadline_ns = task->deadline_ns,
                        .cancel = &task->cancel};
    KT_TRY(kt_query_start(task->server->engine, task->statement, &spec, &task->diag, &task->query));
    return kt_task_holds_rows(task) ? KT_OK : send_head(task);
}

/* Out of credit: the client is told once, on the last ROWS or on an empty one. */
static KtWork hungry(KtTask *task)
{
    if (!task->said_parked) {
        if (!task->batch.out)
            kt_kmp_batch_open(&task->batch, &task->out);
        KtStatus status = kt_task_batch_close(task, KMP_PARKED);
        if (status != KT_OK)
            return fail(task, status);
        task->said_parked = true;
    }
    if (task->query)
        kt_query_park(task->query);
    return KT_WORK_CREDIT;
}

static KtWork pause_work(KtTask *task, KtWork why)
{
    /* In a transaction other statements may use the view before this one goes on. A long read that never waits would
     * stay inside its epoch for its whole life, and hold back all that the cache lets go meanwhile. */
    if (task->query &&
        (why == KT_WORK_ROOM || task->explicit_txn || kt_database_wants_parks(task->server->db)))
        kt_query_park(task->query);
    KtStatus status = kt_task_batch_close(task, 0);
    return status == KT_OK ? why : fail(task, status);
}

/* Rows that a commit has made true go out as credit allows. */
static KtWork stream_held(KtTask *task)
{
    bool full;
    task->said_parked = false;
    KtStatus status = kt_task_carry_out(task, &full);
    while (status == KT_OK && !full && task->held_at < task->held.len &&
           !atomic_load(&task->discard)) {
        if (task->out.len >= task->room)
            return pause_work(task, KT_WORK_ROOM);
        const uint8_t *at = task->held.data + task->held_at;
        uint32_t len =
            (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        task->held_at += 4 + (size_t)len;
        status = kt_task_row_bytes(task, at + 4, len, &full);
        if (!task->hungry)
            full = false;
    }
    if (status != KT_OK)
        return fail(task, status);
    return full && !atomic_load(&task->discard) ? hungry(task) : finish(task);
}

static KtWork commit_own(KtTask *task)
{
    KtCommit seen = kt_view_number(task->txn->view), commit = 0;
    KtStatus status = kt_view_commit(task->txn->view, &task->diag, &commit);
    if (status != KT_OK)
        return fail(task, status);
    task->commit = commit > seen ? commit : 0;
    kt_query_summary(task->query, &task->summary);
    KtText plan = task->summary.plan;
    if (plan.len) { /* lives as long as the query, which ends here */
        char *copy = kt_arena_text(task->arena, plan.at, plan.len);
        task->summary.plan = copy ? (KtText){copy, plan.len} : (KtText){0};
    }
    kt_query_close(task->query);
    task->query = NULL;
    txn_close(task->server, task->txn);
    task->phase = KT_PHASE_STREAM;
    status = send_head(task);
    return status == KT_OK ? stream_held(task) : fail(task, status);
}

static KtWork step(KtTask *task, int64_t quantum_ns)
{
    if (task->explicit_txn)
        kt_view_set_limits(task->txn->view, task->deadline_ns, &task->cancel);
    bool full;
    task->said_parked = false;
    KtStatus status = kt_task_carry_out(task, &full);
    if (status != KT_OK)
        return fail(task, status);
    if (full && !atomic_load(&task->discard))
        return hungry(task);
    kt_buf_clear(&task->carry);
    if (task->made)
        return finish(task);
    KtQueryStep answer;
    do {
        task->hungry = false;
        status = kt_query_step(task->query, quantum_ns, &answer);
        if (status != KT_OK)
            return fail(task, status);
        if (answer == KT_QUERY_BLOCKED && task->hungry && kt_task_may_send(task)) {
            status = kt_task_carry_out(task, &full); /* MORE came meanwhile */
            if (status != KT_OK)
                return fail(task, status);
        }
    } while (answer == KT_QUERY_BLOCKED && !task->hungry && task->out.len < task->room);
    switch (answer) {
    case KT_QUERY_AGAIN: return pause_work(task, KT_WORK_AGAIN);
    case KT_QUERY_BLOCKED: return task->hungry ? hungry(task) : pause_work(task, KT_WORK_ROOM);
    case KT_QUERY_DONE:
        task->made = true;
        if (task->carry.len && !atomic_load(&task->discard))
            return hungry(task);
        if (!kt_task_holds_rows(task))
            return finish(task);
        task->phase = KT_PHASE_COMMIT;
        return KT_WORK_AGAIN;
    }
    return fail(task, KT_ERR_INTERNAL);
}

static bool past(const KtTask *task)
{
    return task->deadline_ns && kt_clock_ns() >= task->deadline_ns;
}

/* The client closed the cursor: a statement that writes goes on without rows, any other ends here. */
static bool closed_read(const KtTask *task)
{
    return task->phase > KT_PHASE_PARSE && task->statement_kind == KT_STATEMENT_READ &&
           atomic_load(&task->discard);
}

static KtWork work_run(KtTask *task, KtPlace place, int64_t quantum_ns)
{
    KtStatus status = KT_OK;
    if (task->phase < KT_PHASE_COMMIT && (atomic_load(&task->cancel) || closed_read(task)))
        return fail(task, KT_ERR_CANCELLED);
    if (place != KT_ON_LOOP && task->phase < KT_PHASE_STEP && past(task)) /* it may have waited */
        return fail(task, kt_diag_set(&task->diag, KT_ERR_DEADLINE, NULL,
                                      "the deadline passed before the statement could run"));
    switch (task->phase) {
    case KT_PHASE_PARSE:
        status = decode(task);
        if (status == KT_OK)
            status = parse(task);
        if (status != KT_OK)
            return fail(task, status);
        task->phase = KT_PHASE_OPEN;
        if (kt_task_holds_rows(task))
            return KT_WORK_TURN;
        /* fall through */
    case KT_PHASE_OPEN:
        if (place != kt_task_place(task) && (place != KT_ON_LOOP || kt_task_holds_rows(task) ||
                                             task->statement_kind == KT_STATEMENT_SCHEMA))
            return KT_WORK_HANDOVER;
        if (place == KT_ON_LOOP && kt_statement_facts(task->statement)->loops)
            return KT_WORK_HANDOVER; /* the loop serves everybody: it starts nothing that it cannot leave */
        status = open_query(task);
        if (status != KT_OK)
            return fail(task, status);
        task->phase = KT_PHASE_STEP;
        /* fall through */
    case KT_PHASE_STEP: {
        KtWork work = step(task, quantum_ns);
        if (task->phase != KT_PHASE_COMMIT || place == KT_ON_LOOP)
            return work == KT_WORK_AGAIN && task->phase == KT_PHASE_COMMIT ? KT_WORK_HANDOVER
                                                                           : work;
        if (atomic_load(&task->cancel))
            return fail(task, KT_ERR_CANCELLED);
    }
        /* fall through */
    case KT_PHASE_COMMIT: return commit_own(task);
    case KT_PHASE_STREAM:
        if (atomic_load(&task->cancel))
            return fail(task, KT_ERR_CANCELLED);
        return stream_held(task);
    case KT_PHASE_END: break;
    }
    return fail(task, KT_ERR_INTERNAL);
}

/* ---- BEGIN, COMMIT, ROLLBACK ---- */

static KtWork work_begin(KtTask *task)
{
    if (atomic_load(&task->cancel))
        return fail(task, KT_ERR_CANCELLED);
    if (task->phase == KT_PHASE_PARSE) {
        KtStatus status = decode(task);
        if (status != KT_OK)
            return fail(task, status);
        task->txn->writing = !task->request.as.begin.read_only;
        task->phase = KT_PHASE_OPEN;
        if (task->txn->writing)
            return KT_WORK_TURN;
    }
    if (past(task))
        return fail(task, kt_diag_set(&task->diag, KT_ERR_DEADLINE, NULL,
                                      "the deadline passed before the transaction got its turn"));
    const KtConfig *config = &task->server->config;
    KtTxn *txn = task->txn;
    txn->begun_ns = kt_clock_ns();
    txn->end_ns =
        after_ms(txn->begun_ns, (uint64_t)(txn->writing ? config->write_ms : config->view_ms));
    if (task->request.as.begin.deadline_ms)
        txn->end_ns =
            sooner(txn->end_ns, after_ms(task->arrived_ns, task->request.as.begin.deadline_ms));
    KtStatus status = view_open(task, txn->end_ns);
    if (status != KT_OK)
        return fail(task, status);
    kt_view_park(txn->view);
    return finish(task);
}

static KtWork work_end(KtTask *task, KtPlace place)
{
    if (task->phase == KT_PHASE_PARSE) {
        KtStatus status = task->silent ? KT_OK : decode(task);
        if (status != KT_OK) { /* a broken COMMIT changes nothing */
            task->txn = NULL;
            return fail(task, status);
        }
        task->phase = KT_PHASE_COMMIT;
    }
    if (place == KT_ON_LOOP && task->txn->writing)
        return KT_WORK_HANDOVER;
    if (task->kind == KT_TASK_COMMIT && task->txn->writing) {
        KtCommit seen = kt_view_number(task->txn->view), commit = 0;
        kt_view_set_limits(task->txn->view, 0, NULL);
        KtStatus status = kt_view_commit(task->txn->view, &task->diag, &commit);
        if (status != KT_OK)
            return fail(task, status);
        task->commit = commit > seen ? commit : 0;
    }
    txn_close(task->server, task->txn);
    return finish(task);
}

/* ---- the door of this file ---- */

KtPlace kt_task_place(const KtTask *task)
{
    return task->kind == KT_TASK_RUN && task->phase > KT_PHASE_PARSE &&
                   task->statement_kind == KT_STATEMENT_SCHEMA
               ? KT_ON_SCHEMA
               : KT_ON_WORKER;
}

KtWork kt_task_work(KtTask *task, KtPlace place, int64_t quantum_ns)
{
    switch (task->kind) {
    case KT_TASK_RUN: return work_run(task, place, quantum_ns);
    case KT_TASK_BEGIN: return work_begin(task);
    case KT_TASK_COMMIT:
    case KT_TASK_ROLLBACK: return work_end(task, place);
    case KT_TASK_REFUSED: return fail(task, decode(task));
    }
    return fail(task, KT_ERR_INTERNAL);
}
