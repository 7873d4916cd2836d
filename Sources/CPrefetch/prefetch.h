#ifndef CREDITS_PREFETCH_H
#define CREDITS_PREFETCH_H

/// Asks the processor to fetch the cache line of an address that will be written soon.
///
/// It is no access: it never faults, and no order with other threads is needed. Swift has no such operation.
static inline void prefetch_for_writing(const void *address) {
#if defined(__x86_64__)
  // By hand: compilers take the fetch for reading unless they are told of a processor that has this one. Where it is
  // missing, it does nothing.
  __asm__ volatile("prefetchw %0" : : "m"(*(const char *)address));
#else
  __builtin_prefetch(address, 1, 3);
#endif
}

/// Asks the processor to fetch the cache line of an address that will be read soon.
static inline void prefetch_for_reading(const void *address) { __builtin_prefetch(address, 0, 3); }

/// Tells the processor that this thread spins, so that it saves power and lets the core's other thread go first.
static inline void pause_processor(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#endif
