/* The verbs of `ctrace`.  argv[0] is the verb; what is returned is the exit status. */
#pragma once

int ct_cmd_record(int argc, char **argv);
int ct_cmd_convert(int argc, char **argv);
int ct_cmd_info(int argc, char **argv);
int ct_cmd_view(int argc, char **argv);
int ct_cmd_list(int argc, char **argv);
int ct_cmd_recover(int argc, char **argv);
int ct_cmd_assemble(int argc, char **argv);
