/* C++ names for people; names made to explode stay as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "converter/symbols/demangle.h"

static void names(void **state)
{
    char *name = ct_demangle(
        "_ZN3app5Thing3addEiRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE");

    if (!name)
        skip(); /* no libstdc++ on this machine */
    assert_string_equal(name, "app::Thing::add(int, std::__cxx11::basic_string<char, "
                              "std::char_traits<char>, std::allocator<char> > const&)");
    free(name);
    assert_null(ct_demangle("main"));
    assert_null(ct_demangle("_start"));
    assert_null(ct_demangle(""));
    assert_null(ct_demangle("_Z"));
    assert_null(ct_demangle("_Z9999999999999x"));
}

/* f(pair<A, A>, pair of two of those, pair of two of those ...): 200 bytes that become 50 MB. */
static void explosions(void **state)
{
    char exploding[1024] = "_Z1fSt4pairI1AS0_E", endless[10000];
    char *small;

    for (int i = 1; i < 23; i++) {
        char id = (char)(i < 10 ? '0' + i : 'A' + i - 10);

        sprintf(exploding + strlen(exploding), "S_IS%c_S%c_E", id, id);
        if (i == 2 && (small = ct_demangle(exploding)) != NULL) {
            assert_string_equal(small,
                                "f(std::pair<A, A>, std::pair<std::pair<A, A>, std::pair<A, A> >, "
                                "std::pair<std::pair<std::pair<A, A>, std::pair<A, A> >, "
                                "std::pair<std::pair<A, A>, std::pair<A, A> > >)");
            free(small);
        }
    }
    assert_null(ct_demangle(exploding));
    memset(endless, 'N', sizeof(endless));
    memcpy(endless, "_Z", 2);
    endless[sizeof(endless) - 1] = '\0';
    assert_null(ct_demangle(endless));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(explosions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
