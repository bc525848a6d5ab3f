/* tests/unit/server/test_queue.c - jobs and posts arrive once, in order. */
#include "server/worker.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>

enum { JOBS = 1000 };

typedef struct Counted {
    KtJob job;
    KtPost post;
    KtWorkers *workers;
    KtPostBox *box;
    int rounds;
    atomic_int *left;
} Counted;

static void arrived(KtPost *post)
{
    Counted *c = (Counted *)((char *)post - offsetof(Counted, post));
    atomic_fetch_sub(c->left, 1);
}

static void run(KtJob *job)
{
    Counted *c = (Counted *)job;
    if (--c->rounds > 0)
        kt_run_queue_put(&c->workers->queue, job);
    else
        kt_post_box_put(c->box, &c->post);
}

TestSuite(server_queue);

Test(server_queue, each_job_runs_its_rounds_and_is_posted_once)
{
    KtWorkers workers;
    KtPostBox box;
    static Counted jobs[JOBS];
    atomic_int left = JOBS;
    cr_assert_eq(kt_post_box_open(&box), KT_OK);
    cr_assert_eq(kt_workers_start(&workers, 3), KT_OK);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (Counted){.job.run = run,
                            .post.arrived = arrived,
                            .workers = &workers,
                            .box = &box,
                            .rounds = 1 + i % 5,
                            .left = &left};
        kt_run_queue_put(&workers.queue, &jobs[i].job);
    }
    while (atomic_load(&left) > 0) {
        struct pollfd p = {.fd = box.wake, .events = POLLIN};
        cr_assert_eq(poll(&p, 1, 10000), 1, "%d left", atomic_load(&left));
        KtPost *post = kt_post_box_take(&box);
        while (post) {
            KtPost *next = post->next;
            post->arrived(post);
            post = next;
        }
    }
    kt_workers_stop(&workers);
    kt_post_box_close(&box);
}

Test(server_queue, jobs_come_out_in_the_order_they_went_in)
{
    KtRunQueue queue;
    KtJob job[3] = {0};
    kt_run_queue_open(&queue);
    for (int i = 0; i < 3; i++)
        kt_run_queue_put(&queue, &job[i]);
    kt_run_queue_shut(&queue);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(kt_run_queue_take(&queue), &job[i]);
    cr_assert_null(kt_run_queue_take(&queue));
    kt_run_queue_close(&queue);
}

Test(server_queue, the_wake_is_quiet_once_the_box_is_empty)
{
    KtPostBox box;
    KtPost a = {0}, b = {0};
    cr_assert_eq(kt_post_box_open(&box), KT_OK);
    kt_post_box_put(&box, &a);
    kt_post_box_put(&box, &b);
    KtPost *got = kt_post_box_take(&box);
    cr_assert_eq(got, &a);
    cr_assert_eq(got->next, &b);
    struct pollfd p = {.fd = box.wake, .events = POLLIN};
    cr_assert_eq(poll(&p, 1, 0), 0);
    cr_assert_null(kt_post_box_take(&box));
    kt_post_box_close(&box);
}
