/* Linked statically: nothing can be preloaded into it. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    dprintf(1, "a static program\n");
    return 14;
}
