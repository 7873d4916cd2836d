// What a program that was started with the shim preloaded can ask of it. It is found by `dlsym`, not linked.
#ifndef CREDITS_FAULT_SHIM_H
#define CREDITS_FAULT_SHIM_H

// Calls are counted and made to fail by their class.
enum shim_class {
  SHIM_OPEN, SHIM_WRITE, SHIM_SYNC, SHIM_TRUNCATE, SHIM_MMAP, SHIM_RENAME, SHIM_UNLINK, SHIM_MKDIR, SHIM_STAT,
  SHIM_FSTAT, SHIM_LOCK, SHIM_READ, SHIM_SEEK, SHIM_LIST, SHIM_THREAD, SHIM_CLASSES
};

enum shim_mode {
  SHIM_ONCE,        // the n-th call fails and does nothing
  SHIM_FROM_THERE,  // the n-th call and all later ones of the class fail
  SHIM_SHORT,       // the n-th write writes half of its bytes and says so
  SHIM_LATE,        // the n-th call does its work and then fails
  SHIM_KILL_BEFORE, // the process is killed instead of the n-th call
  SHIM_KILL_HALF,   // the process is killed after the n-th write has reached the page cache, before it is synced
  SHIM_COUNT        // nothing fails
};

// Watches the files below a folder from now on; the path is absolute and ends without a slash.
void shim_watch(const char *root);

// Lets the n-th call (from 1 on) of a class go wrong; counts begin anew.
void shim_arm(int class, long n, int error, int mode);

// Lets nothing go wrong any more.
void shim_disarm(void);

// The calls of a class since the last `shim_arm`.
long shim_count(int class);

// How often a call went wrong since the last `shim_arm`.
long shim_fired(void);

// The descriptors of watched files that are open.
long shim_handles(void);

#endif
