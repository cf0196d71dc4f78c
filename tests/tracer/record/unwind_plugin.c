/* A library to open and close; by its ROOM the same address has one rule or another. */
#include <stddef.h>

void plugin_call(void (*callee)(void *), void *argument);

void plugin_call(void (*callee)(void *), void *argument)
{
    volatile char room[ROOM];

    room[0] = 1;
    callee(argument);
    room[ROOM - 1] = room[0];
}
