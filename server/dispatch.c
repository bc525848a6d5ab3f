/* server/dispatch.c - hands tasks to whoever works, and takes them back. */
#include "server/dispatch.h"

#include "server/server.h"
#include "server/conn.h"

#define CONTAINER(pointer, type, field) ((type *)((char *)(pointer)-offsetof(type, field)))

static void put_job(KtTask *task)
{
    KtServer *server = task->server;
    kt_run_queue_put(kt_task_place(task) == KT_ON_SCHEMA ? &server->schema.queue
                                                         : &server->workers.queue,
                     &task->job);
}

static void job_run(KtJob *job)
{
    KtTask *task = CONTAINER(job, KtTask, job);
    KtPlace place = kt_task_place(task);
    KtWork work = kt_task_work(task, place, KT_WORKER_QUANTUM_NS);
    if (work == KT_WORK_HANDOVER || (work == KT_WORK_AGAIN && task->out.len == 0)) {
        put_job(task); /* behind the other sessions */
        return;
    }
    task->result = (int)work;
    kt_post_box_put(&task->session->conn->loop->box, &task->done);
}

static void done_arrived(KtPost *post)
{
    KtTask *task = CONTAINER(post, KtTask, done);
    KtSession *session = task->session;
    KT_CHECK(session->running == task);
    session->running = NULL;
    kt_session_worked(session, task, (KtWork)task->result);
}

void kt_dispatch(KtSession *session)
{
    while (!session->running && session->ready) {
        KtTask *task = session->ready;
        session->ready = task->ready_next;
        if (!session->ready)
            session->ready_last = &session->ready;
        task->room = kt_conn_room(session->conn);
        bool here = task->fresh && session->inline_left > 0 &&
                    task->message.header.length <= KT_INLINE_BYTES;
        task->fresh = false;
        task->state = KT_TASK_RUNNING;
        if (here) {
            session->inline_left--;
            kt_session_worked(session, task, kt_task_work(task, KT_ON_LOOP, KT_FIRST_QUANTUM_NS));
        } else {
            session->running = task;
            task->job.run = job_run;
            task->done.arrived = done_arrived;
            put_job(task);
        }
    }
}

static void granted_arrived(KtPost *post)
{
    KtTask *task = CONTAINER(post, KtTask, granted);
    task->txn->holds_turn = true;
    if (atomic_load(&task->server->stopping) && task->ending == KT_ENDING_NONE) {
        task->ending = KT_ENDING_STOP;
        atomic_store(&task->cancel, true);
    }
    kt_session_make_ready(task->session, task);
}

/* From the thread that released or asked: nothing of the task is touched once it is posted. */
static void granted(KtTurn *turn)
{
    KtTask *task = turn->user;
    kt_post_box_put(&task->session->conn->loop->box, &task->granted);
}

void kt_dispatch_turn(KtSession *session, KtTask *task)
{
    KtTurn *turn = &task->txn->turn;
    *turn = (KtTurn){.granted = granted, .user = task};
    task->granted.arrived = granted_arrived;
    kt_turn_ask(session->conn->loop->server->db, turn);
}
