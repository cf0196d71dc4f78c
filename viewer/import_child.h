/* What each process that reads CTF is at first. */
#pragma once

/*
 * In the child: it ends with its parent, heeds signals whatever the thread that made it had blocked, and has a bounded memory:
 * babeltrace2 makes room for as many elements as a damaged length says.
 */
void ct_import_be_child(void);
