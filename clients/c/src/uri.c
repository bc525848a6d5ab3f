/* clients/c/src/uri.c - kith://host[:port][/database] and kith+unix:///path[?database=name]. */
#include "clients/c/src/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define ADDRESSES "An address is kith://host:port/database or kith+unix:///path/of/socket."

static KtStatus not_ours(KtDiag *diag, const char *what)
{
    kt_diag_set(diag, KT_ERR_USAGE, NULL, "%s", what);
    kt_diag_hint(diag, ADDRESSES);
    return KT_ERR_USAGE;
}

static KtStatus refused(KtDiag *diag, const char *what)
{
    return kt_diag_set(diag, KT_ERR_NOT_SUPPORTED, NULL,
                       "%s in the address: not supported, there is no login and no TLS yet.", what);
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Copies with %XX undone. */
static bool unescape(const char *from, size_t len, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char c = from[i];
        if (c == '%') {
            int high = i + 2 < len ? hex(from[i + 1]) : -1,
                low = i + 2 < len ? hex(from[i + 2]) : -1;
            if (high < 0 || low < 0 || (high == 0 && low == 0))
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (n + 1 >= size)
            return false;
        out[n++] = c;
    }
    out[n] = 0;
    return true;
}

static KtStatus parse_query(const char *query, KtDiag *diag, KtUri *uri)
{
    while (*query) {
        size_t len = strcspn(query, "&");
        if (strncasecmp(query, "tls", 3) == 0 || strncasecmp(query, "ssl", 3) == 0)
            return refused(diag, "tls");
        if (strncasecmp(query, "user", 4) == 0 || strncasecmp(query, "password", 8) == 0)
            return refused(diag, "A user or password");
        if (strncmp(query, "database=", 9) != 0)
            return kt_diag_set(diag, KT_ERR_USAGE, NULL,
                               "The address has the unknown option \"%.*s\".", (int)len, query);
        if (!unescape(query + 9, len - 9, uri->database, sizeof uri->database))
            return not_ours(diag, "The database in the address is too long or badly escaped.");
        query += len;
        query += *query == '&';
    }
    return KT_OK;
}

static KtStatus parse_port(const char *at, size_t len, KtDiag *diag, KtUri *uri)
{
    char *end;
    if (len == 0 || len >= sizeof uri->port)
        return not_ours(diag, "The port in the address is no number from 1 to 65535.");
    memcpy(uri->port, at, len);
    uri->port[len] = 0;
    long n = strtol(uri->port, &end, 10);
    if (*end || uri->port[0] < '0' || uri->port[0] > '9' || n < 1 || n > 65535)
        return not_ours(diag, "The port in the address is no number from 1 to 65535.");
    return KT_OK;
}

static KtStatus parse_host(const char *at, size_t len, KtDiag *diag, KtUri *uri)
{
    const char *end = at + len, *host = at, *host_end, *rest;
    if (memchr(at, '@', len))
        return refused(diag, "A user or password");
    if (len > 0 && at[0] == '[') { /* an IPv6 address */
        host = at + 1;
        host_end = memchr(at, ']', len);
        if (!host_end)
            return not_ours(diag, "The address has a [ without its ].");
        rest = host_end + 1;
    } else {
        host_end = memchr(at, ':', len);
        if (!host_end)
            host_end = end;
        rest = host_end;
    }
    if (rest < end && *rest != ':')
        return not_ours(diag, "Behind the ] of the address only :port may stand.");
    if (rest < end)
        KT_TRY(parse_port(rest + 1, (size_t)(end - rest - 1), diag, uri));
    if (host == host_end)
        return not_ours(diag, "The address names no host.");
    if (!unescape(host, (size_t)(host_end - host), uri->host, sizeof uri->host))
        return not_ours(diag, "The host in the address is too long or badly escaped.");
    return KT_OK;
}

static KtStatus parse(const char *text, KtDiag *diag, KtUri *uri)
{
    const char *query = strchr(text, '?');
    size_t len = query ? (size_t)(query - text) : strlen(text);
    if (strncmp(text, "kith+unix://", 12) == 0) {
        uri->local = true;
        if (len <= 13 || text[12] != '/')
            return not_ours(
                diag, "kith+unix:// wants the whole path of a socket: kith+unix:///run/kith.sock.");
        if (!unescape(text + 12, len - 12, uri->host, 108)) /* what a socket's address holds */
            return not_ours(diag, "The path of the socket is too long or badly escaped.");
        return query ? parse_query(query + 1, diag, uri) : KT_OK;
    }
    if (strncmp(text, "kith://", 7) != 0) {
        if (strncmp(text, "kiths://", 8) == 0 || strncmp(text, "kith+tls://", 11) == 0)
            return refused(diag, "tls");
        size_t scheme = strcspn(text, ":/@?");
        kt_diag_set(diag, KT_ERR_USAGE, NULL,
                    "The address begins with \"%.*s\" and not with kith:// or kith+unix://.",
                    (int)(scheme < 40 ? scheme : 40), text);
        kt_diag_hint(diag, ADDRESSES);
        return KT_ERR_USAGE;
    }
    const char *from = text + 7;
    size_t host_len = strcspn(from, "/?");
    KT_TRY(parse_host(from, host_len, diag, uri));
    const char *path = from + host_len;
    if (*path == '/') {
        path++;
        size_t path_len = (size_t)(text + len - path);
        if (memchr(path, '/', path_len))
            return not_ours(diag, "The database in the address holds a slash.");
        if (!unescape(path, path_len, uri->database, sizeof uri->database))
            return not_ours(diag, "The database in the address is too long or badly escaped.");
    }
    return query ? parse_query(query + 1, diag, uri) : KT_OK;
}

KtStatus kt_uri_parse(const char *text, KtDiag *diag, KtUri *out)
{
    KtUri uri = {.port = "5484"};
    KT_TRY(parse(text, diag, &uri));
    *out = uri;
    return KT_OK;
}
