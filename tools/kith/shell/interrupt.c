/* tools/kith/shell/interrupt.c - Ctrl-C. A signal handler may do almost nothing: it counts and wakes a thread, which
 * cancels on a second connection. The one place with a global, since a handler gets no argument. */
#include "tools/kith/shell/shell.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>

static struct {
    atomic_int presses;
    sem_t wake;
    pthread_mutex_t lock; /* of `connection` */
    kith_connection *connection;
} interrupt = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_signal(int number)
{
    int saved = errno;
    (void)number;
    atomic_fetch_add(&interrupt.presses, 1);
    (void)sem_post(&interrupt.wake);
    errno = saved;
}

/* Holds the lock while it cancels, so that the connection stays; the query's end waits for that. */
static void *watch(void *unused)
{
    (void)unused;
    for (;;) {
        if (sem_wait(&interrupt.wake) != 0)
            continue;
        (void)pthread_mutex_lock(&interrupt.lock);
        if (interrupt.connection) {
            kith_error *error = NULL;
            if (kith_cancel(interrupt.connection, &error) != 0)
                kt_say(stderr, "kith: the query could not be cancelled: %s\n",
                       kith_error_message(error));
            kith_error_free(error);
        }
        (void)pthread_mutex_unlock(&interrupt.lock);
    }
    return NULL;
}

void kt_interrupt_init(void)
{
    struct sigaction action = {.sa_handler =
                                   on_signal}; /* no SA_RESTART: a read at the prompt must end */
    pthread_t thread;
    sigset_t all, before;
    (void)sem_init(&interrupt.wake, 0, 0);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before); /* signals go to the main thread */
    if (pthread_create(&thread, NULL, watch, NULL) == 0) {
        (void)pthread_detach(thread);
        (void)sigaction(SIGINT, &action, NULL);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void kt_interrupt_begin(kith_connection *connection)
{
    (void)pthread_mutex_lock(&interrupt.lock);
    interrupt.connection = connection;
    atomic_store(&interrupt.presses, 0);
    (void)pthread_mutex_unlock(&interrupt.lock);
}

void kt_interrupt_end(void)
{
    (void)pthread_mutex_lock(&interrupt.lock);
    interrupt.connection = NULL;
    (void)pthread_mutex_unlock(&interrupt.lock);
}

/* Ctrl-C is let in only while poll waits, so that none falls between a look at the count and the wait. */
bool kt_interrupt_wait(int fd)
{
    sigset_t sigint, before;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    bool readable = false;
    (void)sigemptyset(&sigint);
    (void)sigaddset(&sigint, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &sigint, &before);
    while (!readable && !kt_interrupt_taken())
        readable = ppoll(&p, 1, NULL, &before) > 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return readable;
}

bool kt_interrupt_taken(void) { return atomic_exchange(&interrupt.presses, 0) > 0; }
