/* A library that the unwinder's test opens and closes; built with different ROOM, so that the same address has another rule. */
#include <stddef.h>

void plugin_call(void (*callee)(void *), void *argument);

void plugin_call(void (*callee)(void *), void *argument)
{
    volatile char room[ROOM];

    room[0] = 1;
    callee(argument);
    room[ROOM - 1] = room[0];
}
