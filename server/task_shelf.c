/* server/task_shelf.c - making tasks, and keeping a few of those that are over for the next requests.
 *
 * What must hold: a task from the shelf is as a new one, but for memory that it still has. Clearing an arena is cheaper
 * than opening one, which a small request would feel. */
#include "server/task_internal.h"

#include "base/clock.h"
#include "server/server.h"

#include <stdlib.h>

enum {
    SHELF_MOST = 32,      /* tasks kept by each loop */
    SHELF_OUT = 64 * 1024 /* whose buffer has not grown beyond this */
};

static KtStatus open_memory(KtTask *task, KtServer *server)
{
    kt_budget_init(&task->budget, &server->queries, server->memory.query);
    task->out.budget = &task->budget;
    return kt_arena_open(&task->budget, &task->arena);
}

static void close_memory(KtTask *task)
{
    kt_buf_close(&task->out);
    kt_arena_close(task->arena);
    free(task);
}

/* From the shelf, all zero but its memory; or new. */
static KtStatus take(KtTaskShelf *shelf, KtServer *server, KtTask **out)
{
    KtTask *task = shelf->first;
    if (task) {
        shelf->first = task->next;
        shelf->n--;
        KtArena *arena = task->arena;
        KtBuf buf = task->out;
        size_t used = atomic_load_explicit(&task->budget.used, memory_order_relaxed);
        memset(task, 0, sizeof *task);
        kt_budget_init(&task->budget, &server->queries, server->memory.query);
        atomic_store_explicit(&task->budget.used, used, memory_order_relaxed);
        atomic_store_explicit(&task->budget.peak, used, memory_order_relaxed);
        task->arena = arena;
        task->out = buf;
        *out = task;
        return KT_OK;
    }
    task = calloc(1, sizeof *task);
    if (!task)
        return KT_ERR_MEMORY;
    KtStatus status = open_memory(task, server);
    if (status != KT_OK) {
        free(task);
        return status;
    }
    *out = task;
    return KT_OK;
}

KtStatus kt_task_new(KtServer *server, KtTaskShelf *shelf, KtSession *session, KtTaskKind kind,
                     const KmpMessage *message, const KmpWire *wire, KtTask **out)
{
    KtTask *task;
    KT_TRY(take(shelf, server, &task));
    task->server = server;
    task->session = session;
    task->kind = kind;
    task->message = *message;
    task->wire = *wire;
    task->arrived_ns = kt_clock_ns();
    task->limit_ns = server->config.query_ms * 1000000;
    task->fresh = true;
    task->carry.budget = task->held.budget = &task->budget;
    task->sink.row = kt_task_sink_row;
    if (message->header.length) {
        uint8_t *copy = kt_arena_alloc(task->arena, message->header.length);
        if (!copy) {
            close_memory(task);
            return KT_ERR_MEMORY;
        }
        memcpy(copy, message->payload, message->header.length);
        task->message.payload = copy;
    }
    *out = task;
    return KT_OK;
}

void kt_task_free(KtTaskShelf *shelf, KtTask *task)
{
    if (!task)
        return;
    KT_CHECK(!task->query && !task->own.view && !task->own.holds_turn);
    kt_buf_close(&task->carry);
    kt_buf_close(&task->held);
    if (shelf->n >= SHELF_MOST || !task->arena || task->message.header.length > KT_SHELF_MESSAGE ||
        task->out.cap > SHELF_OUT) {
        close_memory(task);
        return;
    }
    kt_arena_reset(task->arena);
    kt_buf_clear(&task->out);
    task->next = shelf->first;
    shelf->first = task;
    shelf->n++;
}

void kt_task_shelf_clear(KtTaskShelf *shelf)
{
    while (shelf->first) {
        KtTask *task = shelf->first;
        shelf->first = task->next;
        close_memory(task);
    }
    shelf->n = 0;
}
