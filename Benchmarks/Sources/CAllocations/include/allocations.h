#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

#include <stdint.h>

/// The number of allocations that the calling thread has made since it was started.
///
/// A program that links this file has its own `malloc` and the like, which count and then do what the C library's do.
uint64_t allocations_of_this_thread(void);

/// The bytes that the calling thread has asked for in these allocations.
uint64_t allocated_bytes_of_this_thread(void);

#endif
