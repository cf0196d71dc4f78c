/* A library that slots.c needs: its own calls of wrapped functions. */
#include <unistd.h>

void needed_read(void);
void needed_sleep(void);

void needed_read(void)
{
    char byte;

    (void)!read(-1, &byte, 1);
}

void needed_sleep(void)
{
    usleep(1000);
}
