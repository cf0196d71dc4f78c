/* A module that wants more of static TLS than there ever is. */
char *tls_room(void);

__thread char room[100000] __attribute__((tls_model("initial-exec")));

char *tls_room(void)
{
    return room;
}
