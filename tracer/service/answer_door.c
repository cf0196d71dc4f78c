/* libctrace-answer.so's one exported name. */
#include "converter/read/vanish.h"
#include "service/tools.h"

__attribute__((visibility("default"))) ct_service_bring ct_answer;

const struct ct_service_tools *ct_answer(void)
{
    ct_vanish_leave();
    return ct_service_tools_here();
}
