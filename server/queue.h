/* server/queue.h - how threads hand work to each other: jobs to the workers, posts to a loop.
 *
 * Both are lists through nodes that the caller owns, so that handing over never allocates. A node is in one list at
 * a time. What the giver wrote before handing over, the taker sees. */
#ifndef KT_SERVER_QUEUE_H
#define KT_SERVER_QUEUE_H

#include "base/status.h"

#include <pthread.h>

/* ---- jobs: first in, first out; whoever works a quantum and is not done goes to the back ---- */

typedef struct KtJob {
    struct KtJob *next;
    void (*run)(
        struct KtJob *job); /* on a worker; afterwards the node may be anywhere again, or gone */
} KtJob;

typedef struct KtRunQueue {
    pthread_mutex_t lock;
    pthread_cond_t some;
    KtJob *first, **last;
    bool closed;
} KtRunQueue;

void kt_run_queue_open(KtRunQueue *queue);
void kt_run_queue_put(KtRunQueue *queue, KtJob *job); /* Threads: any */
/* Waits for a job; NULL: the queue is closed and empty. Threads: any */
KtJob *kt_run_queue_take(KtRunQueue *queue);
/* Takers return NULL once the queue is empty. */
void kt_run_queue_shut(KtRunQueue *queue);
void kt_run_queue_close(KtRunQueue *queue); /* empty, no taker left */

/* ---- posts: messages to one loop thread ---- */

typedef struct KtPost {
    struct KtPost *next;
    void (*arrived)(struct KtPost *post); /* on the loop thread */
} KtPost;

typedef struct KtPostBox {
    pthread_mutex_t lock;
    KtPost *first, **last;
    int wake; /* an eventfd, readable while the box is not empty */
} KtPostBox;

KtStatus kt_post_box_open(KtPostBox *box) KT_MUST_CHECK; /* Errors: IO */
void kt_post_box_put(
    KtPostBox *box,
    KtPost *post); /* Threads: any. The box is not touched after the post can be seen */
/* All posts in order of arrival, NULL if none; the caller walks `next` before it calls. Threads: the owner. */
KtPost *kt_post_box_take(KtPostBox *box);
void kt_post_box_close(KtPostBox *box);

#endif
