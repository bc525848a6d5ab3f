/* server/listener.c - opens listening sockets, with a sentence for each way it fails. */
#include "server/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

/* host of at most 63 bytes, port 0 to 65535. */
static bool split(const char *where, char host[64], unsigned *port)
{
    const char *colon = strrchr(where, ':');
    const char *number = colon ? colon + 1 : where;
    size_t len = colon ? (size_t)(colon - where) : 0;
    const char *start = where;
    if (len >= 2 && where[0] == '[' && where[len - 1] == ']') {
        start++;
        len -= 2;
    }
    char *end;
    errno = 0;
    unsigned long v = strtoul(number, &end, 10);
    if (errno || end == number || *end || number[0] < '0' || number[0] > '9' || v > 65535 ||
        len >= 64)
        return false;
    memcpy(host, start, len);
    host[len] = 0;
    if (len == 0 || strcmp(host, "localhost") == 0)
        memcpy(host, "127.0.0.1", 10);
    *port = (unsigned)v;
    return true;
}

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
    }
    const struct sockaddr_in6 *v6 = (const void *)address;
    return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

KtStatus kt_listen_tcp(const char *where, KtDiag *diag, KtListener *out)
{
    char host[64];
    unsigned port = 0;
    if (!split(where, host, &port))
        return kt_diag_set(diag, KT_ERR_CONFIG, NULL,
                           "'%s' is no address to listen on; write HOST:PORT, as in 127.0.0.1:5484",
                           where);
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (void *)&address;
    struct sockaddr_in6 *v6 = (void *)&address;
    socklen_t size = sizeof *v4;
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
    } else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        size = sizeof *v6;
    } else {
        return kt_diag_set(
            diag, KT_ERR_CONFIG, NULL,
            "cannot listen on '%s': write the host as a number, as in 127.0.0.1:5484 or [::1]:5484",
            where);
    }
    if (!is_loopback(&address))
        return kt_diag_set(
            diag, KT_ERR_CONFIG, NULL,
            "kithd has no login yet and will not listen on %s, where others could reach it: use 127.0.0.1:%u or a "
            "Unix socket (--kmp-socket PATH)",
            where, port);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return kt_diag_set(diag, KT_ERR_CONFIG, NULL, "cannot open a socket for %s: %s", where,
                           strerror(errno));
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&address, size) < 0 || listen(fd, BACKLOG) < 0) {
        int e = errno;
        close(fd);
        if (e == EADDRINUSE)
            return kt_diag_set(
                diag, KT_ERR_ADDRESS_IN_USE, NULL,
                "%s is in use by another program: stop that one, or choose another port with --kmp-listen (port 0 picks a free one)",
                where);
        return kt_diag_set(diag, KT_ERR_CONFIG, NULL,
                           "cannot listen on %s: %s; choose another address with --kmp-listen",
                           where, strerror(e));
    }
    size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
        close(fd);
        return kt_diag_set(diag, KT_ERR_CONFIG, NULL, "cannot learn the port of %s: %s", where,
                           strerror(errno));
    }
    bool is_v6 = address.ss_family == AF_INET6;
    *out = (KtListener){.fd = fd};
    snprintf(out->name, sizeof out->name, is_v6 ? "[%s]:%u" : "%s:%u", host,
             ntohs(is_v6 ? v6->sin6_port : v4->sin_port));
    return KT_OK;
}

KtStatus kt_listen_unix(const char *path, KtDiag *diag, KtListener *out)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return kt_diag_set(
            diag, KT_ERR_CONFIG, NULL,
            "the socket path '%s' is longer than the system allows (%zu bytes): choose a shorter one",
            path, sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, strlen(path) + 1);
    struct stat facts;
    if (lstat(path, &facts) == 0) {
        if (!S_ISSOCK(facts.st_mode))
            return kt_diag_set(
                diag, KT_ERR_CONFIG, NULL,
                "'%s' exists and is no socket: remove it, or choose another --kmp-socket", path);
        int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (probe >= 0) {
            bool alive = connect(probe, (const struct sockaddr *)&address, sizeof address) == 0;
            close(probe);
            if (alive)
                return kt_diag_set(
                    diag, KT_ERR_ADDRESS_IN_USE, NULL,
                    "another program listens on the socket %s: stop that one, or choose another --kmp-socket",
                    path);
        }
        unlink(path); /* left by a server that was killed */
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return kt_diag_set(diag, KT_ERR_CONFIG, NULL, "cannot open a socket for %s: %s", path,
                           strerror(errno));
    mode_t before = umask(0177); /* only this user, from the first moment */
    int bound = bind(fd, (const struct sockaddr *)&address, sizeof address);
    int e = errno;
    umask(before);
    if (bound < 0 || listen(fd, BACKLOG) < 0) {
        close(fd);
        return kt_diag_set(diag, KT_ERR_CONFIG, NULL,
                           "cannot listen on the socket %s: %s; choose another --kmp-socket", path,
                           strerror(bound < 0 ? e : errno));
    }
    *out = (KtListener){.fd = fd, .is_unix = true};
    snprintf(out->name, sizeof out->name, "%s", path);
    return KT_OK;
}

void kt_listener_close(KtListener *listener)
{
    if (listener->fd < 0)
        return;
    if (listener->is_unix)
        unlink(listener->name);
    close(listener->fd);
    listener->fd = -1;
}
