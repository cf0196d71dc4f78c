/* Data that hot paths read at each call, kept side by side: a program's own data leaves little of it in the cache. */
#pragma once

#define CT_HOT_DATA __attribute__((section("ct_hot")))
