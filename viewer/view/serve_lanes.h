/* Lanes and names as JSON, for those whose answers hold them. */
#pragma once

#include "converter/index/index.h"
#include "viewer/view/doc.h"

void ct_view_put_lanes(struct ct_doc *doc, const char *key, const struct ct_index_lanes *lanes);

/* Those from id `from` on. */
void ct_view_put_names(struct ct_doc *doc, const char *key, int64_t from, const struct ct_index_names *names);
