/* tests/fault/shim.c - preloaded into kithd: does an acknowledgement ever leave before its sync?
 *
 * Follows two streams of the process. Bytes written to the store's write-ahead log (NNNNNN.log) are put together to
 * RocksDB's records, and a record with a key in the family of change records makes that commit `written`; a commit
 * becomes `synced` when an fdatasync or fsync of its file succeeds that began after the write. Bytes that leave on
 * sockets are taken apart to KMP frames; an OK with a commit number (key 68) is an acknowledgement. One whose commit
 * is not synced when it leaves is a breach. Everything is counted in a page of a file, which outlives kill -9.
 *
 *   KITH_SHIM_REPORT=FILE   where the page lives (made if absent; the counts go on from what it holds)
 *   KITH_FAULT_SYNC=N       the N-th sync of the log of this process fails with EIO, and nothing is synced
 *   -DKITH_PLANT_NO_SYNC    a build whose syncs do nothing and count for nothing: it must be caught */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    LOG_FAMILY = 8,    /* default is 0, then those of storage/format.h in their order */
    LOG_BLOCK = 32768, /* RocksDB's log: blocks of records with a header of 7 bytes */
    LOG_HEADER = 7,
    MOST_FD = 65536,
    MOST_WAITING = 4096, /* commits that are written and not synced */
    KMP_PREAMBLE = 16,
    KMP_HEADER = 16,
    KMP_OK = 0x83,
    KMP_KEY_COMMIT = 68,
    MOST_OK = 65536
};

/* The page; counted() of tests/torture/torture.py reads it. */
typedef struct Report {
    uint64_t log_writes, syncs, commits_written, commits_synced, acknowledged, breaches,
        first_breach, failed_syncs, unread;
} Report;

typedef enum Kind { UNKNOWN, OTHER, LOG_FILE, SOCKET } Kind;

typedef struct LogStream {
    uint64_t at; /* bytes so far */
    /* fragments of the record that is under way, its header in front of each fragment taken off */
    uint8_t *record;
    size_t len, room;
    uint8_t header[LOG_HEADER];
    size_t header_len, left; /* left: bytes of the fragment still to come */
    uint8_t type;
} LogStream;

typedef struct SocketStream {
    uint8_t head[KMP_HEADER];
    size_t have, left;
    bool preamble_done, off; /* off: no KMP (a line of text to a stranger) */
    uint8_t *body;
    size_t len;
} SocketStream;

typedef struct Fd {
    Kind kind;
    LogStream *log;
    SocketStream *socket;
} Fd;

typedef struct Waiting {
    uint64_t commit;
    int fd;
} Waiting;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Fd fds[MOST_FD];
static Waiting waiting[MOST_WAITING];
static size_t waiting_n;
static uint64_t newest_written;
static Report scratch, *report = &scratch;
static uint64_t fail_at, syncs_here;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_send)(int, const void *, size_t, int);
static ssize_t (*real_sendmsg)(int, const struct msghdr *, int);
static int (*real_fdatasync)(int);
static int (*real_fsync)(int);
static int (*real_close)(int);

static void find_all(void)
{
    if (real_close)
        return;
    *(void **)&real_write = dlsym(RTLD_NEXT, "write");
    *(void **)&real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    *(void **)&real_writev = dlsym(RTLD_NEXT, "writev");
    *(void **)&real_send = dlsym(RTLD_NEXT, "send");
    *(void **)&real_sendmsg = dlsym(RTLD_NEXT, "sendmsg");
    *(void **)&real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    *(void **)&real_fsync = dlsym(RTLD_NEXT, "fsync");
    *(void **)&real_close = dlsym(RTLD_NEXT, "close");
}

__attribute__((constructor)) static void begin(void)
{
    find_all();
    const char *n = getenv("KITH_FAULT_SYNC"), *path = getenv("KITH_SHIM_REPORT");
    fail_at = n ? strtoull(n, NULL, 10) : 0;
    if (!path)
        return;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && ftruncate(fd, sizeof(Report)) == 0) {
        void *page = mmap(NULL, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (page != MAP_FAILED)
            report = page;
    }
    if (fd >= 0)
        real_close(fd);
    if (report == &scratch) {
        fprintf(stderr, "shim: %s cannot be made: %s\n", path, strerror(errno));
        _exit(97);
    }
}

/* ---- what a file descriptor is ---- */

static bool is_log_name(const char *path)
{
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    size_t digits = strspn(name, "0123456789");
    return digits > 0 && strcmp(name + digits, ".log") == 0;
}

static Kind kind_of(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return UNKNOWN;
    if (S_ISSOCK(st.st_mode))
        return SOCKET;
    if (!S_ISREG(st.st_mode))
        return OTHER;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len <= 0)
        return OTHER;
    path[len] = 0;
    return is_log_name(path) ? LOG_FILE : OTHER;
}

