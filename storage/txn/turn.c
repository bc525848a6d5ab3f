/* storage/txn/turn.c - the queue of writers: one holds the turn, the others wait in order of arrival.
 *
 * An entry is only a place in a list: nothing waits in here but a caller of kt_turn_wait. Callbacks run outside
 * the lock, so they may ask, release and withdraw. */
#include "storage/database_internal.h"

#include "base/clock.h"

#include <errno.h>
#include <time.h>

enum { IDLE = 0, WAITING = 1, HELD = 2 };

void kt_turns_init(KtDatabase *db)
{
    (void)pthread_mutex_init(&db->turn_lock, NULL);
    db->turn_first = db->turn_last = db->turn_held = NULL;
}

void kt_turn_ask(KtDatabase *db, KtTurn *turn)
{
    (void)pthread_mutex_lock(&db->turn_lock);
    KT_CHECK(turn->state == IDLE);
    bool now = db->turn_held == NULL;
    if (now) {
        turn->state = HELD;
        db->turn_held = turn;
    } else {
        turn->state = WAITING;
        turn->next = NULL;
        turn->prev = db->turn_last;
        if (db->turn_last)
            db->turn_last->next = turn;
        else
            db->turn_first = turn;
        db->turn_last = turn;
    }
    (void)pthread_mutex_unlock(&db->turn_lock);
    if (now)
        turn->granted(turn);
}

static void unlink_turn(KtDatabase *db, KtTurn *turn)
{
    if (turn->prev)
        turn->prev->next = turn->next;
    else
        db->turn_first = turn->next;
    if (turn->next)
        turn->next->prev = turn->prev;
    else
        db->turn_last = turn->prev;
    turn->next = turn->prev = NULL;
}

bool kt_turn_withdraw(KtDatabase *db, KtTurn *turn)
{
    (void)pthread_mutex_lock(&db->turn_lock);
    bool waiting = turn->state == WAITING;
    if (waiting) {
        unlink_turn(db, turn);
        turn->state = IDLE;
    }
    (void)pthread_mutex_unlock(&db->turn_lock);
    return waiting;
}

void kt_turn_release(KtDatabase *db, KtTurn *turn)
{
    (void)pthread_mutex_lock(&db->turn_lock);
    KT_CHECK(turn->state == HELD && db->turn_held == turn);
    turn->state = IDLE;
    KtTurn *next = db->turn_first;
    if (next) {
        unlink_turn(db, next);
        next->state = HELD;
    }
    db->turn_held = next;
    (void)pthread_mutex_unlock(&db->turn_lock);
    if (next)
        next->granted(next);
}

/* ---- for callers with a thread to block ---- */

typedef struct Waiter {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool granted;
} Waiter;

static void wake_waiter(KtTurn *turn)
{
    Waiter *waiter = turn->user;
    (void)pthread_mutex_lock(&waiter->lock);
    waiter->granted = true;
    (void)pthread_cond_signal(&waiter->wake);
    (void)pthread_mutex_unlock(&waiter->lock);
}

enum { CANCEL_POLL_NS = 5 * 1000 * 1000 };

static bool is_set(const atomic_bool *cancel)
{
    return cancel && atomic_load_explicit(cancel, memory_order_relaxed);
}

/* Waits until granted, the deadline or a cancel. Whoever is cancelled before its turn comes does not use it, though
 * both are seen at once: a server that stops cancels all who wait before it ends the one who holds the turn. */
static KtStatus sleep_until_granted(Waiter *waiter, int64_t deadline_ns, const atomic_bool *cancel)
{
    KtStatus status = KT_OK;
    (void)pthread_mutex_lock(&waiter->lock);
    while (!waiter->granted && status == KT_OK) {
        int64_t now = kt_clock_ns();
        if (is_set(cancel))
            status = KT_ERR_CANCELLED;
        else if (deadline_ns != 0 && now >= deadline_ns)
            status = KT_ERR_DEADLINE;
        if (status != KT_OK)
            break;
        int64_t until = now + (cancel ? (int64_t)CANCEL_POLL_NS : (int64_t)1000000000);
        if (deadline_ns != 0 && deadline_ns < until)
            until = deadline_ns;
        struct timespec t = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
        (void)pthread_cond_timedwait(&waiter->wake, &waiter->lock, &t);
    }
    if (status == KT_OK && is_set(cancel))
        status = KT_ERR_CANCELLED;
    (void)pthread_mutex_unlock(&waiter->lock);
    return status;
}

KtStatus kt_turn_wait(KtDatabase *db, KtTurn *turn, int64_t deadline_ns, const atomic_bool *cancel)
{
    Waiter waiter = {.granted = false};
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&waiter.lock, NULL);
    (void)pthread_cond_init(&waiter.wake, &attr);
    (void)pthread_condattr_destroy(&attr);
    turn->granted = wake_waiter;
    turn->user = &waiter;
    kt_turn_ask(db, turn);
    KtStatus status = sleep_until_granted(&waiter, deadline_ns, cancel);
    if (status != KT_OK && !kt_turn_withdraw(db, turn)) {
        /* Granted meanwhile: the callback is on its way. Take the turn only to hand it on. */
        (void)pthread_mutex_lock(&waiter.lock);
        while (!waiter.granted)
            (void)pthread_cond_wait(&waiter.wake, &waiter.lock);
        (void)pthread_mutex_unlock(&waiter.lock);
        kt_turn_release(db, turn);
    }
    (void)pthread_cond_destroy(&waiter.wake);
    (void)pthread_mutex_destroy(&waiter.lock);
    return status;
}
