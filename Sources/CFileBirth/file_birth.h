// When a file was made, which no call of the C library that Swift knows tells.

#include <fcntl.h>
#include <linux/stat.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

// The nanosecond, since 1970, at which the file at a path was made; 0 where the file system does not say.
static inline int64_t file_birth(const char *path) {
  struct statx status = {0};
  if (syscall(SYS_statx, AT_FDCWD, path, 0, STATX_BTIME, &status) != 0 || !(status.stx_mask & STATX_BTIME)) return 0;
  return (int64_t)status.stx_btime.tv_sec * 1000000000 + status.stx_btime.tv_nsec;
}
