/* Traces for tests: from text, to text. */
#pragma once

#include "converter/read/reader.h"

/* The whole of a file; fails the test when it is not there.  Caller frees. */
char *file_read(const char *path, size_t *ret_size);
void file_write(const char *path, const char *bytes, size_t size);

/* Text to bytes and back; caller frees.  The text is terminated. */
int trace_of_text(const char *text, size_t size, char **ret, size_t *ret_size, struct ct_error *err);
int text_of_trace(const void *bytes, size_t size, char **ret, struct ct_error *err);
/* What a reader still delivers, as text. */
int text_of_reader(struct ct_reader *reader, char **ret, struct ct_error *err);

/* An input that is memory. */
struct ct_read_input input_of(const void *bytes, size_t size);

/* Every NAME.txt below TESTS_DIR/FOLDER, sorted, as paths that NULL ends. */
char **texts_of(const char *folder);
