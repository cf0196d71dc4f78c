/* Calls that nobody wants to hear of, while others are recorded. */
#pragma once

/* All calls lead to the recorder: those that nobody wants past it again. */
void ct_past_lead(void);
