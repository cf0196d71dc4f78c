/* Data that hot paths read at each call, kept side by side: a program's own data leaves little of it in the cache. */
#pragma once

#define CT_HOT_DATA __attribute__((section("ct_hot")))

/* Data that the start of every program touches, beside it: each page that is written to first costs a fault. */
#define CT_EARLY_DATA CT_HOT_DATA

/* Code of the start and of the end, side by side for the same reason, and away from what is called again and again. */
#define CT_EARLY_CODE __attribute__((section(".text.startup")))
