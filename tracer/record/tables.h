/* The two banks of each interned table: beginning, and switching when one is nearly full.  Control thread only. */
#pragma once

#include "format/arena.h"

/* All tables empty, bank 0 in use. */
void ct_tables_init(struct ct_arena *a);
/*
 * Before generation `number` begins: tables that are nearly full go over to their other bank, if that was last used long
 * enough ago that no thread and no drainer has anything to do with it any more.
 */
void ct_tables_turn(struct ct_arena *a, uint32_t number);
