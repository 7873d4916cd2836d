#include "power_switch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

// From the kernel's ext4.h, which is not among the headers for programs.
#define EXT4_IOC_SHUTDOWN _IOR('X', 125, uint32_t)
#define EXT4_GOING_FLAGS_NOLOGFLUSH 2

int credits_cut_power(const char *mount_point) {
  int folder = open(mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return errno;
  uint32_t flags = EXT4_GOING_FLAGS_NOLOGFLUSH;
  int error = ioctl(folder, EXT4_IOC_SHUTDOWN, &flags) == 0 ? 0 : errno;
  close(folder);
  return error;
}

int credits_limit(int resource, uint64_t most) {
  struct rlimit limit = {most, most};
  return setrlimit(resource, &limit) == 0 ? 0 : errno;
}
