/* Addresses: what is read out of them, and what is refused by name. */
#include "clients/c/src/internal.h"

#include <criterion/criterion.h>

TestSuite(clients_uri);

static KtUri good(const char *text)
{
    KtUri uri = {0};
    KtDiag diag = {0};
    cr_assert_eq(kt_uri_parse(text, &diag, &uri), KT_OK, "%s: %s", text, diag.message);
    return uri;
}

static KtStatus bad(const char *text)
{
    KtUri uri = {.host = "untouched"};
    KtDiag diag = {0};
    KtStatus status = kt_uri_parse(text, &diag, &uri);
    cr_assert_neq(status, KT_OK, "%s was taken", text);
    cr_assert(diag.message[0] && strcmp(uri.host, "untouched") == 0);
    return status;
}

Test(clients_uri, host_port_and_database_have_defaults)
{
    KtUri u = good("kith://h");
    cr_assert(!u.local && strcmp(u.host, "h") == 0 && strcmp(u.port, "5484") == 0 &&
              u.database[0] == 0);
    u = good("kith://127.0.0.1:7000/people");
    cr_assert(strcmp(u.host, "127.0.0.1") == 0 && strcmp(u.port, "7000") == 0 &&
              strcmp(u.database, "people") == 0);
    u = good("kith://h/");
    cr_assert(u.database[0] == 0);
}

Test(clients_uri, an_ipv6_address_stands_in_brackets)
{
    KtUri u = good("kith://[::1]:7000/kith");
    cr_assert(strcmp(u.host, "::1") == 0 && strcmp(u.port, "7000") == 0);
    u = good("kith://[fe80::1]");
    cr_assert(strcmp(u.host, "fe80::1") == 0 && strcmp(u.port, "5484") == 0);
    cr_assert_eq(bad("kith://[::1"), KT_ERR_USAGE);
    cr_assert_eq(bad("kith://[::1]x"), KT_ERR_USAGE);
    cr_assert_eq(bad("kith://[]:1"), KT_ERR_USAGE);
}

Test(clients_uri, a_socket_is_a_whole_path)
{
    KtUri u = good("kith+unix:///run/kith.sock?database=people");
    cr_assert(u.local && strcmp(u.host, "/run/kith.sock") == 0 &&
              strcmp(u.database, "people") == 0);
    cr_assert_eq(bad("kith+unix://run/kith.sock"), KT_ERR_USAGE);
    cr_assert_eq(bad("kith+unix:///"), KT_ERR_USAGE);
    char longest[200] = "kith+unix:///";
    memset(longest + 13, 'x', 150);
    cr_assert_eq(bad(longest), KT_ERR_USAGE);
}

Test(clients_uri, escapes_are_undone)
{
    cr_assert_str_eq(good("kith://h/a%20b%2Fc").database, "a b/c");
    cr_assert_eq(bad("kith://h/a%2"), KT_ERR_USAGE);
    cr_assert_eq(bad("kith://h/a%zz"), KT_ERR_USAGE);
    cr_assert_eq(bad("kith://h/a%00"), KT_ERR_USAGE);
}

Test(clients_uri, login_and_tls_are_refused_as_not_supported)
{
    cr_assert_eq(bad("kith://ada@h"), KT_ERR_NOT_SUPPORTED);
    cr_assert_eq(bad("kith://ada:secret@h:1/kith"), KT_ERR_NOT_SUPPORTED);
    cr_assert_eq(bad("kith://h?tls=verify"), KT_ERR_NOT_SUPPORTED);
    cr_assert_eq(bad("kith://h/kith?user=ada"), KT_ERR_NOT_SUPPORTED);
    cr_assert_eq(bad("kiths://h"), KT_ERR_NOT_SUPPORTED);
}

Test(clients_uri, what_is_no_address_says_what_one_is)
{
    static const char *const texts[] = {"",
                                        "h",
                                        "http://h",
                                        "kith://",
                                        "kith://:5484",
                                        "kith://h:",
                                        "kith://h:0",
                                        "kith://h:1x",
                                        "kith://h:65536",
                                        "kith://h:-1",
                                        "kith://h/a/b",
                                        "kith://h?x=1"};
    for (size_t i = 0; i < KT_COUNT(texts); i++)
        cr_assert_eq(bad(texts[i]), KT_ERR_USAGE, "%s", texts[i]);
}
