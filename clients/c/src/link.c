/* clients/c/src/link.c - one socket: connect with a deadline, send while reading, whole messages out. */
#include "clients/c/src/internal.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, MS = 1000000 };

static KtStatus lost(KtDiag *diag, const char *what, int err)
{
    return kt_diag_set(diag, KT_ERR_CONNECTION, NULL, "%s: %s.", what, strerror(err));
}

/* Waits for one of `events`; deadline 0: none. Signals do not end the wait. */
static KtStatus wait_for(int fd, short events, int64_t deadline_ns, short *seen, KtDiag *diag)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int timeout = -1;
        if (deadline_ns) {
            int64_t left = (deadline_ns - kt_clock_ns()) / MS + 1;
            timeout = left <= 0 ? 0 : left > 1000000 ? 1000000 : (int)left;
        }
        int n = poll(&p, 1, timeout);
        if (n > 0) {
            *seen = p.revents;
            return KT_OK;
        }
        if (n < 0 && errno != EINTR)
            return lost(diag, "The connection cannot be waited for", errno);
        if (n == 0 && deadline_ns && kt_clock_ns() >= deadline_ns)
            return kt_diag_set(diag, KT_ERR_CONNECTION, NULL, "The server did not answer in time.");
    }
}

static int open_socket(int family, KtDiag *diag)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    if (fd < 0) {
        (void)lost(diag, "No socket can be opened", errno);
        return -1;
    }
    if (family != AF_UNIX) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    }
    return fd;
}

static KtStatus connect_to(int fd, const struct sockaddr *address, socklen_t len, int64_t deadline,
                           KtDiag *diag)
{
    short seen;
    int err = 0;
    socklen_t size = sizeof err;
    if (connect(fd, address, len) == 0)
        return KT_OK;
    if (errno != EINPROGRESS && errno != EINTR)
        return lost(diag, "Cannot connect", errno);
    KT_TRY(wait_for(fd, POLLOUT, deadline, &seen, diag));
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) != 0)
        err = errno;
    return err ? lost(diag, "Cannot connect", err) : KT_OK;
}

static void hint_at_server(KtDiag *diag)
{
    kt_diag_hint(diag, "Is kithd running there? It prints the addresses that it listens on.");
}

static KtStatus connect_unix(const KtUri *uri, int64_t deadline, KtDiag *diag, int *out)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, uri->host, strnlen(uri->host, sizeof address.sun_path - 1));
    int fd = open_socket(AF_UNIX, diag);
    if (fd < 0)
        return KT_ERR_CONNECTION;
    KtDiag why = {0};
    KtStatus status =
        connect_to(fd, (const struct sockaddr *)&address, sizeof address, deadline, &why);
    if (status == KT_OK) {
        *out = fd;
        return KT_OK;
    }
    (void)close(fd);
    kt_diag_set(diag, status, NULL, "%s: %s", uri->host, why.message);
    hint_at_server(diag);
    return status;
}

/* Each address of the name in turn, until one takes us. */
static KtStatus connect_tcp(const KtUri *uri, int64_t deadline, KtDiag *diag, int *out)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
    int code = getaddrinfo(uri->host, uri->port, &hints, &list);
    if (code != 0)
        return kt_diag_set(diag, KT_ERR_CONNECTION, NULL, "The host %s cannot be found: %s.",
                           uri->host, gai_strerror(code));
    KtStatus status = KT_ERR_CONNECTION;
    KtDiag last = {0};
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        kt_diag_clear(&last);
        int fd = open_socket(a->ai_family, &last);
        if (fd < 0)
            continue;
        status = connect_to(fd, a->ai_addr, a->ai_addrlen, deadline, &last);
        if (status == KT_OK) {
            *out = fd;
            break;
        }
        (void)close(fd);
    }
    freeaddrinfo(list);
    if (status == KT_OK)
        return KT_OK;
    kt_diag_set(diag, KT_ERR_CONNECTION, NULL, "%s:%s: %s", uri->host, uri->port, last.message);
    hint_at_server(diag);
    return KT_ERR_CONNECTION;
}

static KtStatus read_some(KtLink *link, KtDiag *diag, bool *any)
{
    if (link->in_at == link->in.len) {
        kt_buf_clear(&link->in);
        link->in_at = 0;
    }
    *any = false;
    uint8_t *room = kt_buf_reserve(&link->in, READ_BYTES);
    if (!room)
        return kt_diag_set(diag, KT_ERR_MEMORY, NULL, "No memory to read from the server.");
    ssize_t n = recv(link->fd, room, READ_BYTES, 0);
    if (n > 0) {
        link->in.len += (size_t)n;
        *any = true;
        return KT_OK;
    }
    if (n == 0)
        return kt_diag_set(diag, KT_ERR_CONNECTION, NULL, "The server closed the connection.");
    if (errno == EAGAIN || errno == EINTR)
        return KT_OK;
    return lost(diag, "The connection was lost", errno);
}

