/* The guard: every rule about addresses, tokens, hosts and origins, with what looks alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve/guard.h"

static const char *const names[] = { "service.example", "pod-7" };
static const char *const list = "service.example,pod-7";
static const struct ct_guard plain = { 0 }, named = { NULL, names, 2 }, listed = { NULL, &list, 1 }, locked = { "s3cret", NULL, 0 };

static int ask(const struct ct_guard *g, struct ct_request r)
{
    const char *why = NULL;
    int status;

    if (!r.query)
        r.query = "";
    status = ct_guard_check(g, &r, &why);
    assert_true(status == 0 || why);
    return status;
}

static int host(const struct ct_guard *g, const char *name)
{
    return ask(g, (struct ct_request){ .host = name });
}

static void hosts(void **state)
{
    static const char *const good[] = { "localhost", "localhost:6060", "LocalHost:1", "localhost.", "a.localhost:80",
                                        "127.0.0.1", "127.0.0.1:6060", "10.1.2.3:80", "[::1]", "[::1]:6060",
                                        "[fe80::1]:1", "[::ffff:10.0.0.1]", "localhost:", NULL };
    static const char *const bad[] = { "", "evil.com", "localhost.evil.com", "localhost.evil.com:6060", "127.0.0.1.evil.com",
                                       "evil-localhost", "xlocalhost", "localhosts", "localhost..", ".localhost", "127.1", "2130706433", "0x7f.0.0.1",
                                       "0177.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1:1:2",
                                       "localhost:80:evil", "user@localhost", "localhost@evil.com", "localhost evil.com",
                                       "[::1", "[::1]x", "[::1].evil.com", "[evil]", "[::1%25eth0]", "[]", "::1", "[127.0.0.1]",
                                       "localhost,evil.com", "localhost\t", "service.example", NULL };

    for (const char *const *name = good; *name; name++)
        if (host(&plain, *name) != 0)
            fail_msg("%s is refused", *name);
    for (const char *const *name = bad; *name; name++)
        if (host(&plain, *name) != 403)
            fail_msg("%s passes", *name);
    assert_int_equal(host(&named, "service.example"), 0);
    assert_int_equal(host(&named, "Service.Example:8080"), 0);
    assert_int_equal(host(&named, "pod-7."), 0);
    assert_int_equal(host(&named, "pod-77"), 403);
    assert_int_equal(host(&named, "x.service.example"), 403);
    assert_int_equal(host(&named, "service.example.evil.com"), 403);
    assert_int_equal(host(&plain, NULL), 0);
    assert_int_equal(host(&listed, "service.example:80"), 0);
    assert_int_equal(host(&listed, "POD-7"), 0);
    assert_int_equal(host(&listed, "pod"), 403);
    assert_int_equal(host(&listed, "pod-77"), 403);
    assert_int_equal(host(&listed, "service.example,pod-7"), 403);
    assert_int_equal(host(&listed, "service"), 403);
    assert_int_equal(host(&listed, "example"), 403);
}

static void absolute(void **state)
{
    assert_int_equal(ask(&plain, (struct ct_request){ .authority = "localhost:6060/x", .host = "localhost:6060" }), 0);
    assert_int_equal(ask(&plain, (struct ct_request){ .authority = "evil.com/x", .host = "localhost" }), 400);
    assert_int_equal(ask(&plain, (struct ct_request){ .authority = "localhost/x", .host = "evil.com" }), 400);
    assert_int_equal(ask(&plain, (struct ct_request){ .authority = "evil.com/x", .host = "evil.com" }), 403);
    assert_int_equal(ask(&plain, (struct ct_request){ .authority = "evil.com/x" }), 403);
    assert_int_equal(ask(&plain, (struct ct_request){ .authority = "/x", .host = "" }), 403);
    assert_int_equal(ask(&plain, (struct ct_request){ .authority = "u@localhost/x", .host = "u@localhost" }), 403);
}

static int origin(const char *from, const char *to)
{
    return ask(&plain, (struct ct_request){ .origin = from, .host = to });
}

static int site(const char *value)
{
    return ask(&plain, (struct ct_request){ .host = "localhost", .fetch_site = value });
}

static void origins(void **state)
{
    assert_int_equal(origin("http://localhost:6060", "localhost:6060"), 0);
    assert_int_equal(origin("https://localhost", "localhost"), 0);
    assert_int_equal(origin("http://LOCALHOST", "localhost"), 0);
    assert_int_equal(origin("http://localhost:6061", "localhost:6060"), 403);
    assert_int_equal(origin("http://evil.com", "localhost"), 403);
    assert_int_equal(origin("http://localhost.evil.com", "localhost"), 403);
    assert_int_equal(origin("http://localhost/", "localhost"), 403);
    assert_int_equal(origin("http://localhost/@evil.com", "localhost"), 403);
    assert_int_equal(origin("null", "localhost"), 403);
    assert_int_equal(origin("", "localhost"), 403);
    assert_int_equal(origin("http://localhost", NULL), 403);
    assert_int_equal(site("same-origin"), 0);
    assert_int_equal(site("same-site"), 0);
    assert_int_equal(site("none"), 0);
    assert_int_equal(site("cross-site"), 403);
    assert_int_equal(site("Cross-Site"), 403);
    assert_int_equal(site(""), 403);
}

static int given(const char *authorization, const char *query)
{
    return ask(&locked, (struct ct_request){ .host = "localhost", .authorization = authorization, .query = query });
}

static void tokens(void **state)
{
    assert_int_equal(given(NULL, ""), 401);
    assert_int_equal(given("Bearer s3cret", ""), 0);
    assert_int_equal(given("bearer  s3cret", ""), 0);
    assert_int_equal(given("Bearer s3cre", ""), 401);
    assert_int_equal(given("Bearer s3cret ", ""), 401);
    assert_int_equal(given("Bearer s3crets3cret", ""), 401);
    assert_int_equal(given("Bearer ", ""), 401);
    assert_int_equal(given("s3cret", ""), 401);
    assert_int_equal(given("Basic eDpzM2NyZXQ=", ""), 0);           /* x:s3cret */
    assert_int_equal(given("Basic OnMzY3JldA==", ""), 0);           /* :s3cret */
    assert_int_equal(given("Basic czNjcmV0OnM=", ""), 401);         /* s3cret:s */
    assert_int_equal(given("Basic czNjcmV0", ""), 401);             /* s3cret */
    assert_int_equal(given("Basic eDpzM2NyZXQAeA==", ""), 401);     /* with a NUL */
    assert_int_equal(given("Basic eDpzM2NyZXQ====", ""), 401);
    assert_int_equal(given("Basic e!pzM2NyZXQ=", ""), 401);
    assert_int_equal(given("Basic ", ""), 401);
    assert_int_equal(given(NULL, "token=s3cret"), 0);
    assert_int_equal(given(NULL, "seconds=1&token=s3%63ret"), 0);
    assert_int_equal(given(NULL, "token=s3cret2"), 401);
    assert_int_equal(given("Bearer wrong", "token=s3cret"), 0);
    assert_int_equal(ask(&locked, (struct ct_request){ .host = "evil.com", .authorization = "Bearer s3cret" }), 403);
    assert_true(ct_guard_same("a", "a"));
    assert_false(ct_guard_same("a", "aa"));
    assert_false(ct_guard_same("aa", "a"));
    assert_false(ct_guard_same("a", ""));
    assert_false(ct_guard_same("", "a"));
}

