/* Calls that nobody wants to hear of, while others are recorded. */
#pragma once

/* All calls lead to the recorder: those that nobody wants past it again. */
void ct_past_lead(void);

/* Some calls were led elsewhere: those of modules that came with the program follow. */
void ct_slots_follow(void);
