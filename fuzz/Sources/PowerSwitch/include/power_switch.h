#ifndef CREDITS_POWER_SWITCH_H
#define CREDITS_POWER_SWITCH_H

#include <stdint.h>

// Cuts a mounted ext4 off from its device at once, as a power cut would: nothing that is not on the device gets there.
// Returns 0, or the error's number.
int credits_cut_power(const char *mount_point);

// Sets a limit of the process, by its number for `setrlimit`. Returns 0, or the error's number.
int credits_limit(int resource, uint64_t most);

#endif
