/* Shifts the clock of a program that loads this first, by the seconds that CLOCK_SHIFT says: what waits for hours and
   days is tested at once. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(clock, now);
    const char *shift = getenv("CLOCK_SHIFT");
    if (done == 0 && clock == CLOCK_REALTIME && shift)
        now->tv_sec += atol(shift);
    return done;
}
