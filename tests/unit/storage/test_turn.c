/* The queue of writers: order, withdrawing, blocking callers. */
#include "base/clock.h"
#include "storage/catalog.h"
#include "storage/database.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <unistd.h>

static KtDatabase *open_db(void)
{
    KtDatabaseSpec spec = {.create = true};
    KtDatabase *db;
    KtDiag diag = {.status = KT_OK};
    cr_assert_eq(kt_database_open(&spec, &diag, &db), KT_OK);
    return db;
}

typedef struct Order {
    int n, at[8];
} Order;

typedef struct Entry {
    KtTurn turn;
    Order *order;
    int number;
} Entry;

static void note(KtTurn *turn)
{
    Entry *e = (Entry *)turn;
    e->order->at[e->order->n++] = e->number;
}

Test(storage_turn, turns_come_in_order_of_arrival)
{
    KtDatabase *db = open_db();
    Order order = {0};
    Entry e[4];
    for (int i = 0; i < 4; i++) {
        e[i] = (Entry){.turn = {.granted = note}, .order = &order, .number = i};
        kt_turn_ask(db, &e[i].turn);
    }
    cr_assert_eq(order.n, 1, "one holds the turn at once");
    for (int i = 0; i < 4; i++)
        kt_turn_release(db, &e[i].turn);
    cr_assert_eq(order.n, 4);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(order.at[i], i);
    kt_database_close(db);
}

Test(storage_turn, a_waiting_entry_can_be_withdrawn_and_a_granted_one_cannot)
{
    KtDatabase *db = open_db();
    Order order = {0};
    Entry e[3];
    for (int i = 0; i < 3; i++) {
        e[i] = (Entry){.turn = {.granted = note}, .order = &order, .number = i};
        kt_turn_ask(db, &e[i].turn);
    }
    cr_assert(!kt_turn_withdraw(db, &e[0].turn));
    cr_assert(kt_turn_withdraw(db, &e[1].turn));
    cr_assert(!kt_turn_withdraw(db, &e[1].turn));
    kt_turn_release(db, &e[0].turn);
    cr_assert_eq(order.n, 2);
    cr_assert_eq(order.at[1], 2);
    kt_turn_release(db, &e[2].turn);
    kt_database_close(db);
}

Test(storage_turn, waiting_ends_at_the_deadline_or_a_cancel)
{
    KtDatabase *db = open_db();
    Order order = {0};
    Entry holder = {.turn = {.granted = note}, .order = &order};
    kt_turn_ask(db, &holder.turn);
    KtTurn turn = {0};
    cr_assert_eq(kt_turn_wait(db, &turn, kt_clock_ns() + 20000000, NULL), KT_ERR_DEADLINE);
    atomic_bool cancel = true;
    cr_assert_eq(kt_turn_wait(db, &turn, 0, &cancel), KT_ERR_CANCELLED);
    kt_turn_release(db, &holder.turn);
    cr_assert_eq(kt_turn_wait(db, &turn, 0, NULL), KT_OK);
    kt_turn_release(db, &turn);
    kt_database_close(db);
}

typedef struct Blocked {
    KtDatabase *db;
    atomic_bool cancel;
    KtTurn turn;
    KtStatus status;
} Blocked;

static void *wait_for_turn(void *arg)
{
    Blocked *b = arg;
    b->status = kt_turn_wait(b->db, &b->turn, 0, &b->cancel);
    if (b->status == KT_OK)
        kt_turn_release(b->db, &b->turn);
    return NULL;
}

Test(storage_turn, a_turn_that_comes_after_the_cancel_is_not_used)
{
    KtDatabase *db = open_db();
    for (int i = 0; i < 20; i++) {
        Order order = {0};
        Entry holder = {.turn = {.granted = note}, .order = &order};
        kt_turn_ask(db, &holder.turn);
        Blocked b = {.db = db};
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, wait_for_turn, &b), 0);
        usleep(2000); /* now it sleeps, and looks at the cancel again only every few milliseconds */
        atomic_store(&b.cancel, true);
        kt_turn_release(db, &holder.turn);
        cr_assert_eq(pthread_join(thread, NULL), 0);
        cr_assert_eq(b.status, KT_ERR_CANCELLED, "round %d", i);
        cr_assert_eq(kt_turn_wait(db, &b.turn, 0, NULL), KT_OK, "the turn was handed on");
        kt_turn_release(db, &b.turn);
    }
    kt_database_close(db);
}

typedef struct Adder {
    KtDatabase *db;
    int nodes;
} Adder;

static void *add_nodes(void *arg)
{
    Adder *a = arg;
    for (int i = 0; i < a->nodes; i++) {
        KtTurn turn = {0};
        KtDiag diag = {.status = KT_OK};
        KtView *view;
        KtViewSpec spec = {.write = true};
        KtNodeId node;
        KtCommit number;
        bool ok = kt_turn_wait(a->db, &turn, 0, NULL) == KT_OK;
        ok = ok && kt_view_open(a->db, &spec, &diag, &view) == KT_OK;
        ok = ok && kt_add_nodes(view, 1, NULL, 0, NULL, &node) == KT_OK &&
             kt_view_commit(view, &diag, &number) == KT_OK;
        if (!ok)
            abort();
        kt_view_close(view);
        kt_turn_release(a->db, &turn);
    }
    return NULL;
}

Test(storage_turn, writers_on_many_threads_lose_nothing)
{
    KtDatabase *db = open_db();
    pthread_t thread[4];
    Adder adder = {db, 50};
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&thread[i], NULL, add_nodes, &adder), 0);
    for (int i = 0; i < 200; i++) { /* readers never wait */
        KtDiag diag = {.status = KT_OK};
        KtView *view;
        KtViewSpec spec = {.write = false};
        cr_assert_eq(kt_view_open(db, &spec, &diag, &view), KT_OK);
        kt_view_close(view);
    }
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_join(thread[i], NULL), 0);
    cr_assert_eq(kt_stats(db).nodes, 200u);
    cr_assert_eq(kt_database_published(db), 200u);
    kt_database_close(db);
}