/* Under the mutex. NULL: not followed. */
static Fd *followed(int fd)
{
    if (fd < 0 || fd >= MOST_FD)
        return NULL;
    Fd *f = &fds[fd];
    if (f->kind == UNKNOWN) {
        f->kind = kind_of(fd);
        if (f->kind == LOG_FILE)
            f->log = calloc(1, sizeof *f->log);
        else if (f->kind == SOCKET)
            f->socket = calloc(1, sizeof *f->socket);
    }
    return f->kind == LOG_FILE || f->kind == SOCKET ? f : NULL;
}

static void forget(int fd)
{
    if (fd < 0 || fd >= MOST_FD)
        return;
    Fd *f = &fds[fd];
    if (f->log)
        free(f->log->record);
    if (f->socket)
        free(f->socket->body);
    free(f->log);
    free(f->socket);
    *f = (Fd){0};
    for (size_t i = 0; i < waiting_n; i++)
        if (waiting[i].fd == fd)
            waiting[i].fd = -1; /* closed without a sync: never synced */
}

/* ---- the log ---- */

static void commit_written(int fd, uint64_t commit)
{
    report->commits_written++;
    if (commit > newest_written)
        newest_written = commit;
    if (waiting_n == MOST_WAITING) { /* only a build without syncs comes here */
        memmove(waiting, waiting + 1, (MOST_WAITING - 1) * sizeof *waiting);
        waiting_n--;
    }
    waiting[waiting_n++] = (Waiting){commit, fd};
}

typedef struct Bytes {
    const uint8_t *at, *end;
    bool bad;
} Bytes;

static uint64_t varint(Bytes *b)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && b->at < b->end; shift += 7) {
        uint8_t byte = *b->at++;
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80))
            return v;
    }
    b->bad = true;
    return 0;
}

static Bytes prefixed(Bytes *b)
{
    uint64_t len = varint(b);
    if (b->bad || len > (uint64_t)(b->end - b->at)) {
        b->bad = true;
        return (Bytes){b->at, b->at, true};
    }
    Bytes out = {b->at, b->at + len, false};
    b->at += len;
    return out;
}

/* A record is a write batch: sequence 8, count 4, then entries. RocksDB's db/write_batch.cc names the tags. */
static void log_record(int fd, const uint8_t *at, size_t len)
{
    if (len < 12)
        return;
    Bytes b = {at + 12, at + len, false};
    while (!b.bad && b.at < b.end) {
        uint8_t tag = *b.at++;
        uint64_t family = 0;
        Bytes key = {0};
        switch (tag) {
        case 0x4:
        case 0x5:
        case 0x6:
        case 0x8:
        case 0xE: /* with a family: delete, put, merge, single and range delete */
            family = varint(&b);
            break;
        case 0x0:
        case 0x1:
        case 0x2:
        case 0x7:
        case 0xF: /* the same in the default family */
        case 0x3: /* log data */
        case 0xD: /* nothing */ break;
        default: b.bad = true; break;
        }
        if (b.bad || tag == 0xD)
            continue;
        key = prefixed(&b);
        if (tag == 0x5 || tag == 0x1 || tag == 0x6 || tag == 0x2 || tag == 0xE || tag == 0xF)
            prefixed(&b);
        if (!b.bad && tag == 0x5 && family == LOG_FAMILY && key.end - key.at == 8) {
            uint64_t commit = 0;
            for (int i = 0; i < 8; i++)
                commit = commit << 8 | key.at[i];
            commit_written(fd, commit);
        }
    }
    if (b.bad)
        report->unread++;
}

static void fragment_done(int fd, LogStream *s)
{
    if (s->type == 1 || s->type == 4) { /* full or last */
        log_record(fd, s->record, s->len);
        s->len = 0;
    }
}

static void fragment_begun(LogStream *s)
{
    s->left = (size_t)s->header[4] | (size_t)s->header[5] << 8;
    s->type = s->header[6];
    s->header_len = 0;
    if (s->type == 1 || s->type == 2) /* full or first */
        s->len = 0;
    if (s->type > 4)
        report->unread++;
    if (s->len + s->left > s->room) {
        s->room = (s->len + s->left) * 2;
        s->record = realloc(s->record, s->room);
        if (!s->record)
            abort();
    }
}

