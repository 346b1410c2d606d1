/* Power and clock: power as an average of some milliseconds; above the limit the clock sinks until it is met.

   Dynamic power is taken to be in proportion to the clock. That is simpler than a chip, and has the sign right: a
   product of 900 W under a limit of 700 W runs at 78 % of the clock after LAG_MS, and one alone at all of it. */
#include "null.h"
#include <math.h>

static struct { ns_t time; double watts, joules, drawn; } AT[MOST_DEVICES]; /* averages until then; what was drawn last */

static double of_kind(enum kind kind) {
  return kind == PRODUCT ? SET.product_w : kind == SPIN ? (SET.idle_w + SET.kernel_w) / 2 : SET.kernel_w;
}

/* Draw so much until then. What was not drawn before that was the power of an idle device. */
static void pass(int device, ns_t until, double drawn_w) {
  if (!AT[device].time) {
    AT[device].time = until;
    AT[device].watts = SET.idle_w;
    return;
  }
  double ms = (until - AT[device].time) / 1e6;
  if (ms <= 0) return;
  double kept = exp(-ms / SET.lag_ms);
  AT[device].watts = kept * AT[device].watts + (1 - kept) * drawn_w;
  AT[device].drawn = fmin(drawn_w, SET.limit_w);
  AT[device].joules += AT[device].drawn * ms / 1e3;
  AT[device].time = until;
}

double watts(int device, ns_t time) {
  pass(device, time, SET.idle_w);
  return fmin(AT[device].watts, SET.limit_w);
}

double joules(int device, ns_t time) { /* as the driver's counter has it: as it was at the last of its steps */
  pass(device, time, SET.idle_w);
  double s = time / 1e9, since_s = SET.energy_step_s > 0 ? fmod(s, SET.energy_step_s) : 0;
  return fmax(AT[device].joules - AT[device].drawn * since_s, 0);
}

double clock_share(int device, ns_t time) {
  pass(device, time, SET.idle_w);
  double capped = AT[device].watts > SET.limit_w ? SET.limit_w / AT[device].watts : 1;
  return fmin(capped, SET.clock_share);
}

void draws(int device, enum kind kind, ns_t begin, ns_t end) {
  pass(device, begin, SET.idle_w);
  pass(device, end, of_kind(kind));
}
