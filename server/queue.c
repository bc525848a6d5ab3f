/* server/queue.c - the two lists between threads. */
#include "server/queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

void kt_run_queue_open(KtRunQueue *queue)
{
    KT_CHECK(pthread_mutex_init(&queue->lock, NULL) == 0);
    KT_CHECK(pthread_cond_init(&queue->some, NULL) == 0);
    queue->first = NULL;
    queue->last = &queue->first;
    queue->closed = false;
}

void kt_run_queue_put(KtRunQueue *queue, KtJob *job)
{
    job->next = NULL;
    pthread_mutex_lock(&queue->lock);
    *queue->last = job;
    queue->last = &job->next;
    pthread_cond_signal(&queue->some);
    pthread_mutex_unlock(&queue->lock);
}

KtJob *kt_run_queue_take(KtRunQueue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (!queue->first && !queue->closed)
        pthread_cond_wait(&queue->some, &queue->lock);
    KtJob *job = queue->first;
    if (job) {
        queue->first = job->next;
        if (!queue->first)
            queue->last = &queue->first;
    }
    pthread_mutex_unlock(&queue->lock);
    return job;
}

void kt_run_queue_shut(KtRunQueue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->some);
    pthread_mutex_unlock(&queue->lock);
}

void kt_run_queue_close(KtRunQueue *queue)
{
    KT_CHECK(!queue->first);
    pthread_cond_destroy(&queue->some);
    pthread_mutex_destroy(&queue->lock);
}

KtStatus kt_post_box_open(KtPostBox *box)
{
    int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake < 0)
        return KT_ERR_IO;
    KT_CHECK(pthread_mutex_init(&box->lock, NULL) == 0);
    box->first = NULL;
    box->last = &box->first;
    box->wake = wake;
    return KT_OK;
}

void kt_post_box_put(KtPostBox *box, KtPost *post)
{
    post->next = NULL;
    pthread_mutex_lock(&box->lock);
    bool was_empty = !box->first;
    *box->last = post;
    box->last = &post->next;
    if (was_empty) { /* under the lock, so that the owner cannot close the box between the two */
        uint64_t one = 1;
        ssize_t n = write(box->wake, &one, sizeof one);
        KT_CHECK(n == (ssize_t)sizeof one);
    }
    pthread_mutex_unlock(&box->lock);
}

KtPost *kt_post_box_take(KtPostBox *box)
{
    pthread_mutex_lock(&box->lock);
    KtPost *all = box->first;
    if (all) {
        box->first = NULL;
        box->last = &box->first;
        uint64_t count;
        ssize_t n = read(box->wake, &count, sizeof count);
        KT_CHECK(n == (ssize_t)sizeof count);
    }
    pthread_mutex_unlock(&box->lock);
    return all;
}

void kt_post_box_close(KtPostBox *box)
{
    KT_CHECK(!box->first);
    close(box->wake);
    pthread_mutex_destroy(&box->lock);
}
