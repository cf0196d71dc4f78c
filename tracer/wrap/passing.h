/* Code that words of wrappers lead to for a moment, and that leads them on; and the wrappers themselves. */
#pragma once

/* Of functions: nothing else may remember that calls were led here. */
#define CT_PASSING __attribute__((section("ct_passing")))

/* Between these the linker puts them.  No tables of them: the loader would have to fill those each time. */
extern const char __start_ct_routed[] __attribute__((visibility("hidden")));
extern const char __stop_ct_routed[] __attribute__((visibility("hidden")));
extern const char __start_ct_passing[] __attribute__((visibility("hidden")));
extern const char __stop_ct_passing[] __attribute__((visibility("hidden")));