static void log_bytes(int fd, LogStream *s, const uint8_t *at, size_t len)
{
    report->log_writes++;
    while (len > 0) {
        size_t n, room = LOG_BLOCK - (size_t)(s->at % LOG_BLOCK);
        if (s->left > 0) {
            n = len < s->left ? len : s->left;
            memcpy(s->record + s->len, at, n);
            s->len += n;
            s->left -= n;
            s->at += n;
            if (s->left == 0)
                fragment_done(fd, s);
        } else if (s->header_len == 0 && room < LOG_HEADER) { /* the rest of a block is zeros */
            n = len < room ? len : room;
            s->at += n;
        } else {
            n = len < LOG_HEADER - s->header_len ? len : LOG_HEADER - s->header_len;
            memcpy(s->header + s->header_len, at, n);
            s->header_len += n;
            s->at += n;
            if (s->header_len == LOG_HEADER) {
                fragment_begun(s);
                if (s->left == 0)
                    fragment_done(fd, s);
            }
        }
        at += n;
        len -= n;
    }
}

/* ---- sockets ---- */

/* Steps over one msgpack value. */
static void skip(Bytes *b, unsigned depth)
{
    if (b->bad || b->at >= b->end || depth > 64) {
        b->bad = true;
        return;
    }
    uint8_t lead = *b->at++;
    uint64_t items = 0, bytes = 0;
    unsigned size = 0;
    bool map = false, array = false;
    if (lead <= 0x7F || lead >= 0xE0 || (lead >= 0xC0 && lead <= 0xC3))
        return;
    if (lead <= 0x8F) {
        map = true;
        items = lead & 15;
    } else if (lead <= 0x9F) {
        array = true;
        items = lead & 15;
    } else if (lead <= 0xBF)
        bytes = lead & 31;
    else if (lead <= 0xC6)
        size = 1U << (lead - 0xC4);
    else if (lead <= 0xC9) {
        size = 1U << (lead - 0xC7);
        bytes = 1;
    } else if (lead <= 0xCB)
        bytes = lead == 0xCA ? 4 : 8;
    else if (lead <= 0xCF)
        bytes = 1U << (lead - 0xCC);
    else if (lead <= 0xD3)
        bytes = 1U << (lead - 0xD0);
    else if (lead <= 0xD8)
        bytes = (1U << (lead - 0xD4)) + 1;
    else if (lead <= 0xDB)
        size = 1U << (lead - 0xD9);
    else {
        size = lead == 0xDC || lead == 0xDE ? 2 : 4;
        map = lead >= 0xDE;
        array = !map;
    }
    if (size) {
        uint64_t n = 0;
        for (; size > 0 && b->at < b->end; size--)
            n = n << 8 | *b->at++;
        if (map || array)
            items = n;
        else
            bytes += n;
    }
    if (bytes > (uint64_t)(b->end - b->at)) {
        b->bad = true;
        return;
    }
    b->at += bytes;
    for (uint64_t i = 0; i < items * (map ? 2 : 1) && !b->bad; i++)
        skip(b, depth + 1);
}

static uint64_t number(Bytes *b)
{
    Bytes from = *b;
    skip(b, 0);
    uint64_t v = 0;
    if (b->bad || *from.at <= 0x7F)
        return b->bad ? 0 : *from.at;
    for (const uint8_t *p = from.at + 1; p < b->at; p++)
        v = v << 8 | *p;
    return v;
}

static void acknowledged(uint64_t commit)
{
    report->acknowledged++;
    bool synced = commit <= newest_written;
    for (size_t i = 0; i < waiting_n && synced; i++)
        synced = waiting[i].commit != commit;
    if (synced)
        return;
    if (report->breaches++ == 0) {
        report->first_breach = commit;
        fprintf(stderr, "shim: commit %llu was acknowledged before it was synced\n",
                (unsigned long long)commit);
    }
}

static void ok_frame(const uint8_t *at, size_t len)
{
    Bytes b = {at, at + len, len == 0};
    uint64_t entries = 0;
    if (!b.bad && (*at & 0xF0) == 0x80) {
        entries = *at & 15;
        b.at++;
    } else if (!b.bad && *at == 0xDE && len >= 3) {
        entries = (uint64_t)at[1] << 8 | at[2];
        b.at += 3;
    } else {
        b.bad = true;
    }
    for (; entries > 0 && !b.bad; entries--) {
        uint64_t key = number(&b);
        if (key == KMP_KEY_COMMIT && !b.bad) {
            uint64_t commit = number(&b);
            if (!b.bad && commit)
                acknowledged(commit);
        } else {
            skip(&b, 0);
        }
    }
    if (b.bad)
        report->unread++;
}

