/* What every importer needs of a Chrome file, checked without one. */
#pragma once

/* NULL when `text` is a file that imports; else a sentence that says what is wrong, valid until the next call. */
const char *chrome_check(const char *text);