static KtStatus send_bytes(KtLink *link, const uint8_t *bytes, size_t len, int64_t deadline,
                           KtDiag *diag)
{
    while (len > 0) {
        ssize_t n = send(link->fd, bytes, len, MSG_NOSIGNAL);
        if (n >= 0) {
            bytes += n;
            len -= (size_t)n;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return lost(diag, "The connection was lost", errno);
        short seen;
        bool any;
        KT_TRY(wait_for(link->fd, POLLOUT | POLLIN, deadline, &seen, diag));
        if (seen & POLLIN)
            KT_TRY(read_some(link, diag, &any));
    }
    return KT_OK;
}

static KtStatus exchange_preambles(KtLink *link, bool checks, int64_t deadline, KtDiag *diag)
{
    KmpPreamble mine = {KMP_MAJOR, KMP_MAJOR, checks ? KMP_CAP_CHECKS : 0, KMP_FRAME_DEFAULT},
                theirs;
    uint8_t bytes[KMP_PREAMBLE];
    kt_kmp_preamble_encode(&mine, bytes);
    KT_TRY(send_bytes(link, bytes, sizeof bytes, deadline, diag));
    while (link->in.len < KMP_PREAMBLE) {
        short seen;
        bool any;
        KT_TRY(wait_for(link->fd, POLLIN, deadline, &seen, diag));
        KT_TRY(read_some(link, diag, &any));
        if (!kt_kmp_preamble_possible(link->in.data, link->in.len))
            break;
    }
    if (link->in.len < KMP_PREAMBLE)
        return kt_diag_set(diag, KT_ERR_PROTOCOL, NULL, "What listens there is no Kith server.");
    KT_TRY(kt_kmp_preamble_decode(link->in.data, diag, &theirs));
    if (theirs.low != KMP_MAJOR || theirs.high != KMP_MAJOR)
        return kt_diag_set(diag, KT_ERR_NOT_SUPPORTED, NULL, "The server does not speak KMP %d.",
                           KMP_MAJOR);
    link->in_at = KMP_PREAMBLE;
    bool agreed = checks && (theirs.capabilities & KMP_CAP_CHECKS);
    link->wire =
        (KmpWire){theirs.frame_most < KMP_FRAME_MOST ? theirs.frame_most : KMP_FRAME_MOST, agreed};
    link->inbox = (KmpInbox){
        .frame_most = KMP_FRAME_DEFAULT, .message_most = KMP_MESSAGE_MOST, .checks = agreed};
    return KT_OK;
}

KtStatus kt_link_open(KtLink *link, const KtUri *uri, const kith_options *options, KtDiag *diag)
{
    uint64_t ms = options->connect_timeout_ms ? options->connect_timeout_ms : 10000;
    int64_t deadline = kt_clock_ns() + (int64_t)(ms < 1000000000 ? ms : 1000000000) * MS;
    int fd = -1;
    *link = (KtLink){.fd = -1, .answer_timeout_ms = options->answer_timeout_ms};
    KT_TRY(uri->local ? connect_unix(uri, deadline, diag, &fd)
                      : connect_tcp(uri, deadline, diag, &fd));
    link->fd = fd;
    KtStatus status = exchange_preambles(link, options->checks, deadline, diag);
    if (status != KT_OK)
        kt_link_close(link);
    return status;
}

void kt_link_close(KtLink *link)
{
    if (link->fd >= 0)
        (void)close(link->fd);
    link->fd = -1;
    kt_kmp_inbox_close(&link->inbox);
    kt_buf_close(&link->in);
    link->in_at = 0;
}

KtStatus kt_link_send(KtLink *link, const KtBuf *out, KtDiag *diag)
{
    return send_bytes(link, out->data, out->len, 0, diag);
}

KtStatus kt_link_receive(KtLink *link, KmpMessage *out, KtDiag *diag)
{
    int64_t patience =
        (int64_t)(link->answer_timeout_ms < 1000000000 ? link->answer_timeout_ms : 1000000000) * MS;
    for (;;) {
        size_t used, need;
        bool got, any;
        short seen;
        KT_TRY(kt_kmp_inbox_next(&link->inbox, link->in.data + link->in_at,
                                 link->in.len - link->in_at, diag, &used, &need, out, &got));
        link->in_at += used;
        if (got)
            return KT_OK;
        if (link->in_at > 0 &&
            link->in_at < link->in.len) { /* the next frame to the start, so that it fits */
            memmove(link->in.data, link->in.data + link->in_at, link->in.len - link->in_at);
            link->in.len -= link->in_at;
            link->in_at = 0;
        }
        KT_TRY(wait_for(link->fd, POLLIN, patience ? kt_clock_ns() + patience : 0, &seen, diag));
        KT_TRY(read_some(link, diag, &any));
    }
}