static void socket_bytes(SocketStream *s, const uint8_t *at, size_t len)
{
    while (len > 0 && !s->off) {
        size_t n;
        if (s->left > 0) {
            n = len < s->left ? len : s->left;
            if (s->head[4] == KMP_OK && s->len + n <= MOST_OK) {
                memcpy(s->body + s->len, at, n);
                s->len += n;
            }
            s->left -= n;
        } else {
            n = len < KMP_HEADER - s->have ? len : KMP_HEADER - s->have;
            memcpy(s->head + s->have, at, n);
            s->have += n;
            if (s->have < KMP_HEADER)
                return;
            s->have = 0;
            s->len = 0;
            if (!s->preamble_done) {
                s->preamble_done = true;
                s->off = memcmp(s->head, "KMP\n", 4) != 0;
            } else {
                s->left = (size_t)s->head[0] << 24 | (size_t)s->head[1] << 16 |
                          (size_t)s->head[2] << 8 | s->head[3];
                if (s->head[4] == KMP_OK && !s->body && !(s->body = malloc(MOST_OK)))
                    abort();
            }
        }
        at += n;
        len -= n;
        if (s->preamble_done && s->left == 0 && s->have == 0 && s->head[4] == KMP_OK &&
            s->len > 0) {
            ok_frame(s->body, s->len);
            s->len = 0;
        }
    }
}

/* ---- the calls ---- */

static void took(int fd, Fd *f, const void *at, size_t len)
{
    if (f->kind == LOG_FILE)
        log_bytes(fd, f->log, at, len);
    else
        socket_bytes(f->socket, at, len);
}

static void took_all(int fd, Fd *f, const struct iovec *v, size_t n, ssize_t done)
{
    for (size_t i = 0, left = done > 0 ? (size_t)done : 0; i < n && left > 0; i++) {
        size_t some = v[i].iov_len < left ? v[i].iov_len : left;
        took(fd, f, v[i].iov_base, some);
        left -= some;
    }
}

/* Sockets never block in kithd, so that a call under the mutex is short; the mutex makes "synced when it left"
 * exact. */
#define FOLLOW(fd, call, taken)       \
    do {                              \
        find_all();                   \
        int saved = errno;            \
        pthread_mutex_lock(&mutex);   \
        Fd *f = followed(fd);         \
        errno = saved;                \
        ssize_t done = (call);        \
        saved = errno;                \
        if (f && done > 0)            \
            taken;                    \
        pthread_mutex_unlock(&mutex); \
        errno = saved;                \
        return done;                  \
    } while (0)

ssize_t write(int fd, const void *at, size_t len)
{
    FOLLOW(fd, real_write(fd, at, len), took(fd, f, at, (size_t)done));
}
ssize_t pwrite(int fd, const void *at, size_t len, off_t to)
{
    FOLLOW(fd, real_pwrite(fd, at, len, to), took(fd, f, at, (size_t)done));
}
ssize_t pwrite64(int fd, const void *at, size_t len, off64_t to)
{
    FOLLOW(fd, real_pwrite(fd, at, len, to), took(fd, f, at, (size_t)done));
}
ssize_t writev(int fd, const struct iovec *v, int n)
{
    FOLLOW(fd, real_writev(fd, v, n), took_all(fd, f, v, (size_t)n, done));
}
ssize_t send(int fd, const void *at, size_t len, int flags)
{
    FOLLOW(fd, real_send(fd, at, len, flags), took(fd, f, at, (size_t)done));
}
ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    FOLLOW(fd, real_sendmsg(fd, m, flags), took_all(fd, f, m->msg_iov, m->msg_iovlen, done));
}

static int synced(int fd, int (*real)(int))
{
    pthread_mutex_lock(&mutex);
    Fd *f = followed(fd);
    bool is_log = f && f->kind == LOG_FILE, fails = is_log && ++syncs_here == fail_at;
    uint64_t newest = waiting_n ? waiting[waiting_n - 1].commit : 0; /* what is written by now */
    if (fails)
        report->failed_syncs++;
    pthread_mutex_unlock(&mutex);
    if (fails) {
        errno = EIO;
        return -1;
    }
#ifdef KITH_PLANT_NO_SYNC
    if (is_log)
        return 0;
#endif
    int rc = real(fd);
    int saved = errno;
    if (rc == 0 && is_log) {
        pthread_mutex_lock(&mutex);
        report->syncs++;
        size_t kept = 0;
        for (size_t i = 0; i < waiting_n; i++) {
            if (waiting[i].fd == fd && waiting[i].commit <= newest)
                report->commits_synced++;
            else
                waiting[kept++] = waiting[i];
        }
        waiting_n = kept;
        pthread_mutex_unlock(&mutex);
    }
    errno = saved;
    return rc;
}

int fdatasync(int fd)
{
    find_all();
    return synced(fd, real_fdatasync);
}

int fsync(int fd)
{
    find_all();
    return synced(fd, real_fsync);
}

int close(int fd)
{
    find_all();
    pthread_mutex_lock(&mutex);
    forget(fd);
    int rc = real_close(fd);
    pthread_mutex_unlock(&mutex);
    return rc;
}