/* How many instructions it takes to compare, by stepping through them; 0 where that is not allowed. */
static unsigned steps(const char *secret, const char *given)
{
    unsigned n = 0;
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        ct_guard_same(secret, given);               /* what the loader does at a first call is done */
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(0);
        raise(SIGSTOP);
        ct_guard_same(secret, given);
        raise(SIGSTOP);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status))
        return 0;
    do {
        n++;
        assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
    } while (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return n;
}

/* The time does not tell how much of a guess is right. */
static void constant_time(void **state)
{
    static const char secret[] = "a secret of thirty-two letters..";
    char given[sizeof secret];
    unsigned right;

    memcpy(given, secret, sizeof secret);
    right = steps(secret, given);
    if (!right) {
        print_message("ptrace is not allowed here\n");
        skip();
    }
    assert_true(right > 2 * sizeof secret);
    for (size_t i = 0; i + 1 < sizeof secret; i++) {
        given[i] ^= 1;
        assert_int_equal(steps(secret, given), right);
        given[i] ^= 1;
    }
    memset(given, 'x', sizeof given - 1);
    assert_int_equal(steps(secret, given), right);
}

static int address(const char *text, struct ct_address *ret)
{
    struct ct_error err = { 0 };
    int r = ct_address_parse(text, ret, &err);

    assert_true(r == 0 || *err.text);
    return r;
}

static void addresses(void **state)
{
    struct ct_address a;

    assert_int_equal(address("127.0.0.1:6060", &a), 0);
    assert_string_equal(a.ip, "127.0.0.1");
    assert_int_equal(a.port, 6060);
    assert_true(a.loopback);
    assert_int_equal(address(":0", &a), 0);
    assert_true(a.loopback);
    assert_int_equal(a.port, 0);
    assert_int_equal(address("6060", &a), 0);
    assert_true(a.loopback);
    assert_int_equal(address("localhost:1", &a), 0);
    assert_string_equal(a.ip, "127.0.0.1");
    assert_int_equal(address("127.9.9.9:1", &a), 0);
    assert_true(a.loopback);
    assert_int_equal(address("0.0.0.0:80", &a), 0);
    assert_false(a.loopback);
    assert_int_equal(address("[::1]:6060", &a), -EAFNOSUPPORT);
    for (const char *const *bad = (const char *const[]){ "", "x", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
                                                         "127.0.0.1:-1", "127.1:1", "evil.com:80", "1.2.3.4.5:1", "::1:1",
                                                         "255.255.255.255.255:1", "127.0.0.1:6060s", NULL };
         *bad; bad++)
        if (address(*bad, &a) != -EINVAL)
            fail_msg("%s is taken", *bad);
}

static int listen_on(const char *text, const char *token, bool insecure, bool secure)
{
    struct ct_error err = { 0 };
    struct ct_address a;
    int r;

    assert_int_equal(address(text, &a), 0);
    r = ct_guard_listen(&a, token, insecure, secure, &err);
    assert_true(r == 0 || *err.text);
    return r;
}

static void listening(void **state)
{
    assert_int_equal(listen_on("127.0.0.1:1", NULL, false, false), 0);
    assert_int_equal(listen_on("0.0.0.0:1", NULL, false, false), -EPERM);
    assert_int_equal(listen_on("10.0.0.1:1", NULL, false, false), -EPERM);
    assert_int_equal(listen_on("0.0.0.0:1", "t", false, false), 0);
    assert_int_equal(listen_on("0.0.0.0:1", NULL, true, false), 0);
    assert_int_equal(listen_on("0.0.0.0:1", "", false, false), -EPERM);
    assert_int_equal(listen_on("127.0.0.1:1", "t", true, true), -EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts),  cmocka_unit_test(absolute),  cmocka_unit_test(origins),
        cmocka_unit_test(tokens), cmocka_unit_test(addresses), cmocka_unit_test(listening),
        cmocka_unit_test(constant_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
